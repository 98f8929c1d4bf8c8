"""What the chat server asks the site, and is answered."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from pathlib import Path
from textwrap import dedent

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from django.urls import include, path, reverse
from prebind.django import credentials, users
from prebind.django.checks import KEY_AT_DOMAIN
from sample.caches import Away, Silent
from sample.models import Person

GUIDE = Path(__file__).parents[2] / "django.md"

JID = "alice@localhost"
SECRET = {"Authorization": "Bearer chat-server-to-site"}


class ChatServer:
    """Asks as `prebind extauth` and Prosody's `mod_auth_prebind` do."""

    def __init__(self):
        self.client = Client(enforce_csrf_checks=True)

    def ask(self, command, user="alice", headers=SECRET, **more):
        question = {"command": command, "user": user, "host": "localhost"}
        address = more.pop("address", "127.0.0.1")
        return self.client.post(
            "/chat-login",
            json.dumps({**question, **more}),
            content_type="application/json",
            headers=headers,
            REMOTE_ADDR=address,
        )

    def accepts(self, token, user="alice"):
        return self.decided(self.ask("auth", user, password=token))

    def knows(self, user):
        return self.decided(self.ask("isuser", user))

    @staticmethod
    def decided(response):
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        assert response["Cache-Control"] == "no-store"
        answer = response.json()
        assert set(answer) == {"ok"}
        return answer["ok"]


@pytest.fixture
def chat_server():
    return ChatServer()


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, "prebind.django")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def token(jid=JID):
    return credentials.signed_token(None, jid)["token"]


def test_a_token_is_good_once(chat_server, log):
    one, other = token(), token()
    assert chat_server.accepts(one)
    assert not chat_server.accepts(one)
    assert chat_server.accepts(other)
    assert not chat_server.accepts(other)
    reason = "the token was used before: issue one for each login"
    assert log() == [("INFO", f"{JID} is refused: {reason}")] * 2


def test_a_token_is_good_for_its_user_and_for_a_while(chat_server, change, monkeypatch):
    change(TOKEN_SECONDS=60)
    alices = token()
    assert not chat_server.accepts(alices, "bob")
    assert not chat_server.accepts(alices + "A")
    assert not chat_server.accepts("wonder-1")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert not chat_server.accepts(alices)
    monkeypatch.setattr(time, "time", lambda: now)
    assert chat_server.accepts(alices)


def test_a_token_of_the_key_before_is_good(chat_server, settings):
    alices = token()
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    assert not chat_server.accepts(alices)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert chat_server.accepts(alices)


@pytest.mark.parametrize(
    "asked",
    [
        {"headers": {}},
        {"headers": {"Authorization": "Bearer chat-server-to-sit3"}},
        {"address": "192.0.2.1"},
        {"address": ""},
        {"headers": {**SECRET, "X-Forwarded-For": "192.0.2.1"}},
    ],
)
def test_nobody_else_is_answered(chat_server, log, asked):
    alices = token()
    refused = chat_server.ask("auth", password=alices, **asked)
    unknown = chat_server.ask("isuser", "nobody", **asked)
    assert refused.status_code == unknown.status_code == 403
    assert refused.content == unknown.content
    assert [level for level, _ in log()] == ["WARNING"] * 2
    assert alices not in str(log())
    assert "chat-server-to-sit" not in str(log())
    assert chat_server.accepts(alices)


def test_the_site_says_from_where_the_chat_server_asks(chat_server, change):
    change(CHAT_SERVER_ADDRESSES=["192.0.2.0/24"])
    assert chat_server.ask("isuser", "a b", address="192.0.2.7").status_code == 200
    assert chat_server.ask("isuser", "a b").status_code == 403
    change(CHAT_SERVER_ADDRESSES="192.0.2.7", CLIENT_ADDRESS="sample.callables.behind_a_proxy")
    headers = {**SECRET, "X-Forwarded-For": "10.0.0.1, 192.0.2.7"}
    assert chat_server.ask("isuser", "a b", headers=headers).status_code == 200


def test_the_secret_may_change(chat_server, change):
    change(SITE_SECRET=["the-new-text-of-both", "chat-server-to-site"])
    assert chat_server.accepts(token())
    change(SITE_SECRET="the-new-text-of-both")
    assert chat_server.ask("auth", password=token()).status_code == 403


