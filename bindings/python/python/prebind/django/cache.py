"""The site's cache, which may be away: then there is a chat all the same. When it is asked, the
core decides: bindings/web/README.md has the rule.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import BaseCache, caches

from prebind._prebind import WebCache
from prebind.django.conf import load
from prebind.django.place import place_of

logger = logging.getLogger("prebind.django")

Answer = TypeVar("Answer")

#: What this process knows of the cache.
_cache = WebCache()


def ask(question: str, asked: Callable[[BaseCache], Answer]) -> Answer | None:
    """What the cache answers, or ``None`` if it is away. The log then has the question."""
    start = _now()
    if not _cache.is_asked(start):
        return None
    answer = failure = None
    try:
        answer = asked(caches[load().cache])
    except Exception as error:
        failure = place_of(error)
    complaint = _cache.answered(start, _now(), question, failure)
    if complaint:
        logger.warning(complaint)
    return answer


def forget() -> None:
    """Forgets that the cache was away."""
    global _cache  # noqa: PLW0603 - there is one
    _cache = WebCache()


def _now() -> int:
    return int(time.monotonic() * 1000)
