"""``manage.py prebind doctor USER``."""

import io
import re

import prebind
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.http import HttpRequest
from prebind.django import chat


def doctor(user="alice", **options):
    """Raises ``CommandError`` if something is wrong."""
    call_command("prebind", "doctor", user, **options)


def test_one_real_login(alice, capsys):
    doctor(skip_checks=False)
    output = capsys.readouterr().out
    versions = rf"prebind {prebind.__version__}, Django \S+, Python \S+"
    for line, expected in zip(
        output.splitlines(),
        (
            rf" 1 site         {versions}, with the settings of sample\.settings \(\d+ ms\)",
            rf" 2 user         alice has the key {alice.pk} \(\d+ ms\)",
            r" 3 account      alice@localhost, with password \(\d+ ms\)",
            r" 4 users        no two of 1 users share a chat account \(\d+ ms\)",
            r" 5 page         sessions are at /prebind, Converse\.js is \S+converse\.min\.js .*",
            r" 6 browser_url  warning: http://127\.0\.0\.1:\d+/http-bind is on this machine: .*",
            r" 7 reached      a chat server answers this machine \(\d+ ms\)",
            r" 8 rate_limit   warning: a LocMemCache belongs to one process, .* CACHE .*",
            r" 9 client       http://127\.0\.0\.1:\d+/http-bind, and the settings are good .*",
            r"10 login        alice@localhost/\S+, by SCRAM-SHA-1, in \d round trips; .* 60 s .*",
            r"11 end          the session is gone \(\d+ ms\)",
            r"12 cache        warning: a LocMemCache belongs to one process, .* CACHE .*",
            r"13 next_login   not tried: the credentials are no tokens of the site's",
            r"14 body_limit   not tried: the credentials are no tokens of the site's",
        ),
    ):
        assert re.fullmatch(expected, line)
    assert len(output.splitlines()) == 14
    assert alice.xmpp_password not in output


def test_the_session_is_ended(alice, monkeypatch):
    client, sessions = chat.client(), []

    def opened(*arguments, **credentials):
        sessions.append(prebind.Client.prebind(client, *arguments, **credentials))
        return sessions[-1]

    monkeypatch.setattr(client, "prebind", opened)
    doctor()
    [session] = sessions
    with pytest.raises(prebind.TerminatedError):
        client.terminate(session)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            {"CREDENTIALS": "sample.callables.wrong_password"},
            r"^10 login        error: .*\n   kind=Auth .*\n11 end +not tried: see 10 login$",
        ),
        (
            {"CREDENTIALS": "sample.callables.broken"},
            r"^ 3 account      error: LookupError .*\n   from .*callables\.py:\d+ in broken(.|\n)*"
            r"^10 login        not tried: see 3 account$",
        ),
        (
            {"USER_JID": "sample.callables.no_chat"},
            r"^ 3 account      error: this user has no chat, since USER_JID gives no JID",
        ),
        (
            {"OPTIONS": {"deadline": 0}},
            r"^ 9 client       error: .*deadline.*\n   kind=Config (.|\n)*"
            r"^10 login        not tried: see 9 client$",
        ),
        ({"ASSETS": "elsewhere/"}, r"^ 5 page +warning: there is no elsewhere/converse\.min\.js: "),
        ({"ASSETS": ""}, r"^ 5 page +sessions are at /prebind, and the pages load their client"),
    ],
)
def test_what_is_wrong(alice, capsys, change, names, said):
    change(**names)
    if "ASSETS" in names:
        doctor()
    else:
        with pytest.raises(CommandError, match="the lines with `error`"):
            doctor()
    output = capsys.readouterr().out
    assert re.search(said, output, re.MULTILINE), output
    assert "a-wrong-secret" not in output


def test_another_token(alice, capsys, change, servers):
    change(
        URL=servers["ejabberd"]["http_url"],
        BROWSER_URL=servers["ejabberd"]["http_url"],
        DOMAIN="jwt.local",
        CREDENTIALS="prebind.django.credentials.jwt",
        JWT_KEY="a key for tests, and only for tests",
    )
    doctor()
    output = capsys.readouterr().out
    assert "13 next_login   another token logs in as well (" in output
    assert "14 body_limit   a request of 70,000 bytes gets through, as it may" in output


