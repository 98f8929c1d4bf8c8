"""What the browser asks for a session, with ``GET`` or ``POST``.

| status | kind | |
|---|---|---|
| 200 | | a fresh session, each time: ``{"jid", "sid", "rid"}`` |
| 400 | ``Page`` | ``?page=`` is not up to 64 letters, digits and hyphens |
| 401 | ``NotLoggedIn`` | never a redirect to a login page |
| 403 | ``CrossOrigin``, ``Csrf`` | no page of this site asks |
| 403 | ``NoChat`` | ``USER_JID`` says that the user has none |
| 405 | ``Method`` | |
| 429 | ``RateLimit`` | with ``Retry-After``, in seconds |
| 503 | an error's kind | no chat at the moment; the reason is logged on ``prebind.django`` |
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, JsonResponse

import prebind
from prebind.django import answers, chat, guard, memory

logger = logging.getLogger("prebind.django")


View = TypeVar("View", bound=Callable[..., Any])


def _bare(view: View) -> View:
    """A view that Django neither checks for a CSRF token, for it does so itself and answers with
    JSON, nor runs in a transaction, for that would stay open as long as the chat server takes.
    """
    # `csrf_exempt` of Django 4.2 would hide that a view is async.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return transaction.non_atomic_requests(view)


@_bare
def session(request: HttpRequest) -> JsonResponse:
    """A session for the user who is logged in."""
    start = time.monotonic()
    admitted = _admitted(request)
    if isinstance(admitted, JsonResponse):
        return admitted
    client, account = admitted
    try:
        opened = client.prebind(account.jid, **account.credentials)
    except Exception as error:
        return _failed(request, error)
    finally:
        # A failure teaches too: what no longer holds must not lead the next process astray.
        memory.keep(client)
    return _opened(request, opened, start)


@_bare
async def asession(request: HttpRequest) -> JsonResponse:
    """The same for ASGI: nothing waits while the chat server is asked."""
    start = time.monotonic()
    admitted = await sync_to_async(_admitted)(request)
    if isinstance(admitted, JsonResponse):
        return admitted
    client, account = admitted
    try:
        opened = await client.aprebind(account.jid, **account.credentials)
    except Exception as error:
        return _failed(request, error)
    finally:
        if memory.has_news(client):
            await sync_to_async(memory.keep)(client)
    return _opened(request, opened, start)


def _admitted(request: HttpRequest) -> tuple[prebind.Client, chat.Account] | JsonResponse:
    """What to log the user in with, or the answer if that is not to be done."""
    try:
        refusal = guard.refusal(request)
        if refusal:
            return refusal
        account = chat.account_of(request.user, guard.page(request))
        if account is None:
            return answers.refused(403, "NoChat")
        # Here, where a cache may be waited for.
        return chat.client(), account
    except SuspiciousOperation:
        raise
    except Exception as error:
        return _failed(request, error)


def _opened(request: HttpRequest, opened: prebind.Session, start: float) -> JsonResponse:
    milliseconds = (time.monotonic() - start) * 1000
    logger.info("user %s: %s, %d ms", _name(request), opened.mechanism, milliseconds)
    return answers.granted(opened.as_dict())


def _failed(request: HttpRequest, error: Exception) -> JsonResponse:
    """A failure is the chat's alone: it is logged, and the site goes on."""
    if isinstance(error, prebind.PrebindError):
        logger.warning("user %s: no chat: %s: %s", _name(request), error.kind, error)
        return answers.refused(503, error.kind, error.retry)
    # The settings, the site's own callables, the cache: somebody wants to see the line of code.
    logger.exception("user %s: no chat: %s", _name(request), type(error).__name__)
    return answers.refused(503, "Internal")


def _name(request: HttpRequest) -> Any:
    """The user's key, for the log."""
    return getattr(getattr(request, "user", None), "pk", None)
