"""What was learned of the chat server, kept in the cache: the first call of the next process is as
short as the last one of this.
"""

from __future__ import annotations

import hashlib
import logging

from django.core.cache import caches

import prebind
from prebind.django.conf import Settings, load

logger = logging.getLogger("prebind.django")


class _Kept:
    """What this process has last read or written."""

    profile: str | None = None


def recall(settings: Settings) -> str | None:
    """What an earlier client learned, for the option ``profile``.

    A cache that is out of order is as good as an empty one.
    """
    try:
        _Kept.profile = caches[settings.cache].get(_key(settings.url))
    except Exception:
        logger.warning("the cache does not tell what was learned of the chat server", exc_info=True)
        _Kept.profile = None
    return _Kept.profile if isinstance(_Kept.profile, str) else None


def has_news(client: prebind.Client) -> bool:
    """Whether the client knows something that the cache may not."""
    return client.profile() != _Kept.profile


def keep(client: prebind.Client) -> None:
    """Writes what the client learned, if that is new. Never fails: the login is what counts."""
    if not has_news(client):
        return
    settings = load()
    _Kept.profile = client.profile()
    try:
        caches[settings.cache].set(_key(settings.url), _Kept.profile, timeout=None)
    except Exception:
        logger.warning("the cache does not keep what was learned of the chat server", exc_info=True)


def _key(url: str) -> str:
    # Some caches allow neither long keys nor every character.
    return f"prebind:profile:{hashlib.sha256(url.encode()).hexdigest()[:24]}"
