"""What the browser asks for a session. Which request gets one, and what each outcome is answered
with, the core decides: bindings/web/README.md has the table.
"""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.db import connections
from django.http import HttpRequest, HttpResponse

import prebind
from prebind import _prebind as core
from prebind.django import chat, guard, memory, workers
from prebind.django.answers import response
from prebind.django.bare import bare
from prebind.django.conf import load, load_for
from prebind.django.credentials import SignInAgain
from prebind.django.place import described

logger = logging.getLogger("prebind.django")


@bare
def session(request: HttpRequest) -> HttpResponse:
    """A session for the user who is logged in."""
    start = time.monotonic()
    admitted = _admitted(request)
    if isinstance(admitted, HttpResponse):
        return admitted
    client, account, asked = admitted
    try:
        opened = workers.aside(partial(client.prebind, account.jid, **account.credentials))
    except Exception as error:
        return _failed(request, error)
    finally:
        # A failure teaches too: what no longer holds must not lead the next process astray.
        memory.keep(client, load_for(request).url)
    return _opened(request, asked, opened, start)


@bare
async def asession(request: HttpRequest) -> HttpResponse:
    """The same for ASGI: nothing waits while the chat server is asked."""
    start = time.monotonic()
    admitted = await sync_to_async(_admitted)(request)
    if isinstance(admitted, HttpResponse):
        return admitted
    client, account, asked = admitted
    try:
        opened = await client.aprebind(account.jid, **account.credentials)
    except Exception as error:
        return _failed(request, error)
    finally:
        url = load_for(request).url
        if memory.has_news(client, url):
            await sync_to_async(memory.keep)(client, url)
    return _opened(request, asked, opened, start)


Admitted = tuple[prebind.Client, chat.Account, core.WebRequest]


def _admitted(request: HttpRequest) -> Admitted | HttpResponse:
    """What to log the user in with, and the request, or the answer if that is not to be done."""
    try:
        user = request.user
        asked = guard.asked(request)
        refusal = asked.refusal(user.is_authenticated and user.is_active)
        if refusal:
            return response(refusal)
        jid = chat.jid_of(user, request) or ""
        refusal = asked.refusal_of(jid)
        if refusal:
            return response(refusal)
        wait = guard.seconds_to_wait(jid)
        if wait:
            return response(core.web_rate_limited(wait))
        complaint = asked.complaint(load_for(request).url_for_browser, "BROWSER_URL")
        if complaint:
            logger.warning("user %s: %s", _name(request), complaint)
        # Here, where a cache may be waited for.
        client = chat.client(workers.of(request), request)
        account = chat.proven(user, jid, asked.full_jid(jid), request)
        _release_databases()
        return client, account, asked
    except SuspiciousOperation:
        raise
    except Exception as error:
        return _failed(request, error)


def _release_databases() -> None:
    """Gives the connections of this thread back, so that logins that wait for the chat server do
    not take those that the site's other pages wait for.
    """
    for connection in connections.all(initialized_only=True):
        # Somebody else's transaction, such as that of a test.
        if not connection.in_atomic_block:
            connection.close()


def _opened(
    request: HttpRequest, asked: core.WebRequest, opened: prebind.Session, start: float
) -> HttpResponse:
    milliseconds = (time.monotonic() - start) * 1000
    logger.info("user %s: %s, %d ms", _name(request), opened.mechanism, milliseconds)
    given = response(core.web_granted(json.dumps(opened.as_dict(*load().extras))))
    for cookie in asked.cookies(load_for(request).url_for_browser, opened.cookies):
        given.cookies.load(cookie)
    return given


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """A failure is the chat's alone: it is logged, and the site goes on."""
    if isinstance(error, SignInAgain):
        logger.info("user %s: no chat: the sign-in at the provider has expired", _name(request))
        return response(core.web_sign_in_again())
    if isinstance(error, prebind.PrebindError):
        logger.warning("user %s: no chat: %s: %s", _name(request), error.kind, error)
        return response(core.web_failed(error.kind, error.retry, error.retry_after))
    logger.error("user %s: no chat: %s", _name(request), described(error))
    return response(core.web_broken())


def _name(request: HttpRequest) -> Any:
    """The user's key, for the log."""
    return getattr(getattr(request, "user", None), "pk", None)
