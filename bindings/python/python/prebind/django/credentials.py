"""What proves to the chat server who the user is: what ``PREBIND["CREDENTIALS"]`` may name.

Each takes the user and their JID and returns keyword arguments of ``Client.prebind``, for example
``{"password": …}``. Write your own in the same form; it is called once for each session, with the
request if it has a parameter ``request``, and what it raises is logged and becomes a page without
chat.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest

from prebind.django.conf import SettingsError, load, load_for

#: Keeps our tokens apart from everything else that the site signs with its key.
_SALT = "prebind.django.signed_token"


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


def jwt(_user: Any, jid: str, request: HttpRequest | None = None) -> Mapping[str, str]:
    """A JSON Web Token for ejabberd or MongooseIM, good for ``TOKEN_SECONDS``.

    Signed with ``JWT_KEY`` by ``JWT_ALGORITHM``; its claims are ``jid``, ``sub`` (the part of the
    JID before the ``@``), ``iat`` and ``exp``. Needs the extra ``prebind[jwt]``. Raises what PyJWT
    raises for a key that does not fit the algorithm.
    """
    import jwt as pyjwt  # noqa: PLC0415 - only who uses it has it

    settings = load_for(request)
    now = int(time.time())
    name, _, _ = jid.partition("@")
    claims = {"jid": jid, "sub": name, "iat": now, "exp": now + settings.token_seconds}
    return {"token": pyjwt.encode(claims, settings.jwt_key, algorithm=settings.jwt_algorithm)}


def signed_token(_user: Any, jid: str) -> Mapping[str, str]:
    """A token signed with ``SECRET_KEY``, which the chat server takes as the password and has the
    site verify: see :func:`is_signed_token`.
    """
    return {"token": signing.TimestampSigner(salt=_SALT).sign(jid)}


def is_signed_token(jid: str, token: str) -> bool:
    """Whether :func:`signed_token` made this token for this bare JID in the last ``TOKEN_SECONDS``.

    Answer with it what the chat server asks (ejabberd's ``extauth``, Prosody's and MongooseIM's
    ``auth_http``), at an address that only the chat server reaches.
    """
    try:
        signed = signing.TimestampSigner(salt=_SALT).unsign(token, max_age=load().token_seconds)
    except signing.BadSignature:
        return False
    return signed == jid
