"""The site's workers do not all wait for the chat server."""

import sys
import threading
from types import SimpleNamespace

import prebind
import pytest
from django.test import AsyncRequestFactory, RequestFactory
from prebind.django import chat, workers


@pytest.fixture
def gevent(monkeypatch):
    """As if gevent had replaced the threads; what is called in its pool."""
    pool = SimpleNamespace(maxsize=10, called=[])

    def apply(call):
        pool.called.append(call)
        return call()

    pool.apply = apply
    monkey = SimpleNamespace(is_module_patched=lambda name: name == "threading")
    hub = SimpleNamespace(threadpool=pool)
    monkeypatch.setitem(sys.modules, "gevent", SimpleNamespace(get_hub=lambda: hub))
    monkeypatch.setitem(sys.modules, "gevent.monkey", monkey)
    return pool


@pytest.fixture
def made(monkeypatch):
    """The options of the clients that are made."""
    options = []
    monkeypatch.setattr(prebind, "Client", lambda _url, **given: options.append(given))
    return options


@pytest.mark.parametrize(("is_threaded", "count"), [(False, 1), (True, 2)])
def test_wsgi(is_threaded, count):
    request = RequestFactory().get("/prebind", **{"wsgi.multithread": is_threaded})
    assert workers.of(request) == count


def test_asgi():
    assert workers.of(AsyncRequestFactory().get("/prebind")) == 32


def test_gevent(gevent):
    assert workers.of(RequestFactory().get("/prebind")) == 10
    assert workers.aside(lambda: "opened") == "opened"
    assert len(gevent.called) == 1


def test_without_gevent_nothing_is_put_aside():
    assert workers.aside(threading.get_ident) == threading.get_ident()


def test_a_client_of_the_site(made):
    chat.client(3)
    assert (made[0]["workers"], made[0]["deadline"]) == (3, 3)


def test_a_client_of_a_command(made):
    chat.client()
    assert made[0]["workers"] == 0


def test_the_settings_come_first(made, change):
    change(OPTIONS={"workers": 4, "deadline": 2, "max_host_calls": 7})
    chat.client(1)
    assert {"workers": 4, "deadline": 2, "max_host_calls": 7}.items() <= made[0].items()


def test_the_browser_is_told_when_to_ask_again(signed_in, fail_with):
    fail_with(
        prebind.TimeoutError("as many as may be", stage="create", retry="later", retry_after=7)
    )
    response = signed_in.get()
    assert response.status_code == 503
    assert response.json() == {"kind": "Timeout", "retry": "later"}
    assert response["Retry-After"] == "7"


def test_the_browser_is_not_told_what_nobody_knows(signed_in, fail_with):
    fail_with(prebind.ConnectError("nobody listens", stage="create", retry="later"))
    assert "Retry-After" not in signed_in.get()
