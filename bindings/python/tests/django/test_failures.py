"""The chat is broken, and the site still works."""

import io
import logging
import socket
import subprocess
import sys

import django
import prebind
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
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
    assert response.json() == {"kind": "Connect", "retry": "later"}
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
    assert "no chat: LookupError\n  from " in record.getMessage()
    assert "callables.py" in record.getMessage()
    assert "the site's own mistake" not in caplog.text


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            {"CREDENTIALS": "sample.callables.bare_password"},
            'CREDENTIALS: returned a str; it has to be like {"password": …}',
        ),
        (
            {"CREDENTIALS": "sample.callables.misspelt_password"},
            "CREDENTIALS: no argument 'pasword'; did you mean password?",
        ),
        (
            {"CREDENTIALS": "sample.callables.later"},
            'CREDENTIALS: returned a coroutine; it has to be like {"password": …}',
        ),
        (
            {"USER_JID": "sample.callables.number"},
            'USER_JID: returned an int; it has to be like "alice@example.org", or None',
        ),
        (
            {"RATE_LIMIT": "30/m"},
            "RATE_LIMIT: is a str; it has to be two numbers of 1 or more, like (30, 60), or None",
        ),
        (
            {"EXTRAS": ["last_id"]},
            "EXTRAS: no value 'last_id'; did you mean last_rid?",
        ),
    ],
)
def test_what_a_callable_or_a_setting_gives(signed_in, change, caplog, names, words):
    change(**names)
    response = signed_in.get()
    assert response.status_code == 503
    assert response.json() == {"kind": "Internal", "retry": "no"}
    [record] = ours(caplog)
    assert record.levelno == logging.ERROR
    assert record.getMessage().endswith(f"no chat: {words}")
    assert "secret" not in caplog.text
    assert "12345" not in caplog.text
    output = io.StringIO()
    with pytest.raises((CommandError, SystemCheckError)) as raised:
        call_command("prebind", "doctor", "alice", skip_checks=False, stdout=output)
    assert words in f"{raised.value}{output.getvalue()}"


def test_settings_that_are_missing(signed_in, settings, caplog):
    settings.PREBIND = None
    assert signed_in.get().status_code == 503
    [record] = ours(caplog)
    assert "no chat: the setting is missing or not a dict" in record.getMessage()


def test_a_name_that_is_no_jid(signed_in, alice):
    alice.username = "\N{ZERO WIDTH JOINER}"
    alice.save()
    assert signed_in.get().json() == {"kind": "Config", "retry": "after-config-change"}


if django.VERSION >= (5, 1):

    def test_a_site_that_wants_everybody_logged_in(browser, db, settings):
        middleware = "django.contrib.auth.middleware.LoginRequiredMiddleware"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, middleware]
        response = browser.get()
        assert response.status_code == 401
        assert response.json()["kind"] == "NotLoggedIn"


def test_djangos_default_logging_shows_what_is_wrong():
    program = """
import django, logging
django.setup()
logging.getLogger("prebind.django").warning("the chat is away")
logging.getLogger("prebind.django").info("a login")
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stderr == "the chat is away\n"


def test_the_admins_get_no_mail(signed_in, fail_with, caplog):
    fail_with(prebind.ConnectError("down"))
    signed_in.get()
    assert [record for record in caplog.records if record.name == "django.request"] == []


def test_the_page_is_unharmed(client, alice, change, caplog):
    client.force_login(alice)
    change(USER_JID="sample.callables.broken")
    page = client.get("/")
    assert page.status_code == 200
    content = page.content.decode()
    assert content.startswith("<h1>The page</h1>")
    # The script clears away the chat of the user before.
    assert 'type="application/json">null</script>' in content
    assert "converse.min" not in content
    [record] = ours(caplog)
    assert "the page has no chat: LookupError\n  from " in record.getMessage()
    assert "the site's own mistake" not in caplog.text


def test_the_server_says_when_to_come_back(signed_in, fail_with):
    error = prebind.HttpError("down", retry="later")
    error.retry_after = 30
    fail_with(error)
    assert signed_in.get()["Retry-After"] == "30"


def test_the_log_has_no_secret(signed_in, alice, caplog, end):
    caplog.set_level(logging.DEBUG)
    response = signed_in.get()
    session = response.json()
    assert f"user {alice.pk}: SCRAM-SHA-1" in caplog.text
    for secret in (alice.xmpp_password, session["sid"], str(session["rid"])):
        assert secret not in caplog.text
    end(response)


def test_error_pages_show_no_password(alice, rf):
    account = chat.account_of(alice, rf.get("/"))
    assert account.credentials["password"] == alice.xmpp_password
    assert alice.xmpp_password not in repr(account)


def ours(caplog):
    return [record for record in caplog.records if record.name == "prebind.django"]
