"""Users and their JIDs: what ``USER_JID``, ``USER_EXISTS`` and ``IMPERSONATED`` of ``PREBIND`` may
name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.module_loading import import_string

import prebind
from prebind.django.conf import SettingsError, load_for

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
    :class:`prebind.ConfigError` for a name that escaping cannot make valid, or that looks like
    another one (full-width or decomposed characters, which Django's own forms normalize).
    """
    return prebind.jid_from_user(user.get_username(), load_for(request).domain)


def is_impersonated(request: HttpRequest) -> bool:
    """Whether a member of staff acts as the user, by django-hijack, django-impersonate or
    django-loginas.
    """
    session: Any = getattr(request, "session", {})
    return any(session.get(name) for name in _BY_STAFF)


def is_user(name: str, jid: str, request: HttpRequest | None = None) -> bool:
    """Whether an active user has this JID by ``username_at_domain`` or ``key_at_domain``, whichever
    ``USER_JID`` names.

    Raises ``SettingsError`` if ``USER_JID`` is a function of your own: then ``USER_EXISTS`` has to
    be one, too.
    """
    found: dict[str, Callable[[], Any]] = {
        _path(username_at_domain): partial(_named, name),
        _path(key_at_domain): partial(_numbered, name),
    }
    user_jid = load_for(request).user_jid
    if user_jid not in found:
        raise SettingsError("USER_EXISTS is missing, since USER_JID is a function of your own")
    jid_of = import_string(user_jid)
    return any(user.is_active and jid_of(user, request) == jid for user in found[user_jid]())


def _path(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__name__}"


def _named(name: str) -> Any:
    """The users of this name, in whatever case."""
    model: Any = get_user_model()
    return model._default_manager.filter(**{f"{model.USERNAME_FIELD}__iexact": name})


def _numbered(key: str) -> Any:
    """The user with this key."""
    model: Any = get_user_model()
    try:
        return model._default_manager.filter(pk=model._meta.pk.to_python(key))
    except ValidationError:
        return ()


def key_at_domain(user: Any, request: HttpRequest | None = None) -> str:
    """The user's primary key at ``DOMAIN``: ``42@example.org``.

    No two users have the same one, and it stays if the user is renamed. What people read in the
    chat is the name that the chat account has: its nickname or vCard. Raises
    :class:`prebind.ConfigError` for a key that makes no JID.
    """
    return prebind.jid_from_user(str(user.pk), load_for(request).domain)
