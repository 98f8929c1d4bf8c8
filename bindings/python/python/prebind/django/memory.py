"""What was learned of the chat server, kept in the cache: the first call of the next process is as
short as the last one of this.
"""

from __future__ import annotations

import hashlib

import prebind
from prebind.django.cache import ask

#: What this process has last read or written, by the address of the chat server.
_kept: dict[str, str | None] = {}


def recall(url: str) -> str | None:
    """What an earlier client learned, for the option ``profile``; nothing if the cache is away."""
    key = _key(url)
    profile = ask("what was learned of the chat server", lambda cache: cache.get(key))
    _kept[url] = profile if isinstance(profile, str) else None
    return _kept[url]


def has_news(client: prebind.Client, url: str) -> bool:
    """Whether the client knows something that the cache may not."""
    return client.profile() != _kept.get(url)


def keep(client: prebind.Client, url: str) -> None:
    """Writes what the client learned, if that is new and the cache is not away."""
    if not has_news(client, url):
        return
    key, profile = _key(url), client.profile()
    _kept[url] = profile
    ask(
        "to keep what was learned of the chat server",
        lambda cache: cache.set(key, profile, timeout=None),
    )


def is_kept(client: prebind.Client, url: str) -> bool:
    """Whether the cache has what the client learned, after it was given that."""
    keep(client, url)
    return recall(url) == client.profile()


def _key(url: str) -> str:
    # Some caches allow neither long keys nor every character.
    return f"prebind:profile:{hashlib.sha256(url.encode()).hexdigest()[:24]}"
