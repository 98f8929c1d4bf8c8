"""Accounts and tokens that ejabberd's HTTP API makes, see core/docs/accounts.md."""

import json
import os
import urllib.request

import prebind
import pytest

API = json.loads(os.environ["PREBIND_SERVERS"])["ejabberd"]["api_url"]


@pytest.fixture
def ejabberd(servers):
    return servers["ejabberd"]


def test_the_first_login_makes_the_account_with_its_name(ejabberd):
    accounts = prebind.Accounts("alice@localhost", "wonder-1", API)
    client = ejabberd.client(accounts=accounts)
    jwt = prebind.Jwt("a key for tests, and only for tests", "HS256")
    session = client.prebind("pia@accounts.local", jwt=jwt, nickname="Pia from Python")
    client.terminate(session)
    # A command that ejabberd runs for its own machine.
    asked = {"user": "pia", "host": "accounts.local", "name": "NICKNAME"}
    request = urllib.request.Request(f"{API}/get_vcard", json.dumps(asked).encode())
    with urllib.request.urlopen(request) as answer:
        assert "Pia from Python" in answer.read().decode()


def test_ejabberd_issues_the_token(ejabberd):
    client = ejabberd.client()
    issuer = prebind.XOAuth2Issuer(API, "alice@localhost", "wonder-1")
    for _ in range(2):
        session = client.prebind("bob@oauth.local", x_oauth2_issuer=issuer)
        assert session.mechanism == "X-OAUTH2"
        client.terminate(session)
    with pytest.raises(prebind.ConfigError) as caught:
        client.prebind("carol@oauth.local", x_oauth2_issuer=issuer._replace(password="wrong"))
    assert caught.value.field == "x_oauth2_issuer"
