"""What proves to the chat server who the user is: what ``PREBIND["CREDENTIALS"]`` may name.

Each takes the user and their JID and returns keyword arguments of ``Client.prebind``, for example
``{"password": …}``. Write your own in the same form; it is called once for each session, with the
request if it has a parameter ``request``. What it raises is logged and becomes a page without chat;
:class:`SignInAgain` asks the user to sign in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as site_settings
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from prebind import Jwt
from prebind.django.conf import Settings, SettingsError, load, load_for

#: Keeps our tokens apart from everything else that the site signs with its key.
_SALT = "prebind.django.signed_token"


class SignInAgain(Exception):  # noqa: N818 - it is no error, but an answer
    """The user's sign-in at the identity provider has expired, and the site cannot renew it.

    The page then shows what the site has in its element ``data-prebind-sign-in``.
    """


def password_field(user: Any, _jid: str) -> Mapping[str, str]:
    """The password in the field ``PASSWORD_FIELD`` of the user.

    Keep it encrypted there: the chat server's proof needs the password itself, no hash of it. The
    password is best one that nobody knows, which the site chose when it made the chat account.

    Raises ``SettingsError`` if the field does not exist or is empty.
    """
    path = load().password_field
    value = user
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except (AttributeError, ObjectDoesNotExist):
            raise SettingsError(f"the user has no {path}") from None
    if not value:
        raise SettingsError(f"the user's {path} is empty")
    return {"password": str(value)}


def jwt(_user: Any, _jid: str, request: HttpRequest | None = None) -> Mapping[str, Jwt]:
    """What signs a JSON Web Token for ejabberd or MongooseIM, valid for ``TOKEN_SECONDS``.

    Signed with ``JWT_KEY``, or while keys rotate with the first key of that list; the chat server
    may still know the second one. Raises ``SettingsError`` if the tenant of the request has no key.
    """
    settings = load_for(request)
    if not settings.jwt_key:
        raise SettingsError("JWT_KEY is missing")
    return {"jwt": signer(settings)}


def signer(settings: Settings) -> Jwt:
    """What signs with ``JWT_KEY``."""
    return Jwt(settings.jwt_key, settings.jwt_algorithm, settings.token_seconds)


def signed_token(_user: Any, jid: str) -> Mapping[str, str]:
    """A token signed with ``SECRET_KEY``, which the chat server takes as the password and has this
    site verify, by ``prebind.django.chat_login_urls``. It is good for one login, and for no longer
    than ``TOKEN_SECONDS``.
    """
    return {"token": own_signer().issue(jid)}


def is_signed_token(jid: str, token: str) -> bool:
    """Whether :func:`signed_token` made this token for this bare JID, and it has not expired.

    For an endpoint of your own. It does not know whether the token was used before;
    ``prebind.django.chat_login_urls`` does.
    """
    return own_signer().refusal(jid, token) is None


def own_signer() -> Jwt:
    """What signs with ``SECRET_KEY``, and verifies with ``SECRET_KEY_FALLBACKS``, too."""
    secrets = [site_settings.SECRET_KEY, *site_settings.SECRET_KEY_FALLBACKS]
    keys = [salted_hmac(_SALT, "", secret, algorithm="sha256").hexdigest() for secret in secrets]
    return Jwt(keys, "HS256", load().token_seconds, _SALT, once=True)
