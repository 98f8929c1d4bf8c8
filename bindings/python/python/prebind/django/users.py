"""Users and their JIDs: what ``USER_JID`` and ``IMPERSONATED`` of ``PREBIND`` may name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

import prebind
from prebind.django.conf import load_for

#: What is in the session while a member of staff acts as somebody else.
_BY_STAFF = (
    "hijack_history",  # django-hijack
    "_impersonate",  # django-impersonate
    "loginas_from_user",  # django-loginas
)


def username_at_domain(user: Any, request: HttpRequest | None = None) -> str:
    r"""The user's name at ``DOMAIN``: ``alice@example.org``.

    Characters that a JID must not have are escaped as XEP-0106 says, and upper case becomes lower
    case: ``Jo Doe`` is ``jo\20doe@example.org``. Django lets ``alice`` and ``Alice`` be two users,
    who then share one chat account: :func:`key_at_domain` tells them apart. Raises
    :class:`prebind.ConfigError` for a name that escaping cannot make valid, or that looks like another
    one (full-width or decomposed characters, which Django's own forms normalize).
    """
    return prebind.jid_from_user(user.get_username(), load_for(request).domain)


def is_impersonated(request: HttpRequest) -> bool:
    """Whether a member of staff acts as the user, by django-hijack, django-impersonate or
    django-loginas.
    """
    session: Any = getattr(request, "session", {})
    return any(session.get(name) for name in _BY_STAFF)


def key_at_domain(user: Any, request: HttpRequest | None = None) -> str:
    """The user's primary key at ``DOMAIN``: ``42@example.org``.

    No two users have the same one, and it stays if the user is renamed. What people read in the
    chat is the name that the chat account has: its nickname or vCard. Raises
    :class:`prebind.ConfigError` for a key that makes no JID.
    """
    return prebind.jid_from_user(str(user.pk), load_for(request).domain)
