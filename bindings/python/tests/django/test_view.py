"""The view, sync and async, against a real chat server."""

import json

import prebind
import pytest
from django.test import Client
from prebind.django import guard, views


def test_a_session_is_exactly_what_converse_wants(signed_in, end):
    response = signed_in.get()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    session = json.loads(response.content)
    assert sorted(session) == ["jid", "rid", "sid"]
    assert session["jid"].startswith("alice@localhost/")
    assert isinstance(session["rid"], int)
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


@pytest.mark.parametrize(
    ("host", "page"), [("testserver", "TestServer"), ("TestServer", "testserver")]
)
def test_a_host_in_capitals_is_the_same(rf, host, page):
    assert guard.is_same_origin(rf.get("/", headers={"Host": host, "Origin": f"http://{page}"}))


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


def test_post_needs_a_csrf_token(alice, end):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post("/prebind", headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 403
    assert response.json() == {"kind": "Csrf", "retry": "no"}

    token = "a" * 32
    client.cookies["csrftoken"] = token
    response = client.post("/prebind", headers={"X-CSRFToken": token})
    assert response.status_code == 200
    end(response)


def test_post_needs_it_even_if_the_sites_middleware_is_gone(alice, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/prebind").json()["kind"] == "Csrf"


def test_a_user_without_chat_gets_403(signed_in, change):
    change(USER_JID="sample.callables.no_chat")
    response = signed_in.get()
    assert response.status_code == 403
    assert response.json() == {"kind": "NoChat", "retry": "no"}


def test_no_transaction_stays_open_meanwhile(signed_in, settings, end):
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True
    try:
        response = signed_in.get()
    finally:
        del settings.DATABASES["default"]["ATOMIC_REQUESTS"]
    assert response.status_code == 200
    for view in (views.session, views.asession):
        assert view._non_atomic_requests == {"default"}
    end(response)
