"""``manage.py prebind doctor USER``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prebind.django.doctor import Doctor


class Command(BaseCommand):
    """Looks at the chat as a user of the site would get it."""

    help = "What an operator needs: `doctor USER` says what is wrong with the chat of a user."
    # So that the settings of the chat are checked first.
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and for whom."""
        doctor = parser.add_subparsers(required=True, metavar="doctor").add_parser(
            "doctor",
            help="logs a user in to the chat as the site would, and says what is wrong",
        )
        doctor.add_argument("user", help="the user's name, as it is typed to log in")
        doctor.add_argument(
            "--host", default="localhost", help="the site's host, for TENANT; default localhost"
        )

    def handle(self, *, user: str, host: str, **_options: Any) -> None:
        """Check by check. Raises ``CommandError`` if something is wrong."""
        if not Doctor(user, host, self.stdout.write).run():
            raise CommandError("the lines with `error` say what is wrong")
