"""``manage.py prebind USER``."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError

import prebind
from prebind.django import chat

Result = TypeVar("Result")


class Command(BaseCommand):
    """Opens one chat session as the site would, says how, and ends it."""

    help = "Logs a user in to the chat as the site would, step by step, and ends the session again."
    # So that the settings of the chat are checked first.
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One user."""
        parser.add_argument("user", help="the user's name, as it is typed to log in")

    def handle(self, *, user: str, **_options: Any) -> None:
        """Step by step. Raises ``CommandError`` for the first that fails."""
        found = self.step("user", lambda: _user(user), lambda found: f"key {found.pk}")
        account = self.step("account", lambda: _account(found), _described)
        client = self.step("client", chat.client, lambda _: "the settings are good")
        session = self.step(
            "login",
            lambda: client.prebind(account.jid, **account.credentials),
            lambda session: session.jid,
        )
        self.report("mechanism", session.mechanism)
        self.report("round trips", session.round_trips)
        self.report("attach within", f"{session.inactivity} s")
        self.step("end", lambda: client.terminate(session), lambda _: "the session is gone")

    def step(
        self, name: str, action: Callable[[], Result], describe: Callable[[Result], Any]
    ) -> Result:
        """Does it, and prints what came of it and how long it took."""
        start = time.monotonic()
        try:
            result = action()
        except prebind.PrebindError as error:
            raise CommandError(
                f"{name}: {error}\n  kind={error.kind} stage={error.stage} "
                f"condition={error.condition} retry={error.retry}"
            ) from error
        except CommandError:
            raise
        except Exception as error:
            raise CommandError(f"{name}: {type(error).__name__}: {error}") from error
        milliseconds = (time.monotonic() - start) * 1000
        self.report(name, f"{describe(result)} ({milliseconds:.0f} ms)")
        return result

    def report(self, name: str, value: object) -> None:
        """Prints a line."""
        self.stdout.write(f"{name:<14} {value}")


def _user(name: str) -> Any:
    # The types do not say so, but every manager of users has this: `authenticate` needs it.
    users: Any = get_user_model()._default_manager
    try:
        return users.get_by_natural_key(name)
    except ObjectDoesNotExist:
        raise CommandError(f"there is no user {name!r}") from None


def _account(user: Any) -> chat.Account:
    account = chat.account_of(user)
    if account is None:
        raise CommandError("USER_JID says that this user has no chat")
    return account


def _described(account: chat.Account) -> str:
    return f"{account.jid}, with {', '.join(account.credentials)}"
