"""What functions take and return."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple, TypedDict, Union

from prebind import _prebind

Seconds = Union[float, timedelta]
"""A span of time: seconds, or a timedelta."""

Pem = Union[str, bytes]
"""Certificates or a key in PEM: the text itself, not the path of a file."""


class Options(TypedDict, total=False):
    """The options of `Client`. Those that are not given have the library's defaults."""

    # Generated from the core's options by `PREBIND_UPDATE_DOCS=1 cargo test -p prebind --lib`.
    lang: str | None
    """The language of the server's messages (`xml:lang` of the session). Default `en`, `None` for
    none."""
    wait: int
    """How many seconds the server may hold a request; this also applies to the browser, and many
    proxies cut requests held longer than 60 s. Default 55."""
    hold: int
    """How many requests the server may hold; browser clients expect 1. Default 1."""
    route: str | None
    """Where a separate connection manager finds the XMPP server, for example
    `xmpp:example.org:9999`."""
    resource: str | None
    """The resource to ask for if the JID has none; without it the server makes a new one each time,
    so that tabs do not throw each other out."""
    weakest_mechanism: str
    """The weakest mechanism a password may be used with: `PLAIN`, `DIGEST-MD5`, `SCRAM-SHA-1`,
    `SCRAM-SHA-256` or `SCRAM-SHA-512`. Default `PLAIN`."""
    digest_md5: bool
    """Whether to use the obsolete DIGEST-MD5 with a server that has no SCRAM. Default no."""
    allow_cleartext: bool
    """Whether to send a password or token over plain http to another machine. Default no."""
    fast_tokens: bool
    """Whether to log in by SASL2, where the server offers it, and to ask for a token that replaces
    the password in later calls, `Session.fast_token` (FAST, XEP-0484; Prosody has it from version
    13 on). Default no."""
    iterations: tuple[int, int]
    """The fewest and the most SCRAM iterations a server may ask for. Default 4,096 to 600,000."""
    scram_cache: int
    """How many users' SCRAM keys, but not passwords, to cache from a login that succeeds until one
    with them fails, so that they need not be derived at each login; 0 caches none. Default
    1,000."""
    accounts: Accounts | None
    """Who makes an account on the chat server for each user who logs in with a token and has none:
    the JID and password of an administrator, and for ejabberd the `url` of its HTTP API; with a
    `group`, each user joins that shared roster group."""
    headers: Mapping[str, str]
    """HTTP headers to add to every request."""
    ca: Pem | None
    """CA certificates to trust instead of the operating system's."""
    client_certificate: tuple[Pem, Pem] | None
    """The client certificate to present to the server, with those that lead to its authority, and
    its private key."""
    proxy: str | None
    """The `http://`, `https://` or `socks5://` address of a proxy; environment variables are
    ignored."""
    ip_family: str
    """Which addresses of the host to use: `any`, `ipv4` or `ipv6`. Default `any`."""
    deadline: Seconds
    """How long a call may take in all, including ending the session after a failure. Default 5."""
    resolve_timeout: Seconds
    """How long a name lookup may take. Default 2."""
    connect_timeout: Seconds
    """How long TCP and TLS may take to connect. Default 2."""
    request_timeout: Seconds
    """How long one request may take. Default 5."""
    max_calls: int
    """How many calls may open a session at once in each process; a call beyond that waits for up to
    half of its `deadline`, then fails. Default 32."""
    workers: int
    """How many requests this process of a web site serves at once, 1 for a sync worker of gunicorn
    or 5 for a process of Puma with five threads; the processes with the same parent then open
    sessions with no more than half of their workers, beyond which a call fails at once, and share
    what they know of a server that is away; 0 if this is no web site. Default 0."""
    max_host_calls: int
    """How many calls may open a session at once on this machine, in all processes of this user that
    set this or `workers` for this URL, instead of half of the workers; 0 for half of the workers.
    Default 0."""
    fail_fast_after: int
    """How many calls, and at least half of the latest, must time out or fail to connect before
    calls fail at once for `fail_fast_for`; 0 turns this off. Default 3."""
    fail_fast_for: Seconds
    """How long calls fail at once before one of them tries the server again; the pause doubles, up
    to a minute, while it is not reached. Default 5."""
    max_reply: int
    """The most bytes of one reply. Default 262,144."""
    learn: bool
    """Whether to use the shorter exchange, one to four round trips instead of four or five, once
    this server has proved to support it. Default yes."""
    relearn_after: Seconds
    """How long, at most, to stay with the full exchange after a shorter one failed again and again.
    Default 600."""
    profile: str | None
    """What an earlier client of this URL learned, as `Client.profile` gave it; an unusable profile
    is ignored."""
    # End of the generated options.


