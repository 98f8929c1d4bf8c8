"""``{% load prebind %}``, then ``{% prebind_converse %}`` at the end of every page's body."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urljoin

from django import template
from django.http import HttpRequest
from django.template import Context
from django.templatetags.static import PrefixNode, static
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from prebind.django import chat
from prebind.django.conf import ABSOLUTE, load

register = template.Library()
logger = logging.getLogger("prebind.django")


@register.simple_tag(takes_context=True)
def prebind_converse(context: Context) -> str:
    """The chat of the user who is logged in. For anybody else, and for a user without chat, what
    makes sure that the chat of the one before does not come back.

    The tag needs the request in the context. It takes the CSP nonce of Django 6 or django-csp if
    there is one. If anything is wrong it leaves nothing but a line in the log, and the page be.
    """
    try:
        request = context["request"]
        return _elements(converse_settings(request), _nonce(context, request))
    except Exception:
        logger.exception("the page has no chat")
        return ""


def converse_settings(request: HttpRequest) -> dict[str, Any] | None:
    """What ``converse.initialize`` is to be called with; ``None`` for nobody and for no chat."""
    user = request.user
    jid = chat.jid_of(user) if user.is_authenticated else None
    if jid is None:
        return None
    settings = load()
    return {
        "view_mode": "overlayed",
        **settings.converse,
        # No `websocket_url`: Converse would prefer it, and there is nothing to attach to there.
        "authentication": "prebind",
        "prebind_url": reverse("prebind:session"),
        "bosh_service_url": settings.url_for_browser,
        # The user's own: otherwise Converse takes up the session of whoever was here before.
        "jid": jid,
        "auto_login": True,
        "keepalive": True,
        "assets_path": assets(),
    }


def assets() -> str:
    """The address of Converse.js's files, ending in ``/``."""
    address = load().assets
    if address.startswith((*ABSOLUTE, "/")):
        return address
    return urljoin(PrefixNode.handle_simple("STATIC_URL"), address)


def _elements(settings: dict[str, Any] | None, nonce: str) -> str:
    """Elements without a line of script in them: data, and what is loaded by its address."""
    attribute = format_html(' nonce="{}"', nonce) if nonce else SafeString()
    converse = SafeString()
    if settings:
        # Converse looks for its own element to find its files.
        converse = format_html(
            '<link rel="stylesheet" href="{0}converse.min.css"{1}>\n'
            '<script type="module" src="{0}converse.min.js"{1}></script>\n',
            settings["assets_path"],
            attribute,
        )
    return format_html(
        '{}{}\n<script type="module" src="{}"{}></script>',
        converse,
        json_script(settings, "prebind-converse"),
        static("prebind/chat.js"),
        attribute,
    )


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
