"""The chat of a user: the client, the JID and the credentials that the settings name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.module_loading import import_string

import prebind
from prebind.django.conf import load
from prebind.django.memory import recall


@dataclass(frozen=True)
class Account:
    """What ``Client.prebind`` is called with. Its ``repr`` is for error pages: without secrets."""

    jid: str
    credentials: Mapping[str, Any] = field(repr=False)


def jid_of(user: Any) -> str | None:
    """The user's bare JID, or ``None`` for a user without chat. Raises what ``USER_JID`` raises."""
    jid: str | None = import_string(load().user_jid)(user)
    return jid


def account_of(user: Any, resource: str = "") -> Account | None:
    """How to log the user in, or ``None`` for a user without chat.

    The resource is asked for if there is one; otherwise the server makes it. Raises what
    ``USER_JID`` and ``CREDENTIALS`` raise.
    """
    jid = jid_of(user)
    if jid is None:
        return None
    credentials = import_string(load().credentials)(user, jid)
    return Account(f"{jid}/{resource}" if resource else jid, credentials)


@lru_cache(maxsize=1)
def client() -> prebind.Client:
    """The client that this process logs everybody in with; it is made when it is first needed, and
    knows what earlier processes learned of the chat server.

    Two threads that come first at the same time may each make one: one of them is forgotten again.
    Raises :class:`prebind.ConfigError` for settings that are wrong.
    """
    settings = load()
    return prebind.Client(settings.url, **{"profile": recall(settings), **settings.options})


def forget() -> None:
    """Forgets client and settings, for example because a test has changed them."""
    load.cache_clear()
    client.cache_clear()


# A worker that was forked makes a client of its own, and remembers no failures of its parent's.
os.register_at_fork(after_in_child=client.cache_clear)
