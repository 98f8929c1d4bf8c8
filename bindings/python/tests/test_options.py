"""Options and credentials: names, forms, and what is wrong with them."""

from __future__ import annotations

import inspect
import json
import random
import re
from datetime import timedelta

import prebind
import pytest
from conftest import ACCOUNT, ROOT

URL = "https://chat.example.org/http-bind"

#: Values that are accepted, of every form that is.
GOOD = {
    "lang": ["de", None],
    "wait": [30],
    "hold": [2],
    "route": ["xmpp:example.org:9999", None],
    "resource": ["web", None],
    "floor": ["PLAIN", "SCRAM-SHA-512"],
    "digest_md5": [True],
    "allow_cleartext": [True],
    "fast": [True],
    "iterations": [(4096, 10_000), [1, 2]],
    "scram_cache": [0, 1_000_000],
    "headers": [{"Authorization": "Basic eDp5"}, {}],
    "ca": [None],
    "client_certificate": [None],
    "proxy": ["socks5://127.0.0.1:1080", None],
    "ip_family": ["any", "ipv4", "ipv6"],
    "deadline": [3, 0.5, timedelta(seconds=2)],
    "resolve_timeout": [1],
    "connect_timeout": [1.5],
    "request_timeout": [timedelta(minutes=1)],
    "fail_fast_after": [0],
    "fail_fast_for": [10],
    "max_reply": [4096],
    "learn": [False],
    "relearn_after": [60, timedelta(minutes=5)],
    "profile": [None, "", "garbage"],
}

#: Values that are not: of another type, too large, too small, nonsense.
BAD = {
    "lang": [1, ""],
    "wait": ["30", -1, 0, 70_000, 1.5],
    "hold": [0, 256],
    "route": [b"x", "\0"],
    "resource": [1, ""],
    "floor": ["plain", 1, None],
    "digest_md5": ["yes"],
    "allow_cleartext": [1],
    "fast": [1, None],
    "iterations": [4096, (4096,), (2, 1), (0, 1), ("a", "b")],
    "scram_cache": [-1, "many", 2**70],
    "headers": ["Authorization: x", {"a b": "c"}, {"a": 1}, {"a": "\n"}, 7],
    "ca": ["no PEM", b"no PEM", 1, ""],
    "client_certificate": ["x", ("a",), ("a", "b"), (b"\xff", b"\xff")],
    "proxy": ["not a proxy", 1],
    "ip_family": ["ipv5", 4],
    "deadline": ["5", None, -1, 0, float("nan"), float("inf"), 1e300, 3601, timedelta(-1)],
    "resolve_timeout": [0],
    "connect_timeout": [-0.1],
    "request_timeout": [[]],
    "fail_fast_after": [-1, 1.5],
    "fail_fast_for": [-1],
    "max_reply": [0, 2**70],
    "learn": ["no", None],
    "relearn_after": [0, -1, None, 3601],
    "profile": [1, b"{}"],
}


def pairs(table):
    return [
        pytest.param(name, value, id=f"{name}={value!r}") for name in table for value in table[name]
    ]


@pytest.mark.parametrize(("name", "value"), pairs(GOOD))
def test_good(name, value):
    assert isinstance(prebind.Client(URL, **{name: value}), prebind.Client)


@pytest.mark.parametrize(("name", "value"), pairs(BAD))
def test_bad(name, value):
    with pytest.raises(prebind.ConfigError, match=f"^{name}: ") as caught:
        prebind.Client(URL, **{name: value})
    assert caught.value.field == name
    assert (caught.value.stage, caught.value.retry) == ("configure", "after-config-change")


def test_an_option_that_there_is_not():
    with pytest.raises(TypeError, match="deadlin"):
        prebind.Client(URL, deadlin=3)


def test_options_are_those_of_the_library():
    source = (ROOT / "core/src/config.rs").read_text()
    fields = re.findall(
        r"^    pub (\w+): ", source.split("pub struct Config {")[1].split("\n}")[0], re.M
    )
    assert fields[0] == "url"
    assert set(fields[1:]) == set(prebind.Options.__annotations__) == set(GOOD) == set(BAD)


