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


def count(question: str, key: str, seconds: int) -> int | None:
    """Counts one more under a key with the window of time in it; ``None`` if the cache is away."""

    def counted(cache: BaseCache) -> int | None:
        # The window is in the key, so that it does not matter whether `incr` keeps the expiry.
        cache.add(key, 0, timeout=seconds)
        try:
            return cache.incr(key)
        except ValueError:
            # The cache threw the entry out before it was counted.
            return 1

    # django-redis can be told to answer `None` for whatever goes wrong.
    return ask(question, counted)


def is_new(question: str, key: str, seconds: int) -> bool:
    """Whether nobody has added this key before, which is added; true if the cache is away."""
    return ask(question, lambda cache: cache.add(key, 1, timeout=seconds)) is not False


def forget() -> None:
    """Forgets that the cache was away."""
    global _cache  # noqa: PLW0603 - there is one
    _cache = WebCache()


def _now() -> int:
    return int(time.monotonic() * 1000)
