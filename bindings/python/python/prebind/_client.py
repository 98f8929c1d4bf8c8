"""One chat service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prebind import _prebind
from prebind._types import ScramKeys, ScramSaltedPassword, Session
from prebind.errors import ConfigError, PrebindError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prebind._types import Credentials, Options, Pem


class Client:
    """One chat service: its address, its trust, its deadlines and the connections to it.

    Make one for the life of the process, before a fork or after it, and share it between threads.
    Nothing is sent until it is used. The options are those of `prebind.Options`; the ones that are
    not given have the library's defaults.

    Raises `ConfigError` if the URL or an option has a value that cannot work.
    """

    def __init__(self, url: str, **options: Unpack[Options]) -> None:
        self._client = _prebind.Client(_config(url, options))

    def prebind(
        self,
        jid: str,
        password: str | None = None,
        *,
        token: str | None = None,
        oauthbearer: str | None = None,
        x_oauth2: str | None = None,
        anonymous: bool = False,
        external: bool = False,
        mechanism: str | None = None,
        initial_response: str | None = None,
        scram_keys: ScramKeys | None = None,
        scram_salted_password: ScramSaltedPassword | None = None,
        authcid: str | None = None,
        authzid: str | None = None,
    ) -> Session:
        """Opens an authenticated session for an account. Other threads run meanwhile.

        A resource in the JID is asked for; without one the server makes one. Exactly one of these
        proves the right to the account:

        - `password`: by the strongest of SCRAM-SHA-512, -256, -1 and PLAIN that both sides know;
        - `token`: what the server takes as a password, a JWT or a one-time token that the site
          verifies when the server asks; always by PLAIN;
        - `oauthbearer`, `x_oauth2`: an OAuth 2.0 token, by the mechanism of that name;
        - `anonymous=True`: no account; the JID is only a domain;
        - `external=True`: a client certificate, or a header or cookie that the server looks at;
        - `scram_keys`, `scram_salted_password`: what a SCRAM store keeps, instead of the password;
        - `mechanism` with its `initial_response`: any mechanism that ends after one message.

        `authcid` logs in under another user name than the JID's, `authzid` is the identity to act
        as; some servers trust it more than they should.

        Raises a `PrebindError`, or what a signal handler raises meanwhile, such as
        `KeyboardInterrupt`. No session is left behind on the server then.
        """
        is_raw = mechanism is not None or initial_response is not None
        raw = (mechanism or "", initial_response or "") if is_raw else None
        proofs: dict[str, object] = {
            "password": password,
            "token": token,
            "oauthbearer": oauthbearer,
            "x_oauth2": x_oauth2,
            "anonymous": anonymous or None,
            "external": external or None,
            "scram_keys": scram_keys,
            "scram_salted_password": scram_salted_password,
            "mechanism": raw,
        }
        given = [(name, value) for name, value in proofs.items() if value is not None]
        if len(given) != 1:
            raise ConfigError(
                f"credentials: one of {', '.join(proofs)} is needed, and only one",
                field="credentials",
            )
        [(name, value)] = given
        return Session(*self._client.prebind(jid, name, value, (authcid, authzid)))

    def profile(self) -> str:
        """What this client learned of the server, for the option `profile` of another: a short text
        without anything secret, which stays the same while nothing new is learned. Worth keeping in
        a cache where processes are short-lived or many."""
        return self._client.profile()

    def terminate(
        self, session: Session | None = None, *, sid: str | None = None, rid: int | None = None
    ) -> None:
        """Ends a session that no browser has attached to yet: itself, or by its SID and next RID.

        Raises `TerminatedError` with `item-not-found` if the server does not know it, or not with
        this RID; the errors of a failed connection.
        """
        if session is not None and sid is None and rid is None:
            if session._handle is not None:
                return self._client.terminate(session._handle)
            sid, rid = session.sid, session.rid
        elif session is not None or sid is None or rid is None:
            raise TypeError("terminate() takes a session, or sid and rid")
        return self._client.terminate_by(sid, rid)

    async def aprebind(
        self, jid: str, password: str | None = None, **credentials: Unpack[Credentials]
    ) -> Session:
        """`prebind` on a thread of the event loop's default executor.

        When the task is cancelled, the call goes on in its thread, for as long as `deadline` at
        most, and ends the session that comes of it.
        """
        opened: list[Session] = []
        is_cancelled = threading.Event()

        def end() -> None:
            # Whoever takes the session out, here or below, is the only one to have it.
            with suppress(IndexError, PrebindError):
                self.terminate(opened.pop())

        def call() -> None:
            opened.append(self.prebind(jid, password, **credentials))
            if is_cancelled.is_set():
                end()

        try:
            await asyncio.to_thread(call)
        except asyncio.CancelledError:
            is_cancelled.set()
            asyncio.get_running_loop().run_in_executor(None, end)
            raise
        return opened.pop()

    async def aterminate(
        self, session: Session | None = None, *, sid: str | None = None, rid: int | None = None
    ) -> None:
        """`terminate` on a thread of the event loop's default executor."""
        await asyncio.to_thread(self.terminate, session, sid=sid, rid=rid)


def _config(url: str, options: Mapping[str, Any]) -> _prebind.Config:
    config = _prebind.Config(url)
    for name, value in options.items():
        try:
            config.set(name, _converted(name, value))
        except KeyError:
            raise TypeError(f"Client() has no option {name!r}") from None
        except (OverflowError, TypeError, ValueError) as error:
            raise ConfigError(f"{name}: {error}", field=name) from None
    return config


def _converted(name: str, value: Any) -> Any:
    """An option's value as the native part takes it."""
    if name in (
        "deadline",
        "resolve_timeout",
        "connect_timeout",
        "request_timeout",
        "fail_fast_for",
        "relearn_after",
    ):
        return value if isinstance(value, timedelta) else timedelta(seconds=value)
    if name == "iterations":
        return tuple(value)
    if name == "headers":
        return list(dict(value).items())
    if name == "ca" and value is not None:
        return _bytes(value)
    if name == "client_certificate" and value is not None:
        chain, key = value
        # What is not text is no PEM; the core says so.
        return _bytes(chain), _bytes(key).decode(errors="replace")
    return value


def _bytes(pem: Pem) -> bytes:
    return pem.encode() if isinstance(pem, str) else pem
