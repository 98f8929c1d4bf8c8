"""What the tests share: users, and clients that ask as a page of the site does."""

from __future__ import annotations

import asyncio
import copy

import prebind
import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.test import AsyncClient, Client
from prebind.django import cache as sites_cache
from prebind.django import chat
from sample.models import Person

#: What a browser adds when a page of the site asks.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def fresh():
    """No test sees what another one counted or set."""
    cache.clear()
    sites_cache.forget()
    yield
    chat.forget()


@pytest.fixture
def change(settings):
    """Changes some names of PREBIND for the test; `None` as its value removes nothing."""

    def change(**names):
        settings.PREBIND = {**copy.copy(settings.PREBIND), **names}

    return change


@pytest.fixture
def servers(settings):
    return settings.SERVERS


@pytest.fixture
def alice(db, servers):
    password = servers["prosody"]["accounts"]["alice"]
    return Person.objects.create_user("alice", password="at the site", xmpp_password=password)


class Browser:
    """Asks for a session, through the sync view or the async one."""

    def __init__(self, is_async):
        self.path = "/asession" if is_async else "/prebind"
        self.is_async = is_async
        self.client = AsyncClient() if is_async else Client()

    def login(self, user):
        self.client.force_login(user)

    def get(self, headers=SAME_ORIGIN, query=""):
        return self._ask(self.client.get, headers, query)

    def request(self, method, headers=SAME_ORIGIN):
        return self._ask(getattr(self.client, method), headers)

    def _ask(self, method, headers, query=""):
        path = self.path + query
        if not self.is_async:
            return method(path, headers=headers)

        async def ask():
            return await method(path, headers=headers)

        return async_to_sync(ask)()


@pytest.fixture(params=["sync", "async"])
def browser(request):
    return Browser(request.param == "async")


@pytest.fixture
def signed_in(browser, alice):
    browser.login(alice)
    return browser


@pytest.fixture
def end():
    """Ends the session that was handed over: it works only with the right SID and RID."""

    def end(response):
        session = response.json()
        chat.client().terminate(sid=session["sid"], rid=session["rid"])

    return end


class StubClient:
    """Stands in for `prebind.Client` where a real server would not fail in the way it takes."""

    def __init__(self, error, profile):
        self.error = error
        self.known = profile

    def profile(self):
        return self.known

    def prebind(self, jid, **credentials):
        self.known = "what the failure taught"
        raise self.error

    async def aprebind(self, jid, **credentials):
        await asyncio.sleep(0)
        self.prebind(jid, **credentials)


@pytest.fixture
def fail_with(monkeypatch):
    """Makes every login fail with an error."""

    def fail_with(error):
        monkeypatch.setattr(
            prebind, "Client", lambda url, *, profile, **options: StubClient(error, profile)
        )
        chat.forget()

    return fail_with
