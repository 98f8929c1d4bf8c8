"""One chat service."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from prebind import _prebind
from prebind._types import (
    Jwt,
    ScramKeys,
    ScramSaltedPassword,
    Session,
    XOAuth2Issuer,
    plain,
)
from prebind.errors import PrebindError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prebind._types import Credentials, Options


class Hidden:
    """Values on their way to the native part, handed over once.

    Error reports show the local variables of each frame, this library's too: they see `***`.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def take(self) -> dict[str, Any]:
        values, self._values = self._values, {}
        return values

    def __repr__(self) -> str:
        return "***"


class Client:
    """One chat service: its address, its trust, its deadlines and the connections to it.

    Make one for the life of the process, before a fork or after it, and share it between threads.
    Nothing is sent until it is used. The options are those of `prebind.Options`; the ones that are
    not given have the library's defaults.

    Raises `ConfigError` if the URL or an option has a value that cannot work.
    """

    def __init__(self, url: str, **options: Unpack[Options]) -> None:
        unknown = sorted(options.keys() - set(_prebind.OPTIONS))
        if unknown:
            known = _prebind.OPTIONS
            raise TypeError(_prebind.web_misnamed("Client()", "option", unknown[0], known))
        given = Hidden({name: plain(value) for name, value in options.items()})
        del options
        self._client = _prebind.Client(url, given.take())

    def prebind(
        self,
        jid: str,
        password: str | None = None,
        *,
        token: str | None = None,
        jwt: Jwt | None = None,
        oauthbearer: str | None = None,
        x_oauth2: str | None = None,
        x_oauth2_issuer: XOAuth2Issuer | None = None,
        anonymous: bool = False,
        external: bool = False,
        mechanism: str | None = None,
        initial_response: str | None = None,
        scram_keys: ScramKeys | None = None,
        scram_salted_password: ScramSaltedPassword | None = None,
        fast_token: str | None = None,
        authcid: str | None = None,
        authzid: str | None = None,
        nickname: str | None = None,
    ) -> Session:
        """Opens an authenticated session for an account. Other threads run meanwhile.

        A resource in the JID is asked for; without one the server makes one. Exactly one of these
        proves the right to the account:

        - `password`: by the strongest of SCRAM-SHA-512, -256, -1 and PLAIN that both sides know;
        - `token`: what the server takes as a password, a JWT or a one-time token that the site
          verifies when the server asks; always by PLAIN;
        - `jwt`: what signs a JSON Web Token for each call, by PLAIN; no user needs a password;
        - `oauthbearer`, `x_oauth2`: an OAuth 2.0 token, by the mechanism of that name;
        - `x_oauth2_issuer`: ejabberd's API, which issues such a token for each user;
        - `anonymous=True`: no account; the JID is only a domain;
        - `external=True`: a client certificate, or a header or cookie that the server looks at;
        - `scram_keys`, `scram_salted_password`: what a SCRAM store keeps, instead of the password;
        - `mechanism` with its `initial_response`: any mechanism that ends after one message.

        A `fast_token` is what `Session.fast_token` of an earlier session of the account was. It is
        tried before the proof, which is only used if the server refuses the token; it can do
        without one.

        `authcid` logs in under another user name than the JID's, `authzid` is the identity to act
        as; some servers trust it more than they should. `nickname` is the name that other people
        see, for an account that the option `accounts` makes by ejabberd's API.

        Raises a `PrebindError`, or what a signal handler raises meanwhile, such as
        `KeyboardInterrupt`. No session is left behind on the server then.
        """
        given = Hidden(
            {
                "password": password,
                "token": token,
                "oauthbearer": oauthbearer,
                "x_oauth2": x_oauth2,
                "anonymous": anonymous,
                "external": external,
                "mechanism": mechanism,
                "initial_response": initial_response,
                "jwt": plain(jwt),
                "x_oauth2_issuer": plain(x_oauth2_issuer),
                "scram_keys": plain(scram_keys),
                "scram_salted_password": plain(scram_salted_password),
                "fast_token": fast_token,
                "authcid": authcid,
                "authzid": authzid,
                "nickname": nickname,
            }
        )
        del password, token, oauthbearer, x_oauth2, initial_response, fast_token
        del jwt, x_oauth2_issuer, scram_keys, scram_salted_password
        return Session(**self._client.prebind(jid, given.take()))

    def profile(self) -> str:
        """What this client learned of the server, for the option `profile` of another.

        A short text without anything secret, which stays the same while nothing new is learned.
        Worth keeping in a cache where processes are short-lived or many.
        """
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
        by = Hidden({"sid": sid, "rid": rid})
        del sid, rid
        return self._client.terminate_by(**by.take())

    def _next_login(
        self, jid: str, first: Mapping[str, Any], following: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """What the doctor finds by another login."""
        given = [Hidden(plain(first)), Hidden(plain(following))]
        del first, following
        return self._client.web_next_login(jid, *(each.take() for each in given))

    def _body_limit(self, credentials: Mapping[str, Any], url: str) -> tuple[str, dict[str, Any]]:
        """What the doctor finds by a request that is too long."""
        given = Hidden(plain(credentials))
        del credentials
        return self._client.web_body_limit(given.take(), url)

    async def aprebind(
        self, jid: str, password: str | None = None, **credentials: Unpack[Credentials]
    ) -> Session:
        """`prebind` on one of the threads that the library keeps for it, 32 at most.

        When the task is cancelled, the call goes on in its thread, for as long as `deadline` at
        most, and ends the session that comes of it.
        """
        given = Hidden({"password": password, **credentials})
        del password, credentials
        opened: list[Session] = []
        is_cancelled = threading.Event()

        def end() -> None:
            # The one that takes the session out, here or below, is the only one to have it.
            with suppress(IndexError, PrebindError):
                self.terminate(opened.pop())

        def call() -> None:
            opened.append(self.prebind(jid, **given.take()))
            if is_cancelled.is_set():
                end()

        try:
            await _in_thread(call)
        except asyncio.CancelledError:
            is_cancelled.set()
            _threads().submit(end)
            raise
        return opened.pop()

    async def aterminate(
        self, session: Session | None = None, *, sid: str | None = None, rid: int | None = None
    ) -> None:
        """`terminate` on one of those threads."""
        await _in_thread(lambda: self.terminate(session, sid=sid, rid=rid))


#: As many as calls may be under way, unless `max_calls` says otherwise.
MAX_THREADS = 32


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """The event loop's own has few threads, which others need: a call that waited there would not
    begin before its deadline.
    """
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="prebind")


# The threads of a process are not those of one that it forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)


async def _in_thread(call: Callable[[], None]) -> None:
    await asyncio.get_running_loop().run_in_executor(_threads(), copy_context().run, call)
