"""Who may open a session: a user who is logged in, from a page of this site, and not too often."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware

from prebind.django.answers import refused
from prebind.django.conf import load

#: What a page may call itself: nothing that means anything in a JID, in XML or in a log.
PAGE = re.compile(r"[A-Za-z0-9-]{0,64}")


def refusal(request: HttpRequest) -> JsonResponse | None:
    """The answer to a request that gets no session, or ``None`` if it may have one.

    405, 401, 403, 400 and 429, in this order. Raises what the cache raises if it is out of order.
    """
    if request.method not in ("GET", "POST"):
        return refused(405, "Method", headers={"Allow": "GET, POST"})
    user = request.user
    if not (user.is_authenticated and user.is_active):
        return refused(401, "NotLoggedIn")
    return _not_a_page_of_ours(request) or _too_often(user)


def _not_a_page_of_ours(request: HttpRequest) -> JsonResponse | None:
    if request.method == "GET" and not is_same_origin(request):
        return refused(403, "CrossOrigin")
    if request.method == "POST" and not has_csrf_token(request):
        return refused(403, "Csrf")
    if not PAGE.fullmatch(page(request)):
        return refused(400, "Page")
    return None


def _too_often(user: Any) -> JsonResponse | None:
    wait = seconds_to_wait(user)
    if wait:
        return refused(429, "RateLimit", "later", {"Retry-After": str(wait)})
    return None


def page(request: HttpRequest) -> str:
    """What the page calls itself, in ``?page=…``; empty if it does not.

    It becomes the resource of its sessions. A page whose session was lost thereby gets its JID
    again, and throws out what the server may still have of the lost one: Converse goes on with the
    old JID in what it had yet to send, and some servers end the new session for another's JID.
    """
    return request.GET.get("page", "")


def is_same_origin(request: HttpRequest) -> bool:
    """Whether a page of this site asks.

    Browsers say so in ``Sec-Fetch-Site``; over plain http, and older ones, in ``Origin`` or
    ``Referer``. Whoever says nothing is refused, for a foreign page can choose to.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    source = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    # Browsers write hosts in small letters, who sets up a proxy may not.
    host = request.get_host().lower()
    return (source.scheme, source.netloc.lower()) == (request.scheme, host)


def has_csrf_token(request: HttpRequest) -> bool:
    """Whether Django's protection against forged POST requests is satisfied."""
    check = _Csrf(lambda _: HttpResponse())
    check.process_request(request)
    # It looks whether the view is exempt. Ours is, so that there is this check alone.
    return check.process_view(request, HttpResponse, (), {}) is None


def seconds_to_wait(user: Any) -> int:
    """Counts a session of the user's; 0, or how long they have to wait until the next."""
    limit = load().rate_limit
    if limit is None:
        return 0
    count, seconds = limit
    window, elapsed = divmod(int(time.time()), seconds)
    # The window is in the key, so that it does not matter whether `incr` keeps the expiry.
    key = f"prebind:{quote(str(user.pk), safe='')}:{window}"
    cache = caches[load().cache]
    cache.add(key, 0, timeout=seconds)
    try:
        opened = cache.incr(key)
    except ValueError:
        # The cache threw the entry out in between.
        opened = 1
    return seconds - elapsed if opened > count else 0


class _Csrf(CsrfViewMiddleware):
    """Tells why it refuses, instead of answering with a page of HTML."""

    def _reject(self, _request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)
