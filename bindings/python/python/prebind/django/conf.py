"""The setting ``PREBIND``: every name and every default, once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django.conf import settings as site_settings
from django.core.exceptions import ImproperlyConfigured

#: Whether the address of a page, a script or a server is written in full.
ABSOLUTE = ("http://", "https://")


@dataclass(frozen=True)
class Settings:
    """What ``PREBIND`` says; there the names are in capitals: ``PREBIND = {"URL": …}``."""

    #: The chat server's BOSH endpoint, as this site reaches it. Required.
    url: str = ""
    #: The domain of the users' JIDs. Required unless ``USER_JID`` is yours and does without.
    domain: str = ""
    #: The BOSH endpoint as the browser reaches it, in full or as a path of this site; else ``URL``.
    browser_url: str = ""

    #: Dotted path of ``f(user) -> str | None``: the user's bare JID; ``None`` if they have no chat.
    user_jid: str = "prebind.django.users.username_at_domain"
    #: Dotted path of ``f(user, jid) -> Mapping``: keyword arguments of ``Client.prebind``.
    credentials: str = "prebind.django.credentials.password_field"
    #: For ``password_field``: the user's field with the chat password; dots lead further.
    password_field: str = "xmpp_password"  # noqa: S105 - a name
    #: For ``jwt`` and ``signed_token``: how many seconds a token is good for.
    token_seconds: int = 60
    #: For ``jwt``, which needs it: the key that the chat server knows, or its private counterpart.
    jwt_key: str = field(default="", repr=False)
    #: For ``jwt``: the algorithm, by its JWA name.
    jwt_algorithm: str = "HS256"

    #: How many sessions a user may open in how many seconds; ``None`` for any number. A user opens
    #: one with each tab, and while the chat server restarts one every few seconds.
    rate_limit: tuple[int, int] | None = (30, 60)
    #: The cache that counts them, and keeps what was learned of the chat server: a name in
    #: ``CACHES``. It should be one that all processes share.
    cache: str = "default"

    #: Where Converse.js's ``dist`` is, ending in ``/``: an address, or relative to ``STATIC_URL``.
    assets: str = "converse/"
    #: Further settings of Converse.js. What a prebound session depends on cannot be changed here.
    converse: Mapping[str, Any] = field(default_factory=dict)
    #: Further options of ``prebind.Client``, for example ``{"deadline": 3.0}``.
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def url_for_browser(self) -> str:
        """``BROWSER_URL``, or ``URL`` if there is none."""
        return self.browser_url or self.url


_KINDS = {each.name.upper(): str(each.type) for each in fields(Settings)}
_TYPES = {"str": str, "int": int, "Mapping[str, Any]": Mapping}

#: The names that ``PREBIND`` may have.
NAMES = tuple(_KINDS)


@lru_cache(maxsize=1)
def load() -> Settings:
    """What the site's ``PREBIND`` says, with the defaults for what it does not say.

    Raises :class:`~django.core.exceptions.ImproperlyConfigured` if it is missing, not a ``dict``,
    has a name that does not exist or a value of another type. Whether the values are any good, the
    system checks tell.
    """
    given = getattr(site_settings, "PREBIND", None)
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured("the setting is missing or not a dict")
    for name, value in given.items():
        if name not in NAMES:
            close = difflib.get_close_matches(str(name), NAMES, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            raise ImproperlyConfigured(f"there is no {name!r}{meant}")
        if not isinstance(value, _TYPES.get(_KINDS[name], object)):
            raise ImproperlyConfigured(f"{name} is not of the type {_KINDS[name]}")
    return Settings(**{name.lower(): value for name, value in given.items()})
