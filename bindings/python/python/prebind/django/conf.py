"""The setting ``PREBIND``: every name and every default, once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings as site_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest

from prebind._prebind import web_given, web_misnamed
from prebind.django.callables import call

#: Whether the address of a page, a script or a server is written in full.
ABSOLUTE = ("http://", "https://")


class SettingsError(ImproperlyConfigured):
    """Something is wrong with ``PREBIND``. Its words are names and types, no values."""


Value = TypeVar("Value")


def checked(name: str, value: Value) -> Value:
    """What the setting ``name`` has, or what its function returned. Raises :class:`SettingsError`
    if it is unusable.
    """
    complaint = web_given(_GIVEN[name], name, value)
    if complaint:
        raise SettingsError(complaint)
    return value


#: What the core calls it.
_GIVEN = {
    "USER_JID": "jid",
    "CREDENTIALS": "credentials",
    "TENANT": "tenant",
    "EXTRAS": "extras",
    "RATE_LIMIT": "rate_limit",
}


@dataclass(frozen=True)
class Settings:
    """What ``PREBIND`` says; there the names are in capitals: ``PREBIND = {"URL": …}``."""

    #: The chat server's BOSH endpoint, as this site reaches it. Required.
    url: str = ""
    #: The domain of the users' JIDs. Required unless ``USER_JID`` is yours and does without.
    domain: str = ""
    #: The BOSH endpoint as the browser reaches it, in full or as a path of this site; else ``URL``.
    browser_url: str = ""

    #: Dotted path of ``f(request) -> Mapping``: those of ``TENANT_NAMES`` that are others for this
    #: request, for example where each host has a chat server of its own. Empty for none.
    tenant: str = ""

    #: Dotted path of ``f(user) -> str | None`` or ``f(user, request)``: the user's bare JID;
    #: ``None`` if they have no chat.
    user_jid: str = "prebind.django.users.username_at_domain"
    #: Dotted path of ``f(user, jid) -> Mapping`` or ``f(user, jid, request)``: keyword arguments of
    #: ``Client.prebind``.
    credentials: str = "prebind.django.credentials.password_field"
    #: Dotted path of ``f(request) -> bool``: whether somebody else acts as the user, who then has
    #: no chat. Empty if such requests are as good as the user's own.
    impersonated: str = "prebind.django.users.is_impersonated"
    #: For ``password_field``: the user's field with the chat password; dots lead further.
    password_field: str = "xmpp_password"  # noqa: S105 - a name
    #: For ``jwt`` and ``signed_token``: how many seconds a token is good for.
    token_seconds: int = 60
    #: For ``jwt``, which needs it: a JWK, PEM, or the secret that the chat server knows. A list of
    #: them while keys rotate, the newest first.
    jwt_key: str | Sequence[str] = field(default="", repr=False)
    #: For ``jwt``: the algorithm of a secret; a JWK or PEM has its own.
    jwt_algorithm: str = "HS256"
    #: For the functions of ``prebind.django.providers``: the argument of ``Client.prebind`` that
    #: gets the provider's token, ``"oauthbearer"`` or, for a server that takes it as a password,
    #: ``"token"``.
    provider_token: str = "oauthbearer"  # noqa: S105 - a name

    #: For ``prebind.django.chat_login_urls``: what proves that the chat server asks, 16 or more
    #: visible ASCII characters. A list while it changes.
    site_secret: str | Sequence[str] = field(default="", repr=False)
    #: The addresses and networks (``"10.0.0.0/24"``) from which the chat server asks; empty if it
    #: is on this machine.
    chat_server_addresses: str | Sequence[str] = ()
    #: Dotted path of ``f(request) -> str``: the address of the machine that asks. Empty for
    #: ``REMOTE_ADDR``.
    client_address: str = ""
    #: Dotted path of ``f(name, jid) -> bool`` or ``f(name, jid, request)``: whether there is a user
    #: with this JID; the name is what the JID has before the ``@``, without escapes.
    user_exists: str = "prebind.django.users.is_user"

    #: How many sessions a user may open in how many seconds; ``None`` for any number. A user opens
    #: one with each tab, and while the chat server restarts one every few seconds.
    rate_limit: tuple[int, int] | None = (30, 60)
    #: The cache that counts them, and keeps what was learned of the chat server: a name in
    #: ``CACHES``. It should be one that all processes share.
    cache: str = "default"

    #: Where Converse.js's ``dist`` is, ending in ``/``: an address, or relative to ``STATIC_URL``.
    #: Empty if the pages load Converse.js, or another client, themselves.
    assets: str = "converse/"
    #: Further settings of Converse.js. What a prebound session depends on cannot be changed here.
    converse: Mapping[str, Any] = field(default_factory=dict)
    #: What the browser is answered besides JID, SID and RID, for clients that want more:
    #: ``"last_rid"``, ``"wait"``, ``"inactivity"``.
    extras: Sequence[str] = ()
    #: Further options of ``prebind.Client``, for example ``{"deadline": 3.0}``.
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def url_for_browser(self) -> str:
        """``BROWSER_URL``, or ``URL`` if there is none."""
        return self.browser_url or self.url

    @property
    def converse_json(self) -> str:
        """``CONVERSE`` as JSON. Raises ``TypeError`` or ``ValueError`` if it is none."""
        return json.dumps(self.converse, cls=DjangoJSONEncoder, allow_nan=False)


_KINDS = {each.name.upper(): str(each.type) for each in fields(Settings)}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "str | Sequence[str]": (str, list, tuple),
    "int": int,
    "Mapping[str, Any]": Mapping,
}

#: The names that ``PREBIND`` may have.
NAMES = tuple(_KINDS)

#: The names that may be others for each request.
TENANT_NAMES = (
    "URL",
    "DOMAIN",
    "BROWSER_URL",
    "JWT_KEY",
    "JWT_ALGORITHM",
    "ASSETS",
    "CONVERSE",
    "OPTIONS",
)


@lru_cache(maxsize=1)
def load() -> Settings:
    """What the site's ``PREBIND`` says, with the defaults for what it does not say.

    Raises :class:`SettingsError` if it is missing, not a ``dict``,
    has a name that does not exist or a value of another type. Whether the values are any good, the
    system checks tell.
    """
    given = getattr(site_settings, "PREBIND", None)
    if not isinstance(given, Mapping):
        raise SettingsError("the setting is missing or not a dict")
    _check(given, NAMES, "PREBIND")
    # Not when the session is open already, which nobody would take over.
    checked("EXTRAS", given.get("EXTRAS", ()))
    return Settings(**_fields(given))


def load_for(request: HttpRequest | None) -> Settings:
    """What holds for this request: the site's ``PREBIND``, and what its ``TENANT`` says instead.

    Raises :class:`SettingsError` as :func:`load` does, and what ``TENANT`` raises.
    """
    settings = load()
    if request is None or not settings.tenant:
        return settings
    known: Settings | None = getattr(request, "_prebind_settings", None)
    if known is None:
        given = checked("TENANT", call(settings.tenant, request=request))
        _check(given, TENANT_NAMES, "TENANT")
        known = replace(settings, **_fields(given))
        # Asked once for each request.
        request._prebind_settings = known  # type: ignore[attr-defined]
    return known


def _check(given: Mapping[str, Any], names: Sequence[str], owner: str) -> None:
    for name, value in given.items():
        misnamed = web_misnamed(owner, "setting", str(name), names)
        if misnamed:
            raise SettingsError(misnamed)
        if not isinstance(value, _TYPES.get(_KINDS[name], object)):
            raise SettingsError(f"{owner}: {name} is not of the type {_KINDS[name]}")


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in given.items()}
