"""Users and their JIDs: what ``PREBIND["USER_JID"]`` may name."""

from __future__ import annotations

from typing import Any

import prebind
from prebind.django.conf import load


def username_at_domain(user: Any) -> str:
    r"""The user's name at ``DOMAIN``: ``alice@example.org``.

    Characters that a JID must not have are escaped as XEP-0106 says, and upper case becomes lower
    case: ``Jo Doe`` is ``jo\20doe@example.org``. Raises :class:`prebind.ConfigError` for a name
    that is not possible even so.
    """
    return prebind.jid_from_user(user.get_username(), load().domain)
