"""``manage.py prebind USER``."""

import re

import prebind
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.http import HttpRequest
from prebind.django import chat


def test_one_real_login(alice, capsys):
    call_command("prebind", "alice", skip_checks=False)
    output = capsys.readouterr().out
    for line in (
        rf"user +key {alice.pk} \(\d+ ms\)",
        r"account +alice@localhost, with password \(\d+ ms\)",
        r"users +no two of the 1 newest share a JID \(\d+ ms\)",
        r"cache +LocMemCache: it counts \(\d+ ms\)",
        r"browser's URL +http://127\.0\.0\.1:\d+/http-bind: a chat server answers this .*",
        r"client +the settings are good \(\d+ ms\)",
        r"login +alice@localhost/\S+ \(\d+ ms\)",
        r"mechanism +SCRAM-SHA-1",
        r"round trips +\d",
        r"attach within +60 s",
        r"end +the session is gone \(\d+ ms\)",
    ):
        assert re.search(f"^{line}$", output, re.MULTILINE), line
    assert alice.xmpp_password not in output


def test_the_session_is_ended(alice, monkeypatch):
    client, sessions = chat.client(), []

    def opened(*arguments, **credentials):
        sessions.append(prebind.Client.prebind(client, *arguments, **credentials))
        return sessions[-1]

    monkeypatch.setattr(client, "prebind", opened)
    call_command("prebind", "alice")
    [session] = sessions
    with pytest.raises(prebind.TerminatedError):
        client.terminate(session)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"CREDENTIALS": "sample.callables.wrong_password"}, r"^login: .*\n  kind=Auth "),
        ({"CREDENTIALS": "sample.callables.broken"}, r"^account: LookupError: the site's own"),
        ({"USER_JID": "sample.callables.no_chat"}, r"^USER_JID says"),
        ({"OPTIONS": {"deadline": 0}}, r"^client: .*deadline.*\n  kind=Config"),
    ],
)
def test_what_is_wrong(alice, change, names, message):
    change(**names)
    with pytest.raises(CommandError) as raised:
        call_command("prebind", "alice")
    assert re.search(message, str(raised.value))
    assert "a-wrong-secret" not in str(raised.value)


def test_users_who_share_a_jid(alice, capsys, change):
    other = type(alice).objects.create_user("Alice")
    no_chat = type(alice).objects.create_user("x" * 100 + " ")
    call_command("prebind", "alice")
    shared = (
        "Alice and alice share alice@localhost: set USER_JID to prebind.django.users.key_at_domain"
    )
    assert f"warning: {shared}" in capsys.readouterr().out
    change(USER_JID="prebind.django.users.key_at_domain")
    keys = [chat.jid_of(user, HttpRequest()) for user in (other, no_chat)]
    assert keys == [f"{other.pk}@localhost", f"{no_chat.pk}@localhost"]
    with pytest.raises(CommandError, match=r"^login: "):
        call_command("prebind", "alice")
    assert "no two of the 3 newest share a JID" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("dummy.DummyCache", "warning: DummyCache does not count: a user may open any number"),
        ("locmem.LocMemCache", "LocMemCache: it counts"),
    ],
)
def test_the_cache_is_tried(alice, capsys, settings, backend, said):
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    call_command("prebind", "alice")
    assert said in capsys.readouterr().out


def test_a_limit_that_is_off_is_not_tried(alice, capsys, change):
    change(RATE_LIMIT=None)
    call_command("prebind", "alice")
    assert "LocMemCache: not tried, since RATE_LIMIT is None" in capsys.readouterr().out


def test_the_browsers_url_is_tried(alice, capsys, change, live_server):
    change(BROWSER_URL="/http-bind")
    call_command("prebind", "alice")
    assert "/http-bind: not tried, since the site's web server" in capsys.readouterr().out
    change(BROWSER_URL=f"{live_server.url}/http-bind")
    call_command("prebind", "alice")
    said = rf"warning: {live_server.url}/http-bind from this machine: .*404"
    assert re.search(said, capsys.readouterr().out)


def test_an_unknown_user(db):
    with pytest.raises(CommandError, match="there is no user 'eve'"):
        call_command("prebind", "eve")


def test_the_settings_are_checked_first(alice, change):
    change(DOMAIN="")
    with pytest.raises(SystemCheckError, match=r"prebind\.E006"):
        call_command("prebind", "alice", skip_checks=False)
