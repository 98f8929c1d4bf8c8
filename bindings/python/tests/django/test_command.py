"""``manage.py prebind USER``."""

import re

import prebind
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from prebind.django import chat


def test_one_real_login(alice, capsys):
    call_command("prebind", "alice", skip_checks=False)
    output = capsys.readouterr().out
    for line in (
        rf"user +key {alice.pk} \(\d+ ms\)",
        r"account +alice@localhost, with password \(\d+ ms\)",
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


def test_an_unknown_user(db):
    with pytest.raises(CommandError, match="there is no user 'eve'"):
        call_command("prebind", "eve")


def test_the_settings_are_checked_first(alice, change):
    change(DOMAIN="")
    with pytest.raises(SystemCheckError, match=r"prebind\.E006"):
        call_command("prebind", "alice", skip_checks=False)
