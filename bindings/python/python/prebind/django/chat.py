"""The chat of a user: the client, the JID and the credentials that the settings name."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.http import HttpRequest

import prebind
from prebind._prebind import WEB_DEADLINE
from prebind.django.callables import call
from prebind.django.conf import checked, load, load_for
from prebind.django.memory import recall

logger = logging.getLogger("prebind.django")


@dataclass(frozen=True)
class Account:
    """What ``Client.prebind`` is called with. Its ``repr`` is for error pages: without secrets."""

    jid: str
    credentials: Mapping[str, Any] = field(repr=False)


def jid_of(user: Any, request: HttpRequest) -> str | None:
    """The user's bare JID, or ``None`` for a user without chat, such as one as whom somebody else
    acts.

    Raises what ``USER_JID`` and ``IMPERSONATED`` raise, and ``SettingsError`` if ``USER_JID``
    returns neither text nor ``None``.
    """
    settings = load()
    if settings.impersonated and call(settings.impersonated, request=request):
        logger.info(
            "user %s: no chat, since somebody else acts as this user (IMPERSONATED)", user.pk
        )
        return None
    jid: str | None = checked("USER_JID", call(settings.user_jid, user, request=request))
    return jid


def account_of(user: Any, request: HttpRequest) -> Account | None:
    """How to log the user in, or ``None`` for a user without chat.

    Raises what ``USER_JID`` and ``CREDENTIALS`` raise.
    """
    jid = jid_of(user, request)
    return proven(user, jid, jid, request) if jid else None


def proven(user: Any, jid: str, full_jid: str, request: HttpRequest) -> Account:
    """How to log the user in who has this JID.

    Raises what ``CREDENTIALS`` raises, and ``SettingsError`` if it returns no keyword arguments of
    ``Client.prebind``.
    """
    given = call(load().credentials, user, jid, request=request)
    return Account(full_jid, checked("CREDENTIALS", given))


def client(workers: int = 0, request: HttpRequest | None = None) -> prebind.Client:
    """The client that this process logs everybody of the same tenant in with; it is made when it is
    first needed, and knows what earlier processes learned of the chat server.

    ``workers`` is how many requests the process serves at once, 0 if it is no web server.

    Two threads that come first at the same time may each make one: one of them is forgotten again.
    Raises :class:`prebind.ConfigError` for settings that are wrong.
    """
    settings = load_for(request)
    return _client(settings.url, _Options(settings.options), workers)


class _Options(dict[str, Any]):
    """Options that a client can be looked up by."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self)))


# More chat servers than one site has.
@lru_cache(maxsize=1024)
def _client(url: str, options: _Options, workers: int) -> prebind.Client:
    defaults = {"profile": recall(url), "deadline": WEB_DEADLINE, "workers": workers}
    return prebind.Client(url, **{**defaults, **options})


def forget() -> None:
    """Forgets clients and settings, for example because a test has changed them."""
    load.cache_clear()
    _client.cache_clear()


# A worker that was forked makes clients of its own, and remembers no failures of its parent's.
os.register_at_fork(after_in_child=_client.cache_clear)
