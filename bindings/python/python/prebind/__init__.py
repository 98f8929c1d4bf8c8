"""Opens an authenticated XMPP session over BOSH on behalf of a user that a web site has logged in.

session = prebind.prebind("https://chat.example.org/http-bind", "alice@example.org", "secret")
session.to_json()  # {"jid": …, "sid": …, "rid": …}: what a browser client attaches with
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from prebind._client import Client
from prebind._client import Hidden as _Hidden
from prebind._prebind import __version__, jid_from_user
from prebind._types import (
    Accounts,
    Credentials,
    Jwt,
    Options,
    Pem,
    ScramKeys,
    ScramSaltedPassword,
    Seconds,
    ServerSide,
    Session,
    XOAuth2Issuer,
)
from prebind.errors import (
    AuthError,
    BindError,
    ConfigError,
    ConnectError,
    HttpError,
    InternalError,
    MechanismError,
    PrebindError,
    ProtocolError,
    ServerUnverifiedError,
    TerminatedError,
    TimeoutError,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "Accounts",
    "AuthError",
    "BindError",
    "Client",
    "ConfigError",
    "ConnectError",
    "Credentials",
    "HttpError",
    "InternalError",
    "Jwt",
    "MechanismError",
    "Options",
    "Pem",
    "PrebindError",
    "ProtocolError",
    "ScramKeys",
    "ScramSaltedPassword",
    "Seconds",
    "ServerSide",
    "ServerUnverifiedError",
    "Session",
    "TerminatedError",
    "TimeoutError",
    "XOAuth2Issuer",
    "__version__",
    "aprebind",
    "jid_from_user",
    "prebind",
]

# URLs come from settings and are few; a caller that makes them up must not fill the memory.
_client = lru_cache(maxsize=64)(Client)


def prebind(
    url: str, jid: str, password: str | None = None, **credentials: Unpack[Credentials]
) -> Session:
    """Opens a session, on a client with the default options that the process keeps for the URL.

    See `Client.prebind`.
    """
    given = _Hidden({"password": password, **credentials})
    del password, credentials
    return _client(url).prebind(jid, **given.take())


async def aprebind(
    url: str, jid: str, password: str | None = None, **credentials: Unpack[Credentials]
) -> Session:
    """`prebind` off the event loop. See `Client.aprebind`."""
    given = _Hidden({"password": password, **credentials})
    del password, credentials
    return await _client(url).aprebind(jid, **given.take())
