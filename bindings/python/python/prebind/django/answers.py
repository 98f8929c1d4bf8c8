"""The JSON that the browser gets: a session, or the kind of failure and what a retry may do."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from django.utils.cache import patch_vary_headers


def granted(session: dict[str, Any]) -> JsonResponse:
    """200 with exactly ``jid``, ``sid`` and ``rid``."""
    return _answer(200, session)


def refused(
    status: int, kind: str, retry: str = "no", headers: dict[str, str] | None = None
) -> JsonResponse:
    """Any other status. ``kind`` and ``retry`` are the browser's business, and nothing else is."""
    response = _answer(status, {"kind": kind, "retry": retry})
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def _answer(status: int, content: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(content, status=status)
    # `private` is for Django's own cache middleware, which does not know `no-store`.
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(response, ["Cookie"])
    # Django would log every 503 as an error of the site and mail it to the ADMINS: a mail for each
    # page while the chat is down. What there is to say is on our own logger.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
