from collections.abc import Mapping, Sequence
from typing import Any, final

__all__ = [
    "OPTIONS",
    "WEB_CHECKS",
    "WEB_DEADLINE",
    "Client",
    "Handle",
    "WebAsked",
    "WebCache",
    "WebRequest",
    "__version__",
    "issue",
    "jid_from_user",
    "new_key",
    "refusal",
    "schema",
    "scram_keys",
    "server_side",
    "web_broken",
    "web_doctor",
    "web_failed",
    "web_given",
    "web_granted",
    "web_misnamed",
    "web_page",
    "web_rate_limited",
    "web_reserved",
    "web_sharing",
    "web_sign_in_again",
    "web_unmet",
]

OPTIONS: list[str]
WEB_CHECKS: list[str]
WEB_DEADLINE: int
__version__: str

def issue(jid: str, jwt: dict[str, object]) -> str:
    """A token for an account, signed by what the argument `jwt` of `Client.prebind` has."""

def jid_from_user(name: str, domain: str) -> str:
    """The JID of a web site's user, whose name may hold characters that a JID must not have:
    they are escaped (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your
    user names do not, give an immutable id in place of the name.

    Raises `ConfigError` if the escaped name or the domain is not allowed, or if the name has
    full-width or decomposed characters, because it looks like another one.
    """

def new_key(
    algorithm: str | None,
    id: str | None,  # noqa: A002
) -> str:
    """A new key as a private JWK."""

def refusal(token: str, jid: str, jwt: dict[str, object], now: int) -> str | None:
    """Why a token of an account is refused at that second since 1970; `None` if it is valid."""

def schema() -> str:
    """The options, the credentials and the fields of sessions and errors, as JSON."""

def scram_keys(given: dict[str, object]) -> dict[str, Any]:
    """The SCRAM keys of a password, by named values."""

def server_side(server: str, domain: str, jwt: dict[str, object]) -> dict[str, str]:
    """What a chat server needs to verify the tokens of `jwt`."""

@final
class Client:
    def __new__(cls, url: str, options: dict[str, object]) -> Client: ...
    def prebind(self, jid: str, credentials: dict[str, object]) -> dict[str, Any]: ...
    def profile(self) -> str: ...
    def terminate(self, session: Handle) -> None: ...
    def terminate_by(self, sid: str, rid: int) -> None: ...
    def web_body_limit(
        self, credentials: dict[str, object], url: str
    ) -> tuple[str, dict[str, str]]: ...
    def web_next_login(
        self,
        jid: str,
        first: dict[str, object],
        next: dict[str, object],  # noqa: A002
    ) -> tuple[str, dict[str, str]]: ...

@final
class Handle: ...

# Status, headers and body of an answer to the browser.
_Answer = tuple[int, dict[str, str], str]

@final
class WebRequest:
    HEADERS: list[str]
    def __new__(
        cls,
        method: str,
        scheme: str,
        host: str,
        port: int | None,
        headers: dict[str, str],
        query: str,
    ) -> WebRequest: ...
    def refusal(self, is_signed_in: bool) -> _Answer | None: ...
    def refusal_of(self, jid: str | None) -> _Answer | None: ...
    def full_jid(self, jid: str) -> str: ...
    def complaint(self, bosh_url: str, setting: str) -> str | None: ...
    def cookies(self, bosh_url: str, cookies: Sequence[tuple[str, str, str]]) -> list[str]: ...

@final
class WebCache:
    def __new__(cls) -> WebCache: ...
    def is_asked(self, now: int) -> bool: ...
    def answered(self, asked: int, now: int, question: str, failure: str | None) -> str | None: ...

@final
class WebAsked:
    HEADERS: list[str]
    MAX_BODY: int
    def __new__(
        cls,
        settings: dict[str, object],
        *,
        method: str,
        path: str,
        query: str,
        address: str,
        headers: dict[str, str],
        body: bytes,
        now: int,
    ) -> WebAsked: ...
    @property
    def next(self) -> str: ...
    @property
    def entry(self) -> tuple[str, int] | None: ...
    @property
    def user(self) -> tuple[str | None, str] | None: ...
    def refusal(self, is_yes: bool) -> str | None: ...
    def counter(self, is_yes: bool) -> tuple[str, int] | None: ...
    def answer(self, is_yes: bool, count: int | None) -> _Answer: ...
    def broken(self) -> _Answer: ...
    def complaint(self, is_yes: bool, count: int | None) -> tuple[str, str] | None: ...

def web_given(given: str, called: str, value: object) -> str | None: ...
def web_granted(session: str) -> _Answer: ...
def web_rate_limited(seconds: int) -> _Answer: ...
def web_sign_in_again() -> _Answer: ...
def web_failed(kind: str, retry: str, retry_after: int | None) -> _Answer: ...
def web_broken() -> _Answer: ...
def web_misnamed(called: str, sort: str, name: str, known: Sequence[str]) -> str | None: ...
def web_page(
    jid: str, endpoint: str, bosh_url: str, script: str, assets: str, nonce: str, settings: str
) -> str: ...
def web_reserved(settings: str, assets: str) -> list[str]: ...
def web_sharing(jids: list[str]) -> tuple[int, int] | None: ...
def web_doctor(
    check: str, outcome: str, words: Mapping[str, str], milliseconds: int | None
) -> tuple[str, str]: ...
def web_unmet(check: str, wrong: Sequence[str]) -> str | None: ...