def test_credentials_are_those_of_client_prebind():
    parameters = inspect.signature(prebind.Client.prebind).parameters.values()
    keywords = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
    assert keywords == set(prebind.Credentials.__annotations__)


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"password": None},
        {"password": "a", "token": "b"},
        {"anonymous": True, "external": True},
        {"anonymous": False},
        {"password": "a", "initial_response": "b"},
        {"authcid": "alice"},
    ],
)
def test_exactly_one_proof(credentials):
    with pytest.raises(prebind.ConfigError, match="only one") as caught:
        prebind.Client(URL).prebind("alice@example.org", **credentials)
    assert caught.value.field == "credentials"


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        ({"token": ""}, "password"),
        ({"oauthbearer": "a b"}, "token"),
        ({"initial_response": "x"}, "mechanism"),
        ({"mechanism": "external"}, "mechanism"),
        ({"mechanism": "password", "initial_response": "x"}, "mechanism"),
        ({"scram_keys": prebind.ScramKeys("SHA-3", b"s", 1, b"", b"")}, "hash"),
        ({"scram_keys": prebind.ScramKeys("SHA-1", b"s", 1, b"k", b"k")}, "credentials"),
        (
            {"scram_salted_password": prebind.ScramSaltedPassword("SHA-1", b"s", 1, b"k")},
            "credentials",
        ),
        ({"password": "x", "authzid": ""}, "authzid"),
    ],
)
def test_credentials_that_cannot_be_sent(credentials, field):
    with pytest.raises(prebind.ConfigError) as caught:
        prebind.Client(URL).prebind("alice@example.org", **credentials)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "credentials", [{"password": b"x"}, {"token": 1}, {"scram_keys": "x"}, {"pass": "x"}]
)
def test_credentials_of_another_type(credentials):
    with pytest.raises((prebind.ConfigError, TypeError)):
        prebind.Client(URL).prebind("alice@example.org", **credentials)


def test_stored_keys_are_not_shown():
    keys = prebind.ScramKeys("SHA-1", b"salt", 4096, b"client", b"server")
    salted = prebind.ScramSaltedPassword("SHA-1", b"salt", 4096, b"salted")
    assert repr(keys) == "ScramKeys('SHA-1', ***)"
    assert repr(salted) == "ScramSaltedPassword('SHA-1', ***)"


def test_headers_and_deadline_arrive(faulty):
    with faulty("no-headers") as server:
        client = server.client(headers={"X-Site": "shop"}, deadline=timedelta(milliseconds=200))
        with pytest.raises(prebind.TimeoutError):
            client.prebind(*ACCOUNT)
    assert "shop" in json.dumps(server.output["requests"])


def test_nonsense_never_panics():
    """What is wrong is a `PrebindError`, never a panic, which no `except Exception` would catch."""
    draw = random.Random(6120)
    alphabet = "a@/.:\\ '\"&<>\0\n\x7f\u00ad\u0660\u200b\ud83d\udca9\ufb01\U0001f600İß%[]é"
    client = prebind.Client("http://127.0.0.1:9/", fail_fast_after=1, fail_fast_for=60)
    outcomes = set()
    for _ in range(3000):
        text = "".join(draw.choices(alphabet, k=draw.randrange(12)))
        for call in (
            lambda text=text: prebind.jid_from_user(text, "example.org"),
            lambda text=text: prebind.jid_from_user("alice", text),
            lambda text=text: client.prebind(text, "secret"),
            lambda text=text: client.prebind("alice@example.org", text),
            lambda text=text: prebind.Client(text),
            lambda text=text: client.terminate(sid=text, rid=1),
        ):
            try:
                call()
            except (prebind.PrebindError, UnicodeEncodeError) as error:
                outcomes.add(type(error).__name__)
    assert outcomes >= {"ConfigError", "TimeoutError"}
    assert "InternalError" not in outcomes
