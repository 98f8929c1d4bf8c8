"""The strictest Content-Security-Policy that Converse.js works under, in the corner of a page.

Django 6 has a middleware for it; this one is for every Django.
"""

import secrets
from urllib.parse import urlsplit

from website.environment import BOSH_URL


def content_security_policy(get_response):
    """Gives each page a nonce for its scripts, as ``request.csp_nonce``."""
    chat = urlsplit(BOSH_URL)

    def middleware(request):
        request.csp_nonce = secrets.token_urlsafe()
        response = get_response(request)
        response["Content-Security-Policy"] = "; ".join(
            [
                "default-src 'none'",
                # WebAssembly is for OMEMO, which encrypts from end to end.
                f"script-src 'nonce-{request.csp_nonce}' 'wasm-unsafe-eval'",
                f"connect-src 'self' {chat.scheme}://{chat.netloc}",
                # Converse.js positions its windows with style attributes.
                "style-src 'self' 'unsafe-inline'",
                # People's pictures come from the chat, as data.
                "img-src 'self' data:",
                "font-src 'self'",
                "media-src 'self'",
                "manifest-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ]
        )
        return response

    return middleware
