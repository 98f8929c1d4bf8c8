"""What the tests share: somebody who signs in at the provider, with what a browser does."""

from __future__ import annotations

import re

import pytest
import requests
from prebind.django import chat

#: What a browser adds when a page of the site asks.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}

#: Where each library's sign-in begins, and the function that passes its token on.
LIBRARIES = {
    "mozilla_django_oidc": "/oidc/authenticate/",
    "allauth": "/accounts/oidc/example/login/",
    "social_auth": "/social/login/oidc/",
}


@pytest.fixture(autouse=True)
def fresh():
    yield
    chat.forget()


@pytest.fixture
def change(settings):
    """Changes some names of PREBIND for the test."""

    def change(**names):
        settings.PREBIND = {**settings.PREBIND, **names}

    return change


@pytest.fixture
def client_id(settings):
    """Makes the site another one of the provider's clients, in all libraries."""

    def client_id(name):
        secret = settings.PROVIDER["clients"][name]
        settings.OIDC_RP_CLIENT_ID = settings.SOCIAL_AUTH_OIDC_KEY = name
        settings.OIDC_RP_CLIENT_SECRET = settings.SOCIAL_AUTH_OIDC_SECRET = secret
        [app] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
        changed = {**app, "client_id": name, "secret": secret}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [changed]}}

    return client_id


class Visitor:
    """A browser, as far as the site and the provider see it."""

    def __init__(self, site):
        self.site = site
        self.session = requests.Session()

    def sign_in(self, name, path):
        """Follows every redirect, and fills the provider's forms in."""
        if path == LIBRARIES["mozilla_django_oidc"]:
            page = self.open(path)
        else:
            form = self.open("/login").text
            [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form))
            page = self.session.post(self.site + path, {"csrfmiddlewaretoken": token})
        while "/interaction/" in page.url:
            [action] = re.findall(r'action="([^"]+)"', page.text)
            [prompt] = re.findall(r'name="prompt" value="(\w+)"', page.text)
            form = {"prompt": prompt, "login": name, "password": "any"}
            page = self.session.post(action, form)
        assert page.url == f"{self.site}/", page.text
        assert f"Hello, {name}" in page.text
        return page

    def open(self, path="/"):
        return self.session.get(self.site + path)

    def ask(self, path="/prebind"):
        """Asks for a session."""
        answer = self.session.get(self.site + path, headers=SAME_ORIGIN, allow_redirects=False)
        assert answer.headers["Content-Type"] == "application/json", answer.text
        return answer.status_code, answer.json()


@pytest.fixture
def visitor(live_server):
    return Visitor(live_server.url)


@pytest.fixture(params=LIBRARIES)
def library(request, change):
    change(CREDENTIALS=f"prebind.django.providers.{request.param}")
    return LIBRARIES[request.param]


@pytest.fixture
def end():
    """Ends the session that was handed over: it works only with the right SID and RID."""

    def end(session):
        chat.client().terminate(sid=session["sid"], rid=session["rid"])

    return end
