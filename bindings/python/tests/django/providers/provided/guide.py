"""The blocks of django.md."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[6]
_GUIDE = (ROOT / "bindings/python/django.md").read_text()


def block(title):
    """The block that begins with this comment."""
    [text] = re.findall(rf"^```python\n# {re.escape(title)}\n(.*?)^```", _GUIDE, re.M | re.S)
    return text
