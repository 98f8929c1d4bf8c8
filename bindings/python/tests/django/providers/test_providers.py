"""Users who sign in at a real identity provider, with each library, and real chat servers."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialToken
from conftest import LIBRARIES
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone
from prebind.django import providers
from provided.guide import ROOT, block
from site_visitor import free_port
from social_django.models import UserSocialAuth

REFUSED = (503, {"kind": "Auth", "retry": "no"})
SIGN_IN_AGAIN = (401, {"kind": "SignInAgain", "retry": "no"})

# What the test servers' ejabberd verifies the tokens of jwt.local with.
KEY = "a key for tests, and only for tests"


@pytest.fixture
def ejabberd(change, settings):
    """The chat server is ejabberd, which asks `prebind extauth`."""
    url = settings.SERVERS["ejabberd"]["http_url"]
    change(URL=url, DOMAIN="extauth.local", PROVIDER_TOKEN="token")


def test_prosody_takes_the_providers_token(visitor, library, end):
    page = visitor.sign_in("alice", library)
    assert '"jid":"alice@provider.local"' in page.text
    for path in ("/prebind", "/asession"):
        status, session = visitor.ask(path)
        assert status == 200, session
        assert session["jid"].startswith("alice@provider.local/")
        end(session)


def test_prosody_takes_it_as_a_password_too(visitor, change, end):
    change(PROVIDER_TOKEN="token", CREDENTIALS="prebind.django.providers.mozilla_django_oidc")
    visitor.sign_in("alice", LIBRARIES["mozilla_django_oidc"])
    status, session = visitor.ask()
    assert status == 200, session
    end(session)


@pytest.mark.usefixtures("ejabberd")
def test_ejabberd_takes_it_as_a_password(visitor, library, end):
    visitor.sign_in("bob", library)
    status, session = visitor.ask()
    assert status == 200, session
    assert session["jid"].startswith("bob@extauth.local/")
    end(session)


@pytest.mark.parametrize("audience", ["shop", "site"])
def test_a_token_for_another_audience_is_refused(visitor, library, client_id, audience):
    client_id(audience)
    visitor.sign_in("alice", library)
    assert visitor.ask() == REFUSED


@pytest.mark.usefixtures("ejabberd")
@pytest.mark.parametrize("audience", ["shop", "site"])
def test_ejabberd_refuses_it_as_well(visitor, library, client_id, audience):
    client_id(audience)
    visitor.sign_in("alice", library)
    assert visitor.ask() == REFUSED


@pytest.fixture
def recommended(settings, monkeypatch, client_id):
    """The site signs a token, whatever the provider's is good for."""
    monkeypatch.setenv("CHAT_KEY", KEY)
    url = settings.SERVERS["ejabberd"]["http_url"]
    changed = {**settings.PREBIND, "URL": url, "DOMAIN": "jwt.local"}
    exec(block("settings.py, recommended"), {"os": os, "PREBIND": changed})
    settings.PREBIND = changed
    client_id("site")


@pytest.mark.usefixtures("recommended")
@pytest.mark.parametrize("path", LIBRARIES.values())
def test_the_recommended_way(visitor, path, end):
    visitor.sign_in("carol", path)
    status, session = visitor.ask()
    assert status == 200, session
    assert session["jid"].startswith("carol@jwt.local/")
    end(session)


def test_no_token_is_in_a_page_or_in_the_log(visitor, library, caplog, end):
    caplog.set_level("DEBUG")
    page = visitor.sign_in("alice", library)
    tokens = [*tokens_kept()]
    assert tokens
    _, session = visitor.ask()
    end(session)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("prebind")]
    assert ours
    for text in (page.text, *ours):
        assert not any(token in text for token in tokens)


def tokens_kept():
    yield from SocialToken.objects.values_list("token", flat=True)
    yield from (account.extra_data["access_token"] for account in UserSocialAuth.objects.all())
    sessions = (session.get_decoded() for session in Session.objects.all())
    yield from (
        session["oidc_access_token"] for session in sessions if "oidc_access_token" in session
    )


def test_mozilla_django_oidc_signs_in_anew_with_the_next_page(visitor, change, end):
    change(CREDENTIALS="prebind.django.providers.mozilla_django_oidc")
    visitor.sign_in("alice", LIBRARIES["mozilla_django_oidc"])
    [kept] = Session.objects.all()
    Session.objects.save(
        kept.session_key, {**kept.get_decoded(), "oidc_id_token_expiration": 0}, kept.expire_date
    )
    assert visitor.ask() == SIGN_IN_AGAIN
    # Without a form, as the provider still knows the user.
    assert "Hello, alice" in visitor.open().text
    status, session = visitor.ask()
    assert status == 200, session
    end(session)


