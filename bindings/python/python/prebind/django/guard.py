"""What the core's rules need to know of a request, and how often a user may ask."""

from __future__ import annotations

import hashlib
import time

from django.http import HttpRequest

from prebind._prebind import WebRequest
from prebind.django import cache
from prebind.django.conf import checked, load


def asked(request: HttpRequest) -> WebRequest:
    """The request as the core takes it. Raises ``DisallowedHost`` as Django does."""
    headers = request.headers
    port = request.get_port()
    return WebRequest(
        request.method or "",
        request.scheme or "",
        request.get_host(),
        # A web server at a socket of Unix has none.
        int(port) if port.isdecimal() else None,
        {name: headers[name] for name in WebRequest.HEADERS if name in headers},
        request.META.get("QUERY_STRING", ""),
    )


def seconds_to_wait(jid: str) -> int:
    """Counts a session of the user's; 0, or how long they have to wait until the next.

    If the cache is away, nothing is counted: the login is more important than its limit.
    """
    limit = checked("RATE_LIMIT", load().rate_limit)
    if limit is None:
        return 0
    count, seconds = limit
    window, elapsed = divmod(int(time.time()), seconds)
    # By the JID, since tenants may each have a user of this number.
    key = f"prebind:{hashlib.sha256(jid.encode()).hexdigest()[:24]}:{window}"
    opened = cache.count("how many sessions a user opened", key, seconds)
    return seconds - elapsed if (opened or 0) > count else 0
