"""The cookie of a balancer in front of the chat server, for the browser."""

import json
import subprocess
import urllib.request

import pytest


@pytest.fixture(scope="module")
def balancer():
    """Two Prosody, which share no sessions, behind a balancer that goes by a cookie."""
    command = ["servers", "sticky", "--no-limits", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield json.loads(process.stdout.readline())["prosody"]["http_url"]
        process.stdin.close()


@pytest.fixture
def balanced(signed_in, change, settings, balancer):
    """A browser, on a site at 127.0.0.1 whose chat server is behind the balancer."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.USE_X_FORWARDED_HOST = True
    change(URL=balancer)
    return signed_in


def asked(browser, host="127.0.0.1"):
    return browser.get({"Sec-Fetch-Site": "same-origin", "X-Forwarded-Host": host})


def test_the_cookie_leads_the_browser_to_the_node_of_its_session(balanced, balancer):
    nodes = set()
    for _ in range(4):
        response = asked(balanced)
        cookie = response.cookies["SRV"]
        assert cookie.output(header="") == f" SRV={cookie.value}; HttpOnly; Path=/; SameSite=Strict"
        nodes.add(cookie.value)
        assert "condition" not in left(balancer, response.json(), f"SRV={cookie.value}")
    assert nodes == {"s0", "s1"}


def left(balancer, session, cookie):
    """What the chat server answers a browser that ends its session."""
    namespace = "http://jabber.org/protocol/httpbind"
    names = f"sid='{session['sid']}' rid='{session['rid']}' type='terminate'"
    body = f"<body xmlns='{namespace}' {names}/>"
    request = urllib.request.Request(balancer, body.encode(), {"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


@pytest.mark.parametrize(
    ("browser_url", "is_set"),
    [
        ("/http-bind", True),
        ("https://127.0.0.1:5281/http-bind", True),
        ("https://chat.example.org/http-bind", False),
    ],
)
def test_it_is_set_where_browsers_find_the_chat_at_the_host_of_the_site(
    balanced, change, settings, browser_url, is_set
):
    change(BROWSER_URL=browser_url)
    # As if each request came by https.
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_SEC_FETCH_SITE", "same-origin")
    response = asked(balanced)
    assert ("SRV" in response.cookies) == is_set
    if is_set:
        assert response.cookies["SRV"]["secure"] is True
    # Its node may be the other one: it ends by itself.


def test_without_a_balancer_there_is_none(signed_in, end):
    response = signed_in.get()
    assert not response.cookies
    end(response)