def test_allauth_has_the_user_sign_in_again(visitor, change, end):
    change(CREDENTIALS="prebind.django.providers.allauth")
    visitor.sign_in("alice", LIBRARIES["allauth"])
    SocialToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor.ask() == SIGN_IN_AGAIN
    SocialToken.objects.all().delete()
    assert visitor.ask() == SIGN_IN_AGAIN
    visitor.session.cookies.clear()
    visitor.sign_in("alice", LIBRARIES["allauth"])
    status, session = visitor.ask()
    assert status == 200, session
    end(session)


@pytest.fixture
def expired(visitor, change):
    """The account of alice, who has signed in by social-auth-app-django, with changes."""

    def expired(**changes):
        account = UserSocialAuth.objects.get()
        account.extra_data.update(auth_time=1, expires=10, **changes)
        account.save()
        return account.extra_data["access_token"]

    change(CREDENTIALS="prebind.django.providers.social_auth")
    visitor.sign_in("alice", LIBRARIES["social_auth"])
    return expired


def test_social_auth_refreshes_the_token(visitor, expired, end):
    before = expired()
    status, session = visitor.ask()
    assert status == 200, session
    end(session)
    assert UserSocialAuth.objects.get().extra_data["access_token"] != before


@pytest.mark.parametrize("refresh_token", ["revoked", None])
def test_a_token_that_cannot_be_refreshed(visitor, expired, refresh_token):
    expired(refresh_token=refresh_token)
    assert visitor.ask() == SIGN_IN_AGAIN


def test_a_provider_that_is_away_is_no_reason_to_sign_in(visitor, expired, settings, monkeypatch):
    expired()
    backend = "social_core.backends.open_id_connect.OpenIdConnectAuth"
    monkeypatch.setattr(
        f"{backend}.refresh_token_url", lambda _: f"http://127.0.0.1:{free_port()}/"
    )
    assert visitor.ask() == (503, {"kind": "Internal", "retry": "no"})


def test_who_has_not_signed_in_by_the_provider(visitor, library, client, django_user_model):
    user = django_user_model.objects.create_user("alice", password="at the site")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    visitor.session.cookies.update({name: each.value for name, each in client.cookies.items()})
    assert visitor.ask() == SIGN_IN_AGAIN


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("OIDC_STORE_ACCESS_TOKEN", providers.mozilla_django_oidc),
        ("SOCIALACCOUNT_STORE_TOKENS", providers.allauth),
    ],
)
def test_a_library_that_keeps_no_token(settings, name, function):
    setattr(settings, name, False)
    with pytest.raises(ImproperlyConfigured, match=name):
        function(None, "alice@provider.local", RequestFactory().get("/"))


def test_an_expiry_that_nobody_knows(visitor, expired, caplog):
    account = UserSocialAuth.objects.get()
    del account.extra_data["expires"]
    account.save()
    assert visitor.ask() == (503, {"kind": "Internal", "retry": "no"})
    assert "SOCIAL_AUTH_OIDC_EXTRA_DATA" in caplog.text


@pytest.mark.django_db
def test_the_doctor_has_no_browser(library, django_user_model, capsys):
    django_user_model.objects.create_user("alice")
    with pytest.raises(CommandError):
        call_command("prebind", "doctor", "alice")
    assert "error: only the session of a browser has the token" in capsys.readouterr().out


def test_a_provider_that_tells_no_name():
    with pytest.raises(ImproperlyConfigured, match="preferred_username"):
        providers.preferred_username("alice@example.org", {})


def test_the_chat_works_in_a_browser(live_server, change):
    """From the site to the provider and back, with the page's script and Converse.js."""
    change(CREDENTIALS="prebind.django.providers.mozilla_django_oidc")
    environment = {
        **os.environ,
        "SITE_URL": live_server.url,
        "SITE_PREBIND": "/prebind",
        "SITE_SERVER": "prosody13",
    }
    command = ["node", ROOT / "tests/browser/lib/sign-in.js", "alice", "provider.local"]
    subprocess.run(command, env=environment, check=True, timeout=120)
