"""No user opens sessions without end."""

import time

import prebind
from sample.models import Person


def test_too_many(signed_in, change, end):
    change(RATE_LIMIT=(2, 3600))
    for _ in range(2):
        end(signed_in.get())
    response = signed_in.get()
    assert response.status_code == 429
    assert response.json() == {"kind": "RateLimit", "retry": "later"}
    assert 0 < int(response["Retry-After"]) <= 3600
    assert response["Cache-Control"] == "no-store, private"


def test_each_user_has_their_own(signed_in, change, servers, end):
    change(RATE_LIMIT=(1, 3600))
    end(signed_in.get())
    assert signed_in.get().status_code == 429
    password = servers["prosody"]["accounts"]["bob"]
    signed_in.login(Person.objects.create_user("bob", xmpp_password=password))
    response = signed_in.get()
    assert response.json()["jid"].startswith("bob@localhost/")
    end(response)


def test_after_a_while_it_is_allowed_again(signed_in, change, fail_with):
    change(RATE_LIMIT=(1, 1))
    fail_with(prebind.ConnectError("down"))
    # Sooner or later two calls are in the same second, and then one is in the next.
    deadline = time.monotonic() + 60
    statuses = []
    while statuses[-2:] != [429, 503]:
        assert time.monotonic() < deadline, statuses
        statuses.append(signed_in.get().status_code)
    assert set(statuses) == {429, 503}


def test_none_is_no_limit(signed_in, change, fail_with):
    change(RATE_LIMIT=None)
    fail_with(prebind.ConnectError("down"))
    assert {signed_in.get().status_code for _ in range(40)} == {503}


def test_who_is_refused_is_not_counted(signed_in, change, end):
    change(RATE_LIMIT=(1, 3600))
    for _ in range(3):
        assert signed_in.get({}).status_code == 403
    end(signed_in.get())
