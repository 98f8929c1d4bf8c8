"""``{% load prebind %}``, then ``{% prebind_converse %}`` at the end of every page's body."""

from __future__ import annotations

import logging
from urllib.parse import urljoin

from django import template
from django.http import HttpRequest
from django.template import Context
from django.templatetags.static import PrefixNode, static
from django.urls import reverse
from django.utils.safestring import SafeString

from prebind._prebind import web_page
from prebind.django import chat
from prebind.django.conf import ABSOLUTE, load_for
from prebind.django.place import described

register = template.Library()
logger = logging.getLogger("prebind.django")


@register.simple_tag(takes_context=True)
def prebind_converse(context: Context) -> str:
    """The chat of the user who is logged in. For everyone else, and for a user without chat, the
    elements make sure that the chat of the user before does not come back.

    The tag needs the request in the context. It takes the CSP nonce of Django 6 or django-csp if
    there is one. If something is wrong, the page is that of a user without chat, and one line in
    the log says why.
    """
    try:
        request = context["request"]
        endpoint, script = reverse("prebind:session"), static("prebind/chat.js")
        nonce = _nonce(context, request)
        try:
            html = _chat_of(request, endpoint, script, nonce)
        except Exception as error:
            _log(error)
            html = web_page("", endpoint, "", script, "", nonce, "")
        return SafeString(html)
    except Exception as error:
        _log(error)
        return ""


def _chat_of(request: HttpRequest, endpoint: str, script: str, nonce: str) -> str:
    settings, user = load_for(request), request.user
    jid = (chat.jid_of(user, request) if user.is_authenticated else None) or ""
    bosh_url, assets = settings.url_for_browser, _assets(settings.assets)
    return web_page(jid, endpoint, bosh_url, script, assets, nonce, settings.converse_json)


def _log(error: Exception) -> None:
    logger.error("the page has no chat: %s", described(error))


def _assets(address: str) -> str:
    """The address of Converse.js's files, ending in ``/``; empty if the site loads them itself."""
    if not address or address.startswith((*ABSOLUTE, "/")):
        return address
    return urljoin(PrefixNode.handle_simple("STATIC_URL"), address)


def _nonce(context: Context, request: HttpRequest) -> str:
    """The nonce of the page's Content-Security-Policy, or nothing."""
    # Compared with None, for it is lazy: it is made, and put in the header, when somebody reads it.
    for nonce in (
        context.get("csp_nonce"),  # Django 6, with its context processor
        getattr(request, "csp_nonce", None),  # django-csp
        getattr(request, "_csp_nonce", None),  # Django 6, without
    ):
        if nonce is not None:
            return str(nonce)
    return ""
