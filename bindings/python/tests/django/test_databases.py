"""A login holds no database: others wait for its connections and its locks."""

import prebind
import pytest
from asgiref.sync import sync_to_async
from conftest import StubClient
from django.db import connections
from prebind.django import chat

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "files"])


@pytest.fixture
def during_the_login(monkeypatch):
    """Of each database that this thread has asked: is it connected, is it in a transaction?"""
    seen = {}

    def look():
        for connection in connections.all(initialized_only=True):
            is_connected = connection.connection is not None
            seen[connection.alias] = (is_connected, connection.in_atomic_block)

    class Looking(StubClient):
        def prebind(self, jid, **credentials):
            look()
            super().prebind(jid, **credentials)

        async def aprebind(self, jid, **credentials):
            # The thread that asks the databases.
            await sync_to_async(look)()
            raise self.error

    error = prebind.ConnectError("down")
    monkeypatch.setattr(prebind, "Client", lambda url, *, profile, **_: Looking(error, profile))
    chat.forget()
    return seen


@pytest.mark.parametrize("alias", ["default", "files"])
def test_no_login_holds_a_database(signed_in, change, monkeypatch, during_the_login, alias):
    monkeypatch.setitem(connections.settings[alias], "ATOMIC_REQUESTS", True)
    change(CREDENTIALS="sample.callables.from_another_database")
    assert signed_in.get().status_code == 503
    assert during_the_login["files"] == (False, False)
    # SQLite keeps what it has in memory.
    assert during_the_login["default"] == (True, False)
