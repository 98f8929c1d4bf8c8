"""The view, sync and async, against a real chat server."""

import json

import prebind
import pytest
from django.test import Client


def test_a_session_is_exactly_what_converse_wants(signed_in, end):
    response = signed_in.get()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    session = json.loads(response.content)
    assert sorted(session) == ["jid", "rid", "sid"]
    assert session["jid"].startswith("alice@localhost/")
    assert isinstance(session["rid"], int)
    end(response)


def test_an_answer_has_more_where_the_site_says_so(change, signed_in, end):
    change(EXTRAS=["last_rid", "wait", "inactivity"])
    response = signed_in.get()
    session = response.json()
    assert sorted(session) == ["inactivity", "jid", "last_rid", "rid", "sid", "wait"]
    assert session["last_rid"] == session["rid"] - 1
    assert session["wait"] == 55
    end(response)


def test_every_call_opens_a_fresh_session(signed_in, end):
    responses = [signed_in.get(), signed_in.get()]
    first, second = (response.json() for response in responses)
    assert first["sid"] != second["sid"]
    assert first["jid"] != second["jid"]
    for response in responses:
        end(response)


def test_a_page_has_the_same_jid_in_each_of_its_sessions(signed_in, end):
    first, second = (signed_in.get(query="?page=Page-1") for _ in range(2))
    assert first.json()["jid"] == second.json()["jid"] == "alice@localhost/Page-1"
    assert first.json()["sid"] != second.json()["sid"]
    end(second)
    with pytest.raises(prebind.TerminatedError):
        end(first)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("?jid=alice@localhost", None),
        ("?jid=alice%40localhost", None),
        ("?jid=bob@localhost", "OtherUser"),
        ("?jid=Alice@localhost", "OtherUser"),
        ("?jid=alice@localhost/page", "OtherUser"),
        ("?jid=", "OtherUser"),
    ],
)
def test_a_page_of_another_user_gets_no_session(signed_in, end, query, kind):
    response = signed_in.get(query=query)
    if kind is None:
        assert response.status_code == 200
        end(response)
    else:
        assert response.status_code == 403
        assert response.json() == {"kind": kind, "retry": "no"}


def test_a_page_of_nobody_learns_that_nobody_is_logged_in(browser, db):
    assert browser.get(query="?jid=").json()["kind"] == "NotLoggedIn"


def test_a_user_without_chat_is_the_one_of_a_page_without(signed_in, change):
    change(USER_JID="sample.callables.no_chat")
    kinds = [signed_in.get(query=f"?jid={jid}").json()["kind"] for jid in ("", "alice@localhost")]
    assert kinds == ["NoChat", "OtherUser"]


def test_what_is_refused_does_not_count(signed_in, change, end):
    change(RATE_LIMIT=(1, 3600))
    for _ in range(3):
        assert signed_in.get(query="?jid=").json()["kind"] == "OtherUser"
    response = signed_in.get()
    assert response.status_code == 200
    end(response)


