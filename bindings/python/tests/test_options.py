"""Options and credentials: names, forms, and what is wrong with them."""

from __future__ import annotations

import ast
import inspect
import json
import random
import re
from datetime import timedelta
from types import MappingProxyType

import prebind
import pytest
from conftest import ACCOUNT, ROOT
from prebind import _prebind

URL = "https://chat.example.org/http-bind"

#: What there is, as the library says it.
SCHEMA = json.loads(_prebind.schema())
OPTIONS = {option["name"]: option for option in SCHEMA["options"]}
CREDENTIALS = {argument["name"]: argument for argument in SCHEMA["credentials"]}

#: The values that all languages share.
VALUES = json.loads((ROOT / "tests/vectors/options.json").read_text())

#: Values that are accepted, of the forms that JSON does not have.
NATIVE_GOOD = {
    "iterations": [(4096, 10_000)],
    "ca": [VALUES["options"]["ca"]["good"][0].encode()],
    "client_certificate": [
        tuple(pem.encode() for pem in VALUES["options"]["client_certificate"]["good"][0])
    ],
    "accounts": [
        prebind.Accounts("svc@example.org", "x", "https://chat.example.org/api", "staff"),
        prebind.Accounts("admin@example.org", "x"),
    ],
    "headers": [MappingProxyType({"X-Site": "shop"})],
    "deadline": [timedelta(seconds=2)],
    "relearn_after": [timedelta(minutes=5)],
}

#: Values that are not.
NATIVE_BAD = {
    "route": [b"x"],
    "ca": [b"no PEM"],
    "client_certificate": [(b"\xff", b"\xff")],
    "deadline": [float("nan"), float("inf"), timedelta(-1), timedelta(hours=2)],
    "profile": [b"{}"],
}

#: The annotation of an option, by its type.
ANNOTATIONS = {
    "flag": "bool",
    "count": "int",
    "range": "tuple[int, int]",
    "seconds": "Seconds",
    "choice": "str",
    "text": "str",
    "pem": "Pem",
    "certificate": "tuple[Pem, Pem]",
    "headers": "Mapping[str, str]",
    "record": "Accounts",
}


def pairs(kind, native):
    shared = [
        (name, value) for name in VALUES["options"] for value in VALUES["options"][name][kind]
    ]
    own = [(name, value) for name in native for value in native[name]]
    return [
        pytest.param(name, value, id=f"{name}={value!r}"[:60]) for name, value in [*shared, *own]
    ]


@pytest.mark.parametrize(("name", "value"), pairs("good", NATIVE_GOOD))
def test_good(name, value):
    assert isinstance(prebind.Client(VALUES["url"], **{name: value}), prebind.Client)


@pytest.mark.parametrize(("name", "value"), pairs("bad", NATIVE_BAD))
def test_bad(name, value):
    with pytest.raises(prebind.ConfigError, match=f"^{name}: ") as caught:
        prebind.Client(VALUES["url"], **{name: value})
    assert caught.value.field == name
    refused = VALUES["refused"]
    assert {key: getattr(caught.value, key) for key in refused} == refused


def test_an_option_that_there_is_not():
    with pytest.raises(TypeError, match="deadlin"):
        prebind.Client(URL, deadlin=3)


def test_options_are_those_of_the_library():
    def annotation(option):
        return ANNOTATIONS[option["type"]] + (" | None" if option["optional"] else "")

    ours = {name: each.__forward_arg__ for name, each in prebind.Options.__annotations__.items()}
    assert ours == {name: annotation(option) for name, option in OPTIONS.items()}
    assert set(VALUES["options"]) == set(OPTIONS)


def described():
    """What the source says of each option, which Python itself does not keep."""
    body = ast.parse(inspect.getsource(prebind.Options)).body[0].body
    return {
        option.target.id: " ".join(text.value.value.split())
        for option, text in zip(body, body[1:])
        if isinstance(option, ast.AnnAssign)
    }


def in_words(default):
    if default in (None, {}):
        return "none"
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, list):
        return " to ".join(map(in_words, default))
    return f"`{default}`" if isinstance(default, str) else f"{default:,}"


@pytest.mark.parametrize("name", OPTIONS)
def test_the_default_of_an_option_is_documented(name):
    default = in_words(OPTIONS[name]["default"])
    said = re.findall(r"[Dd]efault (.+?)(?:[.,;:)]\s|\.$)", described()[name])
    assert said == [default] or (default == "none" and not said)


def test_credentials_are_those_of_the_library():
    parameters = inspect.signature(prebind.Client.prebind).parameters.values()
    keywords = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
    assert keywords == set(prebind.Credentials.__annotations__)
    assert {*keywords, "password"} == set(CREDENTIALS)
    for name, type_ in [
        ("jwt", prebind.Jwt),
        ("x_oauth2_issuer", prebind.XOAuth2Issuer),
        ("scram_keys", prebind.ScramKeys),
        ("scram_salted_password", prebind.ScramSaltedPassword),
    ]:
        fields = [*CREDENTIALS[name]["fields"], *CREDENTIALS[name].get("optional_fields", [])]
        assert list(type_._fields) == fields
    for name in CREDENTIALS:
        assert f"`{name}" in prebind.Client.prebind.__doc__, name


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
        ({"password": "x", "nickname": ""}, "nickname"),
        ({"x_oauth2_issuer": prebind.XOAuth2Issuer("x", "a@b", "c")}, "x_oauth2_issuer"),
        (
            {"x_oauth2_issuer": prebind.XOAuth2Issuer("https://a/api", "a@b", "c", 0.5)},
            "x_oauth2_issuer",
        ),
        ({"jwt": prebind.Jwt("x")}, "jwt"),
        ({"jwt": prebind.Jwt([], lifetime=5)}, "key"),
        ({"jwt": prebind.Jwt("x" * 31, "HS256")}, "key"),
        ({"jwt": prebind.Jwt("x" * 32, "HS256", lifetime=0.5)}, "lifetime"),
        ({"jwt": prebind.Jwt("x" * 32, "HS256", claims={"exp": None})}, "claims"),
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
    assert repr(prebind.Jwt("secret", "HS256")) == "Jwt(***)"
    assert repr(prebind.Accounts("a@b", "secret")) == "Accounts('a@b', ***)"
    issuer = prebind.XOAuth2Issuer("https://a/api", "a@b", "secret")
    assert repr(issuer) == "XOAuth2Issuer('https://a/api', 'a@b', ***)"
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


def test_extras():
    session = prebind.Session("alice@localhost/1", "the-sid", 7, inactivity=60, wait=55)
    extras = {"last_rid": 6, "wait": 55, "inactivity": 60}
    assert session.as_dict(*SCHEMA["extras"]) == session.as_dict() | extras
    assert json.loads(session.to_json("wait")) == session.as_dict("wait")
    with pytest.raises(
        ValueError, match="no value 'password'; there are only last_rid, wait, inac"
    ):
        session.as_dict("password")
