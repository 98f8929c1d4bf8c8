"""What can go wrong: one class for each kind of error, all under `PrebindError`.

The message names the cause and the remedy in one sentence. Neither it nor any attribute holds a
password, a token, a SID or a RID.
"""

from __future__ import annotations

import builtins
from typing import Any, ClassVar

__all__ = [
    "AuthError",
    "BindError",
    "ConfigError",
    "ConnectError",
    "HttpError",
    "InternalError",
    "MechanismError",
    "PrebindError",
    "ProtocolError",
    "ServerUnverifiedError",
    "TerminatedError",
    "TimeoutError",
]


class PrebindError(Exception):
    """Why there is no session."""

    kind: ClassVar[str] = "Internal"
    """The name of the kind, the same in every language: the class's without `Error`."""
    stage: str = "configure"
    """Where in the exchange: `configure` (nothing was sent), `create`, `features`,
    `authenticate`, `restart`, `bind`, `session` or `terminate`."""
    condition: str | None = None
    """The condition that the server named, for example `not-authorized`."""
    text: str | None = None
    """The server's own words, at most 200 characters, without control characters."""
    retry: str = "no"
    """What may be done next: `no`, `after-config-change`, `fresh-session` (at once) or `later`."""
    retry_after: int | None = None
    """How many seconds to wait before the next call: as the server asks (`Retry-After`), or until
    calls that hold this one up have ended."""

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.__dict__.update(details)


class ConfigError(PrebindError):
    """A bad URL, JID, credential or option; nothing was sent."""

    kind = "Config"
    retry = "after-config-change"
    field: str
    """The option or argument that is wrong."""


class ConnectError(PrebindError):
    """No connection: name lookup, TCP, TLS, proxy; or it broke."""

    kind = "Connect"
    phase: str
    """What the connection was doing: `dns`, `tcp`, `tls`, `headers` or `body`."""


class TimeoutError(PrebindError, builtins.TimeoutError):  # noqa: A001
    """The time was over, or calls fail at once after repeated failures to connect."""

    kind = "Timeout"
    phase: str
    """What was being waited for: `dns`, `tcp`, `tls`, `headers`, `body`, `derive`;
    or `queue`, `fail-fast`."""


class HttpError(PrebindError):
    """The answer is not BOSH: another status, a web page, a redirect."""

    kind = "Http"
    status: int
    """The HTTP status."""
    location: str | None
    """Where a redirect leads: scheme, host and path. Redirects are never followed."""


class ProtocolError(PrebindError):
    """The answer is not XML, or not what XEP-0124 and XEP-0206 say."""

    kind = "Protocol"
    expected: str
    """What should have come."""


class TerminatedError(PrebindError):
    """The server ended the session; see `condition`."""

    kind = "Terminated"


class MechanismError(PrebindError):
    """No SASL mechanism that both sides accept."""

    kind = "Mechanism"
    offered: list[str]
    """What the server offers."""
    allowed: list[str]
    """What credentials and options allow."""


class AuthError(PrebindError):
    """The server refused the login; see `condition`."""

    kind = "Auth"


class ServerUnverifiedError(PrebindError):
    """The server did not prove that it knows the account's secret, or was tampered with."""

    kind = "ServerUnverified"
    check: str
    """Which check failed: `nonce`, `salt`, `iterations`, `signature`, `downgrade`, `message`."""


class BindError(PrebindError):
    """The server refused to bind a resource, or bound a JID of somebody else."""

    kind = "Bind"


class InternalError(PrebindError):
    """A defect of this library."""

    kind = "Internal"