@pytest.mark.parametrize(
    ("headers", "is_fetched"),
    [
        ({"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}, True),
        ({"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "same-origin"}, True),
        ({"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}, False),
        ({"Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "cors"}, False),
        ({"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}, False),
        ({"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"}, False),
        ({"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "no-cors"}, False),
        ({"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Purpose": "prefetch"}, False),
        ({"Purpose": "prefetch"}, False),
        ({}, True),
        ({"Accept": "application/json, text/javascript"}, True),
        ({"Accept": "*/*"}, True),
        ({"Accept": "image/avif,image/webp,image/*,*/*;q=0.8"}, False),
        ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, False),
        ({"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_only_a_script_opens_a_session(signed_in, end, headers, is_fetched):
    response = signed_in.get({"Referer": "http://testserver/"} | headers)
    if is_fetched:
        assert response.status_code == 200
        end(response)
    else:
        assert response.status_code == 403
        assert response.json() == {"kind": "Destination", "retry": "no"}


def test_the_log_says_that_browsers_do_not_reach_the_chat_server(signed_in, end, caplog, servers):
    end(signed_in.get(query="?unreached=404"))
    assert f"{servers['prosody']['http_url']} (HTTP status 404)" in caplog.text
    caplog.clear()
    for status in ("", "4040", "a", "4%0A4"):
        end(signed_in.get(query=f"?unreached={status}"))
    assert "HTTP status" not in caplog.text


@pytest.mark.parametrize("page", ["a/b", "a%20b", "%3Cx%3E", "x" * 65, "%C3%A4", "a%0A"])
def test_a_page_has_a_plain_name(signed_in, page):
    response = signed_in.get(query=f"?page={page}")
    assert response.status_code == 400
    assert response.json() == {"kind": "Page", "retry": "no"}


def test_not_even_djangos_cache_keeps_a_session(signed_in, settings, end):
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    responses = [signed_in.get(), signed_in.get()]
    assert responses[0].json()["sid"] != responses[1].json()["sid"]
    for response in responses:
        end(response)


@pytest.mark.parametrize("status", [200, 401, 403, 405])
def test_every_answer_is_private_json(browser, alice, status, end):
    if status != 401:
        browser.login(alice)
    headers = {"Sec-Fetch-Site": "cross-site" if status == 403 else "same-origin"}
    response = browser.request("put" if status == 405 else "get", headers)
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store, private"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" in response["Vary"]
    assert "Location" not in response
    assert "Access-Control-Allow-Origin" not in response
    if status == 200:
        end(response)


def test_nobody_gets_401_and_no_redirect(browser, db, settings):
    settings.LOGIN_URL = "/login"
    response = browser.get()
    assert response.status_code == 401
    assert response.json() == {"kind": "NotLoggedIn", "retry": "no"}


def test_a_user_who_was_switched_off_gets_401(signed_in, alice):
    alice.is_active = False
    alice.save()
    assert signed_in.get().status_code == 401


@pytest.mark.parametrize("method", ["put", "delete", "patch", "head", "options"])
def test_other_methods_get_405(signed_in, method):
    response = signed_in.request(method)
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://testserver"},
        {"Referer": "http://testserver/some/page?x=1"},
    ],
)
def test_a_page_of_the_site_may_ask(signed_in, headers, end):
    response = signed_in.get(headers)
    assert response.status_code == 200
    end(response)


def test_what_the_site_believes_of_a_proxy_counts(signed_in, settings, end):
    proxied = {"X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}
    page = {"Origin": "https://shop.example"}
    settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
    assert signed_in.get(proxied | page).json()["kind"] == "CrossOrigin"
    settings.USE_X_FORWARDED_HOST = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    response = signed_in.get(proxied | page)
    assert response.status_code == 200
    end(response)


def test_a_proxy_that_keeps_its_port_to_itself(signed_in, end):
    page = {"Referer": "http://testserver:8000/"}
    assert signed_in.get(page).json()["kind"] == "CrossOrigin"
    response = signed_in.get(page | {"X-Forwarded-For": "127.0.0.1"})
    assert response.status_code == 200
    end(response)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "https://testserver"},
        {"Origin": "null"},
        {"Origin": "http://elsewhere.example", "Referer": "http://testserver/"},
        {"Referer": "http://testserver.elsewhere.example/"},
        {"Referer": "http://testserver@elsewhere.example/"},
    ],
)
def test_a_foreign_page_may_not(signed_in, headers):
    response = signed_in.get(headers)
    assert response.status_code == 403
    assert response.json() == {"kind": "CrossOrigin", "retry": "no"}


def test_post_is_as_good_as_get(signed_in, end):
    assert signed_in.request("post", {}).json()["kind"] == "CrossOrigin"
    response = signed_in.request("post")
    assert response.status_code == 200
    end(response)


def test_post_needs_no_csrf_token(alice, end):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post("/prebind", headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 200
    end(response)


def test_a_user_without_chat_gets_403(signed_in, change):
    change(USER_JID="sample.callables.no_chat")
    response = signed_in.get()
    assert response.status_code == 403
    assert response.json() == {"kind": "NoChat", "retry": "no"}