def test_a_key(change, capsys):
    change(CREDENTIALS="prebind.django.credentials.jwt", JWT_KEY="")
    with pytest.raises(CommandError, match=r"JWT_KEY is missing: .* key new"):
        call_command("prebind", "key", "ejabberd", skip_checks=False)
    call_command("prebind", "key", "new", "--id", "2026-11", skip_checks=False)
    key = capsys.readouterr().out.strip()
    change(JWT_KEY=[key, "x" * 32])
    call_command("prebind", "key", "ejabberd", skip_checks=False)
    said = capsys.readouterr().out
    assert said.strip() == prebind.Jwt(key).for_ejabberd("localhost").instructions.strip()
    call_command("prebind", "key", "prosody", "--domain", "example.org")
    said = capsys.readouterr().out
    assert "/etc/prosody/site-keys/2026-11.jwk" in said
    assert 'VirtualHost "example.org"' in said
    change(JWT_KEY=prebind.Jwt.new_key("EdDSA"))
    with pytest.raises(CommandError, match="Prosody does not know EdDSA"):
        call_command("prebind", "key", "prosody")


def test_users_who_share_a_jid(alice, capsys, change):
    other = type(alice).objects.create_user("Alice")
    no_chat = type(alice).objects.create_user("x" * 100 + " ")
    doctor()
    shared = (
        "Alice and alice share alice@localhost: set USER_JID to prebind.django.users.key_at_domain"
    )
    assert f"warning: {shared}" in capsys.readouterr().out
    change(USER_JID="prebind.django.users.key_at_domain")
    keys = [chat.jid_of(user, HttpRequest()) for user in (other, no_chat)]
    assert keys == [f"{other.pk}@localhost", f"{no_chat.pk}@localhost"]
    with pytest.raises(CommandError):
        doctor()
    assert "no two of 3 users share a chat account" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (
            "django.core.cache.backends.dummy.DummyCache",
            [
                " 8 rate_limit   warning: DummyCache does not count, so a user may open any number",
                "12 cache        warning: DummyCache does not keep what was learned",
            ],
        ),
        (
            "django.core.cache.backends.filebased.FileBasedCache",
            [
                " 8 rate_limit   warning: a FileBasedCache cannot count exactly",
                "12 cache        FileBasedCache keeps what was learned",
            ],
        ),
        (
            "sample.caches.Shared",
            [
                " 8 rate_limit   30 sessions of a user in 60 s, counted in Shared",
                "12 cache        Shared keeps what was learned",
            ],
        ),
        (
            "sample.caches.Away",
            [
                " 8 rate_limit   warning: Away does not count",
                "12 cache        warning: Away does not keep what was learned",
            ],
        ),
    ],
)
def test_the_cache_is_tried(alice, settings, tmp_path, backend, said):
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    output = io.StringIO()
    doctor(stdout=output)
    for line in said:
        assert line in output.getvalue()


def test_a_limit_that_is_off_is_not_tried(alice, capsys, change):
    change(RATE_LIMIT=None)
    doctor()
    assert "rate_limit   off: a user may open any number of sessions" in capsys.readouterr().out


def test_the_browsers_url_is_tried(alice, capsys, change, live_server):
    change(BROWSER_URL="/http-bind")
    doctor()
    assert "not tried: the site's web server passes /http-bind on" in capsys.readouterr().out
    change(BROWSER_URL=f"{live_server.url}/http-bind")
    doctor()
    assert re.search(r"reached +warning: from this machine: .*404", capsys.readouterr().out)
    change(BROWSER_URL="ftp://chat.example.org/")
    with pytest.raises(CommandError):
        doctor()
    output = capsys.readouterr().out
    assert "error: ftp://chat.example.org/ is neither an address of http or https" in output
    assert " 7 reached      not tried: see 6 browser_url\n" in output
    assert "11 end          the session is gone" in output


def test_an_unknown_user(db, capsys):
    with pytest.raises(CommandError):
        doctor("eve")
    output = capsys.readouterr().out
    assert " 2 user         error: there is no user eve: give the name as it is typed" in output
    assert " 3 account      not tried: see 2 user\n" in output


def test_the_settings_are_checked_first(alice, change):
    change(DOMAIN="")
    with pytest.raises(SystemCheckError, match=r"prebind\.E006"):
        doctor(skip_checks=False)
