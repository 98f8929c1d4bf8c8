"""The doctor: what is wrong with the chat of a user. The core has its checks and its words:
bindings/web/README.md lists them.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Any

import django
from django.contrib.auth import get_user_model
from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.urls import reverse

import prebind
from prebind._prebind import WEB_CHECKS, WEB_DEADLINE, web_doctor, web_sharing, web_unmet
from prebind.django import chat
from prebind.django.cache import ask
from prebind.django.checks import counts_exactly, is_missing_static
from prebind.django.conf import SettingsError, checked, load, load_for
from prebind.django.credentials import SignInAgain
from prebind.django.memory import is_kept
from prebind.django.place import place_of

#: How many users are looked at, the newest first.
MOST_USERS = 10_000

#: The name of an outcome, and the words of its text.
Outcome = tuple[str, dict[str, Any]]


class Doctor:
    """Opens one chat session as the site would, looks at all that it takes, and ends it."""

    user: Any
    account: chat.Account
    client: prebind.Client
    session: prebind.Session

    def __init__(self, name: str, host: str, write: Callable[[str], Any]) -> None:
        self.name = name
        self.write = write
        self.request = _request(host)

    def run(self) -> bool:
        """Prints a line for each check. Returns whether nothing is wrong."""
        wrong: list[str] = []
        for check in WEB_CHECKS:
            line = web_unmet(check, wrong)
            grade = "error"
            if line is None:
                grade, line = self._tried(check)
            if grade == "error":
                wrong.append(check)
            self.write(line)
        return not wrong

    def _tried(self, check: str) -> tuple[str, str]:
        start = time.monotonic()
        words: dict[str, Any]
        try:
            outcome, words = getattr(self, f"_{check}")()
        except prebind.PrebindError as error:
            outcome, words = "failed", _details(error)
        except SettingsError as error:
            outcome, words = "wrong", {"complaint": error}
        except Exception as error:
            # Only where: what the site's own code says might repeat a secret.
            outcome, words = "broken", {"place": place_of(error)}
        milliseconds = int((time.monotonic() - start) * 1000)
        return web_doctor(
            check, outcome, {name: str(word) for name, word in words.items()}, milliseconds
        )

    def _site(self) -> Outcome:
        versions = {
            "platform": f"Django {django.get_version()}, Python {platform.python_version()}"
        }
        settings = os.environ.get("DJANGO_SETTINGS_MODULE")
        return ("found", {**versions, "settings": settings}) if settings else ("bare", versions)

    def _user(self) -> Outcome:
        # The types do not say so, but every manager of users has this: `authenticate` needs it.
        users: Any = get_user_model()._default_manager
        try:
            self.user = users.get_by_natural_key(self.name)
        except ObjectDoesNotExist:
            return "missing", {"user": self.name}
        self.request.user = self.user
        return "found", {"user": self.name, "key": self.user.pk}

    def _account(self) -> Outcome:
        try:
            account = chat.account_of(self.user, self.request)
        except SignInAgain:
            return "sign_in", {}
        if account is None:
            return "no_chat", {}
        self.account = account
        return "found", {"jid": account.jid, "credentials": ", ".join(account.credentials)}

    def _users(self) -> Outcome:
        """Whether two users are one in the chat."""
        users: Any = get_user_model()._default_manager
        found = list(users.order_by("-pk")[:MOST_USERS])
        shared = web_sharing([self._jid_or_nothing(user) for user in found])
        if shared is None:
            return "apart", {"count": len(found)}
        one, other = (found[at] for at in shared)
        names = {"one": one.get_username(), "other": other.get_username()}
        return "shared", {**names, "jid": chat.jid_of(one, self.request)}

    def _jid_or_nothing(self, user: Any) -> str:
        try:
            return chat.jid_of(user, self.request) or ""
        except Exception:
            # They have no chat, so they share none.
            return ""

    def _page(self) -> Outcome:
        endpoint, assets = reverse("prebind:session"), load_for(self.request).assets
        if not assets:
            return "own", {"endpoint": endpoint}
        script = f"{assets}converse.min.js"
        if is_missing_static(script):
            return "unseen", {"script": script}
        return "ready", {"endpoint": endpoint, "script": script}

    def _browser_url(self) -> Outcome:
        return "given", {"url": load_for(self.request).url_for_browser}

    def _reached(self) -> Outcome:
        """Whether a chat server is where the browser looks for it."""
        url = load_for(self.request).url_for_browser
        if url.startswith("/"):
            return "passed_on", {"url": url}
        try:
            # There is no such session, and only a chat server says so.
            prebind.Client(url, deadline=WEB_DEADLINE).terminate(sid="prebind-doctor", rid=1)
        except prebind.TerminatedError:
            pass
        except prebind.PrebindError as error:
            return "unanswered", {"message": error}
        return "answered", {}

    def _rate_limit(self) -> Outcome:
        """Whether the cache counts sessions."""
        settings = load()
        if settings.rate_limit is None:
            return "off", {}
        count, seconds = checked("RATE_LIMIT", settings.rate_limit)
        cache = caches[settings.cache]
        name = {"cache": type(cache).__name__}

        def counted(cache: BaseCache) -> list[int]:
            cache.set("prebind:doctor", 0, timeout=60)
            return [cache.incr("prebind:doctor"), cache.incr("prebind:doctor")]

        if ask("whether it counts", counted) != [1, 2]:
            return "uncounted", name
        if isinstance(cache, LocMemCache):
            return "one_process", name
        if not counts_exactly(cache):
            return "inexact", name
        return "counted", {**name, "count": count, "seconds": seconds}

    def _client(self) -> Outcome:
        self.client = chat.client(request=self.request)
        return "made", {"url": load_for(self.request).url}

    def _login(self) -> Outcome:
        session = self.client.prebind(self.account.jid, **self.account.credentials)
        self.session = session
        words = {
            "jid": session.jid,
            "mechanism": session.mechanism,
            "round_trips": session.round_trips,
        }
        if session.inactivity is None:
            return "in_untimed", words
        return "in", {**words, "inactivity": session.inactivity}

    def _end(self) -> Outcome:
        self.client.terminate(self.session)
        return "ended", {}

    def _cache(self) -> Outcome:
        """Whether what was learned is there for other processes."""
        cache = caches[load().cache]
        name = {"cache": type(cache).__name__}
        if isinstance(cache, LocMemCache):
            return "one_process", name
        is_there = is_kept(self.client, load_for(self.request).url)
        return ("kept" if is_there else "lost"), name

    def _next_login(self) -> Outcome:
        """Whether another token of the user's logs in as well."""
        again = chat.account_of(self.user, self.request) or self.account
        account = self.account
        return self.client._next_login(account.jid, account.credentials, again.credentials)

    def _body_limit(self) -> Outcome:
        """Whether a request that is too long is refused."""
        url = load_for(self.request).url_for_browser
        return self.client._body_limit(self.account.credentials, url)


def _request(host: str) -> HttpRequest:
    """What a page of the user's asks, as far as is known here: without a session."""
    # Not before the site's models are there.
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    request = HttpRequest()
    request.method = "GET"
    request.META = {"HTTP_HOST": host, "SERVER_NAME": host, "SERVER_PORT": "80"}
    request.user = AnonymousUser()
    return request


def _details(error: prebind.PrebindError) -> dict[str, Any]:
    details = {"kind": error.kind, "stage": error.stage, "retry": error.retry}
    return {**details, "message": error, "condition": error.condition or "none"}