@pytest.mark.django_db
def test_who_exists(chat_server, change):
    alice = Person.objects.create_user("Alice")
    Person.objects.create_user("jo@home")
    Person.objects.create_user("gone", is_active=False)
    for name, exists in (
        ("alice", True),
        ("Alice", True),
        ("jo\\40home", True),
        ("jo", False),
        ("gone", False),
        ("nobody", False),
        ("a b", False),
        ("", False),
    ):
        assert chat_server.knows(name) is exists, name
    change(USER_JID=KEY_AT_DOMAIN)
    for name, exists in ((str(alice.pk), True), ("alice", False), ("999999", False)):
        assert chat_server.knows(name) is exists, name
    change(DOMAIN="elsewhere.example")
    assert not chat_server.knows(str(alice.pk))


def test_who_exists_by_a_function_of_the_sites(chat_server, change, log):
    change(
        USER_JID="sample.callables.alice_everywhere", USER_EXISTS="sample.callables.has_two_letters"
    )
    assert chat_server.knows("jo")
    assert not chat_server.knows("alice")
    with pytest.raises(ImproperlyConfigured, match="USER_EXISTS"):
        users.is_user("jo", "jo@localhost")
    change(USER_EXISTS="sample.callables.broken")
    response = chat_server.ask("isuser")
    assert response.status_code == 500
    [(level, text)] = log()
    assert level == "ERROR"
    assert "LookupError" in text
    assert "the site's own mistake" not in text


def test_a_flood_keeps_no_good_token_out(chat_server, log):
    statuses = [chat_server.ask("auth", password="wrong").status_code for _ in range(110)]
    # A new minute may begin meanwhile, with a count of its own.
    assert 429 in statuses or statuses.count(200) == 110
    while 429 not in statuses[-1:]:
        statuses.append(chat_server.ask("auth", password="wrong").status_code)
        assert len(statuses) < 300
    assert len(log()) <= statuses.count(200) + 2
    response = chat_server.ask("auth", headers={}, password="wrong")
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 60
    assert chat_server.accepts(token())


@pytest.mark.parametrize("backend", [Away, Silent])
def test_a_cache_that_is_away_keeps_nobody_out(chat_server, settings, change, backend):
    path = f"{backend.__module__}.{backend.__name__}"
    settings.CACHES = {**settings.CACHES, "other": {"BACKEND": path}}
    change(CACHE="other")
    alices = token()
    assert chat_server.accepts(alices)
    assert not chat_server.accepts("wrong")


@pytest.mark.django_db
def test_the_form_of_mongooseim(alice):
    client, basic = Client(), {"Authorization": "Basic cHJlYmluZDpjaGF0LXNlcnZlci10by1zaXRl"}

    def asked(command, **query):
        query = {"user": "alice", "server": "localhost", "pass": "", **query}
        response = client.get(f"/chat-login/{command}", query, headers=basic)
        assert int(response["Content-Length"]) == len(response.content)
        return response.status_code, response.content

    alices = token()
    assert asked("check_password", **{"pass": alices}) == (200, b"true")
    assert asked("check_password", **{"pass": alices}) == (200, b"false")
    assert asked("user_exists") == (200, b"true")
    assert asked("user_exists", user="nobody") == (200, b"false")
    assert asked("get_password") == (404, b"false")


def test_the_guide(chat_server, change, monkeypatch):
    section = GUIDE.read_text().split("### Tokens that the site verifies\n")[1].split("\n### ")[0]
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", section, re.MULTILINE | re.DOTALL)
    settings, url, function = (dedent(block) for block in blocks)
    monkeypatch.setenv("CHAT_SECRET", "chat-server-to-site")
    names = {"os": os, "path": path, "include": include, "urlpatterns": []}
    exec(settings + url + function, names)
    change(**names["PREBIND"])
    assert run_checks(tags=["prebind"]) == []
    question = {"password": token("alice@example.org"), "host": "example.org"}
    assert chat_server.decided(chat_server.ask("auth", **question, address="10.0.0.5"))
    [pattern] = names["urlpatterns"]
    for url in ("chat-login", "chat-login/check_password"):
        assert pattern.resolve(url)
    assert reverse("prebind_chat_login:chat_login") == "/chat-login"
    assert run_checks(tags=["urls"]) == []
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "10.0.0.9,10.0.0.5"})
    assert names["client_address"](request) == "10.0.0.5"


def test_settings_that_are_wrong_answer_nobody(chat_server, change, log):
    for names, wrong in (
        ({"SITE_SECRET": ""}, "SITE_SECRET is missing"),
        ({"SITE_SECRET": "short"}, "secret: has to be 16 or more"),
        ({"CHAT_SERVER_ADDRESSES": ["chat"]}, "addresses: chat is no IP address"),
    ):
        change(**{"SITE_SECRET": "chat-server-to-site", **names})
        assert chat_server.ask("auth", password=token()).status_code == 503
        level, text = log()[-1]
        assert level == "ERROR"
        assert wrong in text
