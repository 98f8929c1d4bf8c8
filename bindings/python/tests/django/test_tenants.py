"""What a site decides by the request: the chat server, the JID, its proof, and whose chat it is."""

import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from prebind.django import chat, memory
from sample import callables

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HOSTS = ("one.example", "two.example")


@pytest.fixture
def tenants(change, settings, servers):
    """Two hosts, each with a chat server of its own; returns what browsers are told of them."""
    settings.ALLOWED_HOSTS = [*HOSTS]
    settings.USE_X_FORWARDED_HOST = True
    browsers = [f"https://chat.{host}/http-bind" for host in HOSTS]
    kinds, domains = ("prosody", "ejabberd"), ("localhost", "plain.local")
    callables.TENANTS.clear()
    for host, kind, domain, browser_url in zip(HOSTS, kinds, domains, browsers):
        callables.TENANTS[host] = {
            "URL": servers[kind]["http_url"],
            "DOMAIN": domain,
            "BROWSER_URL": browser_url,
        }
    change(URL="", DOMAIN="", TENANT="sample.callables.by_host")
    return dict(zip(HOSTS, browsers))


def told(html):
    [data] = re.findall(r'type="application/json">(.*?)</script>', html)
    return json.loads(data)


def opened_at(browser, host):
    """The JID of a session, which is ended again, and the client that opened it."""
    made = []
    original = chat.client

    def client(*arguments, **named):
        made.append(original(*arguments, **named))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat, "client", client)
        response = browser.get(SAME_ORIGIN | {"X-Forwarded-Host": host})
    assert response.status_code == 200, response.content
    [client] = made
    session = response.json()
    client.terminate(sid=session["sid"], rid=session["rid"])
    return session["jid"], client


def test_tenants_have_a_chat_server_each(signed_in, tenants):
    for host, domain in zip(HOSTS, ("localhost", "plain.local")):
        jid, _ = opened_at(signed_in, host)
        assert jid.startswith(f"alice@{domain}/")


def test_pages_of_tenants_have_the_address_of_their_own_chat_server(alice, tenants):
    client = Client()
    client.force_login(alice)
    for host, browser_url in tenants.items():
        settings = told(client.get("/", headers={"X-Forwarded-Host": host}).content.decode())
        assert settings["bosh_service_url"] == browser_url
        assert settings["jid"] == f"alice@{callables.TENANTS[host]['DOMAIN']}"


def test_tenants_keep_their_clients(signed_in, tenants, end):
    first, second = (opened_at(signed_in, host)[1] for host in HOSTS)
    assert first is not second
    assert [opened_at(signed_in, host)[1] for host in HOSTS] == [first, second]
    # What was learned of one is not believed of the other, and is there for the next process.
    assert "prosody" in first.profile()
    assert "prosody" not in second.profile()
    chat.forget()
    for host, client in zip(HOSTS, (first, second)):
        assert memory.recall(callables.TENANTS[host]["URL"]) == client.profile()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"URI": "x"}, "TENANT: no setting 'URI'; did you mean URL?"),
        ({"RATE_LIMIT": None}, "TENANT: no setting 'RATE_LIMIT'; there are only URL, DOMAIN, "),
        ({"URL": 1}, "TENANT: URL is not of the type str"),
        (None, 'TENANT: returned None; it has to be like {"URL": …}'),
    ],
)
def test_a_tenant_that_is_none(signed_in, tenants, caplog, given, why):
    callables.TENANTS[HOSTS[0]] = given
    response = signed_in.get(SAME_ORIGIN | {"X-Forwarded-Host": HOSTS[0]})
    assert response.status_code == 503
    assert why in caplog.text


def test_the_command_asks_as_a_host(alice, tenants, capsys, settings):
    settings.SILENCED_SYSTEM_CHECKS = ["prebind.W001"]
    for host in HOSTS:
        call_command("prebind", "doctor", "alice", "--host", host, skip_checks=False)
        assert f"alice@{callables.TENANTS[host]['DOMAIN']}/" in capsys.readouterr().out


def test_the_function_for_the_jid_gets_the_request(signed_in, change, servers, end):
    change(USER_JID="sample.callables.takes_a_request")
    response = signed_in.get(query="?who=alice")
    assert response.json()["jid"].startswith("alice@localhost/")
    end(response)


def test_a_token_in_the_session(signed_in, change, servers, end):
    change(DOMAIN="bearer.local", CREDENTIALS="sample.callables.token_of_the_session")
    assert signed_in.get().json() == {"kind": "Internal", "retry": "no"}
    keep(signed_in.client, chat_token=servers["prosody"]["tokens"]["alice@bearer.local"])
    response = signed_in.get()
    assert response.json()["jid"].startswith("alice@bearer.local/")
    end(response)


def keep(client, **values):
    """Puts something in the session of a browser."""
    session = client.session
    session.update(values)
    session.save()


@pytest.fixture
def staff(db):
    return get_user_model().objects.create_user(
        "boss", password="at the site", is_staff=True, is_superuser=True
    )


def test_staff_who_hijack_have_no_chat(alice, staff, settings, change, end):
    # No note on the page, which the sample has no templates for.
    settings.HIJACK_INSERT_BEFORE = None
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "hijack.middleware.HijackUserMiddleware"]
    client = Client()
    client.force_login(staff)
    assert client.post("/hijack/acquire/", {"user_pk": alice.pk}).status_code == 302
    refused(client)
    change(IMPERSONATED="")
    allowed(client, end)
    change(IMPERSONATED="prebind.django.users.is_impersonated")
    refused(client)
    client.post("/hijack/release/")
    assert told(client.get("/").content.decode())["jid"] == "boss@localhost"


def test_staff_who_impersonate_have_no_chat(alice, staff, settings, change, end):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "impersonate.middleware.ImpersonateMiddleware",
    ]
    client = Client()
    client.force_login(staff)
    assert client.get(f"/impersonate/{alice.pk}/").status_code == 302
    refused(client)
    change(IMPERSONATED="")
    allowed(client, end)
    change(IMPERSONATED="prebind.django.users.is_impersonated")
    client.get("/impersonate/stop/")
    assert told(client.get("/").content.decode())["jid"] == "boss@localhost"


def refused(client):
    """Neither the endpoint nor the page has a chat for the user as whom staff acts."""
    response = client.get("/prebind", headers=SAME_ORIGIN)
    assert response.status_code == 403
    assert response.json() == {"kind": "NoChat", "retry": "no"}
    assert told(client.get("/").content.decode()) is None


def allowed(client, end):
    response = client.get("/prebind", headers=SAME_ORIGIN)
    assert response.json()["jid"].startswith("alice@localhost/")
    end(response)
    assert told(client.get("/").content.decode())["jid"] == "alice@localhost"
