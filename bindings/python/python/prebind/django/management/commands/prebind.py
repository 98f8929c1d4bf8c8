"""``manage.py prebind USER``."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.core.cache import BaseCache, caches
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.http import HttpRequest

import prebind
from prebind._prebind import WEB_DEADLINE, web_sharing
from prebind.django import chat
from prebind.django.cache import ask
from prebind.django.conf import SettingsError, load, load_for

Result = TypeVar("Result")

#: How many users are looked at, the newest first.
MOST_USERS = 10_000


class Command(BaseCommand):
    """Opens one chat session as the site would, says how, and ends it."""

    help = "Logs a user in to the chat as the site would, step by step, and ends the session again."
    # So that the settings of the chat are checked first.
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One user."""
        parser.add_argument("user", help="the user's name, as it is typed to log in")
        parser.add_argument(
            "--host", default="localhost", help="the site's host, for TENANT; default localhost"
        )

    def handle(self, *, user: str, host: str, **_options: Any) -> None:
        """Step by step. Raises ``CommandError`` for the first that fails."""
        found = self.step("user", lambda: _user(user), lambda found: f"key {found.pk}")
        request = _request(host, found)
        account = self.step("account", lambda: _account(found, request), _described)
        self.step("users", lambda: _shared_jids(request), str)
        self.step("cache", _counting, str)
        self.step("browser's URL", lambda: _browser_url(request), str)
        client = self.step(
            "client", lambda: chat.client(request=request), lambda _: "the settings are good"
        )
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
        except SettingsError as error:
            raise CommandError(f"{name}: {error}") from error
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


def _request(host: str, user: Any) -> HttpRequest:
    """What a page of the user's asks, as far as a command knows it: without a session."""
    request = HttpRequest()
    request.method = "GET"
    request.META = {"HTTP_HOST": host, "SERVER_NAME": host, "SERVER_PORT": "80"}
    request.user = user
    return request


def _account(user: Any, request: HttpRequest) -> chat.Account:
    account = chat.account_of(user, request)
    if account is None:
        raise CommandError("USER_JID says that this user has no chat")
    return account


def _described(account: chat.Account) -> str:
    return f"{account.jid}, with {', '.join(account.credentials)}"


def _shared_jids(request: HttpRequest) -> str:
    """Whether two users are one in the chat."""
    users: Any = get_user_model()._default_manager
    found = list(users.order_by("-pk")[:MOST_USERS])
    shared = web_sharing([_jid_or_nothing(user, request) for user in found])
    if shared is None:
        return f"no two of the {len(found)} newest share a JID"
    one, other = (found[at] for at in shared)
    jid = chat.jid_of(one, request)
    return (
        f"warning: {one.get_username()} and {other.get_username()} share {jid}: "
        "set USER_JID to prebind.django.users.key_at_domain"
    )


def _jid_or_nothing(user: Any, request: HttpRequest) -> str:
    try:
        return chat.jid_of(user, request) or ""
    except Exception:
        # They have no chat, so they share none.
        return ""


def _counting() -> str:
    """Whether the cache counts sessions."""
    settings = load()
    name = type(caches[settings.cache]).__name__
    if settings.rate_limit is None:
        return f"{name}: not tried, since RATE_LIMIT is None"

    def counted(cache: BaseCache) -> list[int]:
        cache.set("prebind:try", 0, timeout=60)
        return [cache.incr("prebind:try"), cache.incr("prebind:try")]

    if ask("whether it counts", counted) == [1, 2]:
        return f"{name}: it counts"
    return f"warning: {name} does not count: a user may open any number of sessions"


def _browser_url(request: HttpRequest) -> str:
    """Whether a chat server is where the browser looks for it."""
    url = load_for(request).url_for_browser
    if url.startswith("/"):
        return f"{url}: not tried, since the site's web server passes it on"
    try:
        # There is no such session, and only a chat server says so.
        prebind.Client(url, deadline=WEB_DEADLINE).terminate(sid="prebind-try", rid=1)
    except prebind.TerminatedError:
        pass
    except prebind.PrebindError as error:
        return f"warning: {url} from this machine: {error}"
    return f"{url}: a chat server answers this machine"