class ScramKeys(NamedTuple):
    """What a SCRAM store keeps (RFC 5802 §3); instead of the password."""

    hash: str
    """`SHA-1`, `SHA-256` or `SHA-512`."""
    salt: bytes
    iterations: int
    client_key: bytes
    """What logs in: keep it like a password."""
    server_key: bytes

    @classmethod
    def derive(
        cls,
        password: str,
        hash: str,  # noqa: A002, as the field is called
        iterations: int,
        salt: bytes | None = None,
    ) -> tuple[ScramKeys, bytes]:
        """The keys of a password, and the stored key, which the server keeps instead of them.

        `salt` and `iterations` are those that the server has for the account. Without a salt a new
        one is drawn, for an account whose keys you write into the server's store; it is text.

        Raises `ConfigError` if a value cannot be used.
        """
        given = {"password": password, "hash": hash, "iterations": iterations, "salt": salt}
        del password
        keys = _prebind.scram_keys(given)
        stored_key = keys.pop("stored_key")
        return cls(**keys), stored_key

    def __repr__(self) -> str:
        return f"ScramKeys({self.hash!r}, ***)"


class ScramSaltedPassword(NamedTuple):
    """The salted password of a SCRAM store (RFC 5802 §3); instead of the password."""

    hash: str
    """`SHA-1`, `SHA-256` or `SHA-512`."""
    salt: bytes
    iterations: int
    salted_password: bytes

    def __repr__(self) -> str:
        return f"ScramSaltedPassword({self.hash!r}, ***)"


class Accounts(NamedTuple):
    """Who makes an account for each user who logs in with a token and has none."""

    jid: str
    """An administrator of the chat server, such as `svc@example.org`."""
    password: str
    url: str | None = None
    """ejabberd's HTTP API, such as `https://chat.example.org:5443/api`; None for a server with
    XEP-0133, such as Prosody with `admin_adhoc`."""
    group: str | None = None
    """The shared roster group that each user joins (ejabberd)."""

    def __repr__(self) -> str:
        return f"Accounts({self.jid!r}, ***)"


class XOAuth2Issuer(NamedTuple):
    """ejabberd's HTTP API, which issues a token for each user. The library keeps it and asks for
    another one before it expires.
    """

    url: str
    """For example `https://chat.example.org:5443/api`."""
    jid: str
    """The account that may ask for tokens, and with that an administrator."""
    password: str
    lifetime: Seconds | None = None
    """How long a token is valid, at least a second; an hour by default."""

    def __repr__(self) -> str:
        return f"XOAuth2Issuer({self.url!r}, {self.jid!r}, ***)"


class ServerSide(NamedTuple):
    """A chat server's side of a key."""

    path: str
    """Where to put the file, so that only the server may read it."""
    file: str
    """What the file holds: the secret of an HMAC key, or a public key."""
    configuration: str
    """The lines of configuration, with comments."""
    reload: str
    """The command that has the server read both, where it is running."""
    instructions: str
    """All of it, as an operator is told."""

    def __repr__(self) -> str:
        return f"ServerSide({self.path!r}, ***)"


