"""What the chat server asks this site: whether a token is good, and whether a user exists. What is
asked, who may ask and what is answered, the core decides: bindings/web/README.md has the rules.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.http import HttpRequest, HttpResponse

from prebind import _prebind as core
from prebind._types import plain
from prebind.django import cache
from prebind.django.answers import response
from prebind.django.bare import bare
from prebind.django.callables import call
from prebind.django.conf import Settings, SettingsError, load
from prebind.django.credentials import own_signer
from prebind.django.place import described

logger = logging.getLogger("prebind.django")


@bare
def chat_login(request: HttpRequest) -> HttpResponse:
    """The answer to the chat server."""
    try:
        asked = _asked(request)
    except Exception as error:
        logger.error("the chat server gets no answer: %s", described(error))
        return response(core.web_broken())
    try:
        is_yes = _found_out(asked, request)
    except Exception as error:
        logger.error("the chat server gets no answer: %s", described(error))
        return response(asked.broken())
    counter = asked.counter(is_yes)
    count = cache.count("how many questions were refused", *counter) if counter else None
    complaint = asked.complaint(is_yes, count)
    if complaint:
        level, text = complaint
        logger.log(logging.WARNING if level == "warning" else logging.INFO, text)
    return response(asked.answer(is_yes, count))


def unasked(settings: Settings) -> None:
    """Raises :class:`SettingsError` or ``ConfigError`` if no question could be answered."""
    nothing: Any = dict.fromkeys(("method", "path", "query", "address"), "")
    core.WebAsked(_given(settings), **nothing, headers={}, body=b"", now=0)


def _given(settings: Settings) -> dict[str, Any]:
    if not settings.site_secret:
        raise SettingsError("SITE_SECRET is missing")
    given = {
        "secret": settings.site_secret,
        "addresses": settings.chat_server_addresses or None,
        "jwt": own_signer()._asdict(),
    }
    return {name: plain(value) for name, value in given.items()}


def _asked(request: HttpRequest) -> core.WebAsked:
    settings, headers = load(), request.headers
    return core.WebAsked(
        _given(settings),
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        address=_address(settings, request),
        headers={name: headers[name] for name in core.WebAsked.HEADERS if name in headers},
        body=request.read(core.WebAsked.MAX_BODY + 1),
        now=int(time.time()),
    )


def _address(settings: Settings, request: HttpRequest) -> str:
    if settings.client_address:
        return str(call(settings.client_address, request=request))
    return str(request.META.get("REMOTE_ADDR", ""))


def _found_out(asked: core.WebAsked, request: HttpRequest) -> bool:
    """What is to be found out for the answer. Raises what ``USER_EXISTS`` raises."""
    if asked.entry:
        return cache.is_new("whether a token was used before", *asked.entry)
    if asked.user:
        return bool(call(load().user_exists, *asked.user, request=request))
    return asked.next == "accept"
