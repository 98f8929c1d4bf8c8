"""The chat is out of order: the site is not."""

import logging
import socket

import prebind
import pytest
from prebind.django import chat

SECRET = "a-wrong-secret"

KINDS = [
    prebind.ConfigError,
    prebind.ConnectError,
    prebind.TimeoutError,
    prebind.HttpError,
    prebind.ProtocolError,
    prebind.TerminatedError,
    prebind.MechanismError,
    prebind.AuthError,
    prebind.ServerUnverifiedError,
    prebind.BindError,
    prebind.InternalError,
]


@pytest.fixture
def nobody_listens():
    """The URL of a port that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/http-bind"


def test_a_server_that_is_down(signed_in, change, nobody_listens, caplog):
    change(URL=nobody_listens)
    response = signed_in.get()
    assert response.status_code == 503
    assert response.json() == {"kind": "Connect", "retry": "fresh-session"}
    assert response["Cache-Control"] == "no-store, private"
    [record] = ours(caplog)
    assert record.levelno == logging.WARNING
    assert "no chat: Connect:" in record.getMessage()


def test_a_wrong_password(signed_in, change, caplog):
    change(CREDENTIALS="sample.callables.wrong_password")
    response = signed_in.get()
    assert response.status_code == 503
    assert response.json() == {"kind": "Auth", "retry": "no"}
    assert SECRET not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error(signed_in, fail_with, kind):
    fail_with(kind("what the operator should know", stage="create", retry="later"))
    response = signed_in.get()
    assert response.status_code == 503
    assert response.json() == {"kind": kind.kind, "retry": "later"}


@pytest.mark.parametrize("setting", ["USER_JID", "CREDENTIALS"])
def test_a_mistake_in_the_sites_own_callable(signed_in, change, caplog, setting):
    change(**{setting: "sample.callables.broken"})
    response = signed_in.get()
    assert response.status_code == 503
    assert response.json() == {"kind": "Internal", "retry": "no"}
    [record] = ours(caplog)
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is LookupError


def test_a_cache_that_is_gone(signed_in, change):
    change(CACHE="there is none")
    assert signed_in.get().json() == {"kind": "Internal", "retry": "no"}


def test_settings_that_are_missing(signed_in, settings):
    settings.PREBIND = None
    assert signed_in.get().status_code == 503


def test_a_name_that_is_no_jid(signed_in, alice):
    alice.username = "\N{ZERO WIDTH JOINER}"
    alice.save()
    assert signed_in.get().json() == {"kind": "Config", "retry": "after-config-change"}


def test_the_admins_get_no_mail(signed_in, fail_with, caplog):
    fail_with(prebind.ConnectError("down"))
    signed_in.get()
    assert [record for record in caplog.records if record.name == "django.request"] == []


def test_the_page_is_unharmed(client, alice, change, caplog):
    client.force_login(alice)
    change(USER_JID="sample.callables.broken")
    page = client.get("/")
    assert page.status_code == 200
    assert page.content.decode() == "<h1>The page</h1>"
    assert "the page has no chat" in caplog.text


def test_the_log_has_no_secret(signed_in, alice, caplog, end):
    caplog.set_level(logging.DEBUG)
    response = signed_in.get()
    session = response.json()
    assert f"user {alice.pk}: SCRAM-SHA-1" in caplog.text
    for secret in (alice.xmpp_password, session["sid"], str(session["rid"])):
        assert secret not in caplog.text
    end(response)


def test_error_pages_show_no_password(alice):
    assert chat.account_of(alice).credentials["password"] == alice.xmpp_password
    assert alice.xmpp_password not in repr(chat.account_of(alice))


def ours(caplog):
    return [record for record in caplog.records if record.name == "prebind.django"]