class Jwt(NamedTuple):
    """What signs a JSON Web Token for each call, so that the site knows no chat passwords."""

    keys: str | bytes | Sequence[str | bytes]
    """A JWK, PEM, or with `algorithm` the secret itself; several keys while they rotate, the newest
    first."""
    algorithm: str | None = None
    """`HS256`, `HS384` or `HS512`, if a key is the secret itself."""
    lifetime: Seconds | None = None
    """How long a token is valid, at least a second; a minute by default."""
    audience: str | None = None
    """Whom the tokens are for (`aud`)."""
    claims: Mapping[str, Any] | None = None
    """Further claims. `jid`, `sub`, `iat`, `nbf` and `exp` are there already."""
    once: bool | None = None
    """Whether each token has an ID of its own (`jti`), by which a site that verifies its tokens
    itself knows that one was used; False by default."""

    def issue(self, jid: str) -> str:
        """A token for an account, for a client that logs in by itself, such as a page that opens a
        WebSocket. Anyone holding it can log in as that user until it expires.

        Raises `ConfigError` if a key or another value cannot be used.
        """
        return _prebind.issue(jid, plain(self._asdict()))

    @staticmethod
    def new_key(algorithm: str | None = None, id: str | None = None) -> str:  # noqa: A002
        """A new key as a private JWK. Anyone who has it can log in as anybody, so keep it like the
        site's own secret.

        `algorithm` is `HS256`, `HS384`, `HS512`, `ES256` or `EdDSA`, by default `HS256`; `id` is
        the key's name in tokens (`kid`), random by default.

        Raises `ConfigError` if one cannot be used.
        """
        return _prebind.new_key(algorithm, id)

    def for_ejabberd(self, domain: str) -> ServerSide:
        """What ejabberd needs to verify the tokens of the newest key, for the accounts of a domain.

        Raises `ConfigError` if the key or the domain cannot be used.
        """
        return self._side("ejabberd", domain)

    def for_prosody(self, domain: str) -> ServerSide:
        """The same for Prosody with the module `mod_auth_prebind`."""
        return self._side("prosody", domain)

    def _side(self, server: str, domain: str) -> ServerSide:
        return ServerSide(**_prebind.server_side(server, domain, plain(self._asdict())))

    def refusal(self, jid: str, token: str) -> str | None:
        """Why this token of the account is refused, for example `Expired`; None if it is valid.

        Answer with it what the chat server asks, where it has your site verify tokens. `keys` may
        be public ones here; `lifetime`, `once` and `claims` are ignored.

        Raises `ConfigError` if a key cannot be used.
        """
        return _prebind.refusal(token, jid, plain(self._asdict()), int(time.time()))

    def __repr__(self) -> str:
        return "Jwt(***)"


def plain(value: Any) -> Any:
    """A value in the few types that the native part takes."""
    if isinstance(value, (Accounts, Jwt, ScramKeys, ScramSaltedPassword, XOAuth2Issuer)):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return tuple(plain(each) for each in value) if isinstance(value, (list, tuple)) else value


class Credentials(TypedDict, total=False):
    """What proves the right to use an account: exactly one proof, see `Client.prebind`."""

    token: str | None
    jwt: Jwt | None
    oauthbearer: str | None
    x_oauth2: str | None
    x_oauth2_issuer: XOAuth2Issuer | None
    anonymous: bool
    external: bool
    mechanism: str | None
    initial_response: str | None
    scram_keys: ScramKeys | None
    scram_salted_password: ScramSaltedPassword | None
    fast_token: str | None
    authcid: str | None
    authzid: str | None
    nickname: str | None


@dataclass(frozen=True)
class Session:
    """An authenticated session, ready for a browser to attach to.

    Anyone with SID and RID has the session: `repr` hides them. Without arguments beyond the first
    three it is made only in tests.
    """

    jid: str
    """The full JID the server bound."""
    sid: str = field(repr=False)
    """The session ID."""
    rid: int = field(repr=False)
    """The request ID to send next: what Strophe's and Converse's `attach` take."""
    inactivity: int | None = None
    """Seconds within which the browser must attach. None if the server did not say."""
    wait: int | None = None
    """Seconds the server may hold a request."""
    hold: int | None = None
    """How many requests the server may hold."""
    requests: int | None = None
    """How many requests may be open at once. None if the server did not say."""
    mechanism: str | None = None
    """The SASL mechanism that was used."""
    round_trips: int | None = None
    """How many times a request was sent and its answer waited for."""
    cookies: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """Name, value and path of each cookie that a load balancer in front of the server set; the path
    is empty if it gave none. Where the browser reaches the server through it, it must present them
    too."""
    fast_token: str | None = field(default=None, repr=False)
    """The token to log in with next time, to be kept for this account as carefully as a password:
    a new one, or that of this login if the server did not replace it. None if there is none, or no
    longer; forget the kept one then."""
    _handle: _prebind.Handle | None = field(default=None, repr=False, compare=False)

    @property
    def last_rid(self) -> int:
        """The request ID that was sent last, for clients that add one themselves."""
        return self.rid - 1

    def as_dict(self, *extras: str) -> dict[str, Any]:
        """Exactly `{"jid", "sid", "rid"}`: what browser clients ask for.

        `extras` are further values for clients that want them: `"last_rid"`, `"wait"`,
        `"inactivity"`. Raises `ValueError` for any other name.
        """
        complaint = _prebind.web_given("extras", "extras", extras)
        if complaint:
            raise ValueError(complaint)
        answer = {"jid": self.jid, "sid": self.sid, "rid": self.rid}
        return answer | {name: getattr(self, name) for name in extras}

    def to_json(self, *extras: str) -> str:
        """`as_dict` as JSON."""
        return json.dumps(self.as_dict(*extras), separators=(",", ":"))
