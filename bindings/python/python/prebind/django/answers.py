"""The core's answers to the browser and to the chat server, as Django's."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers


def response(answer: tuple[int, dict[str, str], str]) -> HttpResponse:
    """The response for status, headers and body."""
    status, headers, body = answer
    vary = headers.pop("Vary", None)
    given = HttpResponse(body, status=status, headers=headers)
    if vary:
        patch_vary_headers(given, [vary])
    # Django would log every 503 as an error of the site and mail it to the ADMINS: a mail for each
    # page while the chat is down. What there is to say is on our own logger.
    given._has_been_logged = True  # type: ignore[attr-defined]
    return given
