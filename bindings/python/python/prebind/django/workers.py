"""The workers of the site, which must not all wait for the chat server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

Result = TypeVar("Result")

#: An event loop serves any number of requests. Half of this is how many threads of it log in.
OF_AN_EVENT_LOOP = 32

#: WSGI servers do not say how many threads a process has, but whether it has more than one.
OF_THREADS = 2


def of(request: HttpRequest) -> int:
    """How many requests this process serves at once, at least. Not every server says it."""
    if isinstance(request, ASGIRequest):
        return OF_AN_EVENT_LOOP
    hub = _hub()
    if hub is not None:
        return int(hub.threadpool.maxsize)
    return OF_THREADS if request.META.get("wsgi.multithread") else 1


def aside(call: Callable[[], Result]) -> Result:
    """Calls, and lets other requests go on if gevent serves them: in its thread pool."""
    hub = _hub()
    return call() if hub is None else hub.threadpool.apply(call)


def _hub() -> Any:
    """That of gevent, if it has replaced Python's threads."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return None
    return sys.modules["gevent"].get_hub()
