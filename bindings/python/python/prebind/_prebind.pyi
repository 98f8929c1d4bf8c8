from typing import final

__all__ = ["OPTIONS", "Client", "Handle", "__version__", "jid_from_user"]

OPTIONS: list[str]
__version__: str

def jid_from_user(name: str, domain: str) -> str:
    """The JID of a web site's user, whose name may hold characters that a JID must not have:
    they are escaped (XEP-0106).

    Raises `ConfigError` if the name or the domain is not allowed even so.
    """

@final
class Client:
    def __new__(cls, url: str, options: dict[str, object]) -> Client: ...
    def prebind(
        self, jid: str, credentials: dict[str, object]
    ) -> tuple[
        str,
        str,
        int,
        int | None,
        int,
        int,
        int | None,
        str,
        int,
        tuple[tuple[str, str], ...],
        str | None,
        Handle,
    ]: ...
    def profile(self) -> str: ...
    def terminate(self, session: Handle) -> None: ...
    def terminate_by(self, sid: str, rid: int) -> None: ...

@final
class Handle: ...
