"""The ways by which a site's users log in without a chat password: tests/vectors/ways.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

import prebind
import pytest
from asking import Page, started
from prebind.django import credentials
from sample.models import Person

FILE = json.loads((Path(__file__).resolve().parents[4] / "tests/vectors/ways.json").read_text())
SECRET = "chat-server-to-site"


@pytest.fixture(scope="module")
def servers(live_server):
    with started("ways", live_server, SECRET) as servers:
        yield servers


class Users:
    """The users of one way."""

    def __init__(self, way, server):
        self.way, self.server = way, server
        options = dict(way.get("options", {}))
        if "accounts" in options:
            options["accounts"] = prebind.Accounts(**self.with_api(options["accounts"]))
        self.client = prebind.Client(
            server["http_url"], wait=1, deadline=60, request_timeout=60, **options
        )

    def with_api(self, given):
        return {
            name: value.replace("@API@", self.server["api_url"]) for name, value in given.items()
        }

    def jid(self, user):
        return f"{user}@{self.way['host']}"

    def proof(self, user):
        """A fresh one for each login."""
        ((kind, given),) = self.way["credentials"].items()
        if kind == "x_oauth2_issuer":
            return {kind: prebind.XOAuth2Issuer(**self.with_api(given))}
        # The site verifies only tokens that it has signed with its own key.
        jwt = credentials.own_signer() if given == "once" else prebind.Jwt(**FILE["jwts"][given])
        return {kind: jwt if kind == "jwt" else jwt.issue(self.jid(user))}

    def login(self, user):
        session = self.client.prebind(self.jid(user), **self.proof(user))
        assert session.jid.startswith(self.jid(user) + "/")
        assert session.mechanism == self.way["mechanism"]
        return session

    def page(self, user):
        session = self.login(user)
        page = Page(self.server, session)
        return page, session.jid, page.ask('<presence xmlns="jabber:client"/>')

    def leave(self, page):
        self.client.terminate(sid=page.sid, rid=page.rid)


@pytest.fixture(params=FILE["ways"], ids=lambda way: way["name"])
def users(request, servers, transactional_db, settings, change):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    change(SITE_SECRET=SECRET, DOMAIN=request.param["host"])
    for name in ("alice", "bob", "carol"):
        Person.objects.create_user(name)
    return Users(request.param, servers[request.param["server"]])


def message(to, text):
    return f'<message xmlns="jabber:client" to="{to}" type="chat"><body>{text}</body></message>'


def test_users_log_in_and_reach_each_other(users):
    for session in [users.login("alice") for _ in range(2)]:
        users.client.terminate(session)

    # Most servers make the account at the first login.
    users.client.terminate(users.login("carol"))
    bob, _, _ = users.page("bob")
    said = bob.ask(message(users.jid("carol"), "good morning"))
    assert "service-unavailable" not in said
    first, first_jid, said = users.page("carol")
    assert "good morning" in said or first.hear("good morning")

    second, second_jid, _ = users.page("carol")
    request = f'<presence xmlns="jabber:client" to="{users.jid("carol")}" type="subscribe"/>'
    # A server delivers in order: if the request has not come before the message, it never comes.
    bob.ask(request, message(first_jid, "after it"), message(second_jid, "after it"))
    for tab in (first, second):
        assert re.search("type=[\"']subscribe[\"']", tab.hear("after it"))

    for page in (bob, first, second):
        users.leave(page)
