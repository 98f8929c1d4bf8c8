from typing import final

__version__: str

def jid_from_user(name: str, domain: str) -> str:
    """The JID of a web site's user, whose name may hold characters that a JID must not have:
    they are escaped (XEP-0106).

    Raises `ConfigError` if the name or the domain is not allowed even so.
    """

@final
class Handle: ...

@final
class Client:
    def __new__(cls, url: str, options: dict[str, object]) -> Client: ...
    def prebind(
        self, jid: str, proof: str, value: object, authcid: str | None, authzid: str | None
    ) -> tuple[
        str, str, int, int | None, int, int, int | None, str, int, tuple[tuple[str, str], ...], Handle
    ]: ...
    def terminate(self, session: Handle) -> None: ...
    def terminate_by(self, sid: str, rid: int) -> None: ...
