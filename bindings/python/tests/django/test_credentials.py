"""The ready-made ways to be somebody at the chat server."""

import time

import jwt as pyjwt
import pytest
from django.core.exceptions import ImproperlyConfigured
from prebind.django import credentials, users
from prebind.django.checks import JWT
from sample.models import Person

JID = "alice@localhost"

# What the test servers' ejabberd verifies the tokens of jwt.local with.
KEY = "a key for tests, and only for tests"


def test_the_password_in_a_field(alice):
    assert credentials.password_field(alice, JID) == {"password": alice.xmpp_password}


def test_the_password_of_a_related_object(alice, change):
    change(PASSWORD_FIELD="mentor.xmpp_password")
    pupil = Person.objects.create_user("pupil", mentor=alice)
    assert credentials.password_field(pupil, JID) == {"password": alice.xmpp_password}


@pytest.mark.parametrize("field", ["misspelled", "mentor.xmpp_password", "first_name"])
def test_no_password(alice, change, field):
    change(PASSWORD_FIELD=field)
    with pytest.raises(ImproperlyConfigured, match=field):
        credentials.password_field(alice, JID)


def test_a_jwt(alice, change):
    change(JWT_KEY=[KEY, "x" * 32], TOKEN_SECONDS=5)
    signer = credentials.jwt(alice, JID)["jwt"]
    claims = pyjwt.decode(signer.issue(JID), KEY, algorithms=["HS256"])
    assert claims["jid"] == JID
    assert claims["sub"] == "alice"
    assert claims["exp"] - claims["iat"] == 5
    assert abs(claims["iat"] - time.time()) < 60


def test_no_key(alice):
    with pytest.raises(ImproperlyConfigured, match="JWT_KEY"):
        credentials.jwt(alice, JID)


def test_while_keys_rotate_the_older_one_will_do(signed_in, change, servers, end):
    url = servers["ejabberd"]["http_url"]
    change(URL=url, DOMAIN="jwt.local", CREDENTIALS=JWT, JWT_KEY=["x" * 32, KEY])
    response = signed_in.get()
    assert response.json()["jid"].startswith("alice@jwt.local/")
    end(response)


def test_a_jwt_opens_a_session_at_ejabberd(signed_in, change, servers, end):
    change(URL=servers["ejabberd"]["http_url"], DOMAIN="jwt.local", CREDENTIALS=JWT, JWT_KEY=KEY)
    response = signed_in.get()
    assert response.json()["jid"].startswith("alice@jwt.local/")
    end(response)


def test_a_signed_token_is_good_for_its_owner_and_for_a_while(alice, change, monkeypatch):
    change(TOKEN_SECONDS=3600)
    token = credentials.signed_token(alice, JID)["token"]
    assert credentials.is_signed_token(JID, token)
    assert not credentials.is_signed_token("bob@localhost", token)
    assert not credentials.is_signed_token(JID, token[:-1])
    assert not credentials.is_signed_token(JID, "")
    now = time.time()
    for seconds, is_good in ((3000, True), (3700, False)):
        monkeypatch.setattr("prebind._types.time.time", lambda later=now + seconds: later)
        assert credentials.is_signed_token(JID, token) == is_good


def test_a_signed_token_depends_on_the_sites_key(alice, settings):
    token = credentials.signed_token(alice, JID)["token"]
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    assert not credentials.is_signed_token(JID, token)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert credentials.is_signed_token(JID, token)


@pytest.mark.parametrize(
    ("name", "jid"),
    [
        ("alice", "alice@localhost"),
        ("Alice", "alice@localhost"),
        ("jo@example.org", "jo\\40example.org@localhost"),
        (
            "J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg",
            "j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg@localhost",
        ),
    ],
)
def test_the_jid_of_a_name(name, jid):
    assert users.username_at_domain(Person(username=name)) == jid
