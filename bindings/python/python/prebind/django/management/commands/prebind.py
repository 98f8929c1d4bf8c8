"""``manage.py prebind doctor USER`` and ``manage.py prebind key …``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prebind import Jwt, PrebindError
from prebind.django.conf import load
from prebind.django.credentials import signer
from prebind.django.doctor import Doctor


class Command(BaseCommand):
    """Looks at the chat as a user of the site would get it, and makes keys for tokens."""

    help = (
        "What an operator needs: `doctor USER` says what is wrong with the chat of a user, `key` "
        "makes a key that signs tokens and prints what the chat server needs of it."
    )
    # So that the settings of the chat are checked first.
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and for whom."""
        commands = parser.add_subparsers(required=True, metavar="doctor|key", dest="command")
        doctor = commands.add_parser(
            "doctor",
            help="logs a user in to the chat as the site would, and says what is wrong",
        )
        doctor.add_argument("user", help="the user's name, as it is typed to log in")
        doctor.add_argument(
            "--host", default="localhost", help="the site's host, for TENANT; default localhost"
        )

        keys = commands.add_parser(
            "key", help="makes a key that signs tokens, and prints what the chat server needs of it"
        ).add_subparsers(required=True, metavar="new|ejabberd|prosody", dest="key")
        new = keys.add_parser("new", help="prints a new key, for JWT_KEY")
        new.add_argument("--algorithm", help="HS256, HS384, HS512, ES256 or EdDSA; default HS256")
        new.add_argument("--id", help="the key's name in tokens (kid); default random")
        for server, name in (("ejabberd", "ejabberd"), ("prosody", "Prosody")):
            side = keys.add_parser(server, help=f"prints what {name} needs of JWT_KEY")
            side.add_argument("--domain", help="that of the chat accounts; default DOMAIN")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As in every command. A key is made before the settings can be right."""
        skips = options["command"] == "key" or options.get("skip_checks", False)
        return super().execute(*args, **{**options, "skip_checks": skips})

    def handle(self, *, command: str, **options: Any) -> None:
        """Raises ``CommandError`` if something is wrong."""
        getattr(self, f"_{command}")(**options)

    def _doctor(self, *, user: str, host: str, **_options: Any) -> None:
        """Check by check."""
        if not Doctor(user, host, self.stdout.write).run():
            raise CommandError("the lines with `error` say what is wrong")

    def _key(self, *, key: str, **options: Any) -> None:
        """A new key, or the chat server's side of the newest one."""
        try:
            self.stdout.write(_new(**options) if key == "new" else _side_of(key, **options))
        except PrebindError as error:
            raise CommandError(str(error)) from None


def _new(*, algorithm: str | None, id: str | None, **_options: Any) -> str:  # noqa: A002
    return Jwt.new_key(algorithm, id)


def _side_of(server: str, *, domain: str | None, **_options: Any) -> str:
    settings = load()
    if not settings.jwt_key:
        raise CommandError("JWT_KEY is missing: `manage.py prebind key new` prints a new key")
    jwt, domain = signer(settings), domain or settings.domain
    side = jwt.for_ejabberd(domain) if server == "ejabberd" else jwt.for_prosody(domain)
    return side.instructions
