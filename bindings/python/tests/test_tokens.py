"""What `prebind.Jwt` issues and refuses, as tests/vectors/tokens.json has it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import prebind
import pytest
from prebind import _prebind

FILE = json.loads((Path(__file__).resolve().parents[3] / "tests/vectors/tokens.json").read_text())
#: Those that need no rule for who the user is, and no issuer: Python has none.
TOKENS = [row for row in FILE["tokens"] if "user" not in row and "issuer" not in row]


def keys(row):
    return tuple(FILE["keys"][name] for name in row["keys"])


@pytest.mark.parametrize("row", TOKENS, ids=lambda row: row["name"])
def test_a_token_is_accepted_or_refused(row):
    jwt = {"keys": keys(row), "audience": row.get("audience")}
    jid = row.get("account", "alice@example.org")
    refusal = _prebind.refusal(row["token"], jid, jwt, row.get("now", FILE["now"]))
    assert refusal == row["expect"].get("refusal")


@pytest.mark.parametrize("row", FILE["issued"], ids=lambda row: row["name"])
def test_a_token_that_is_issued(row):
    more = {name: row.get(name) for name in ("lifetime", "audience", "claims")}
    jwt = prebind.Jwt(keys(row), **more)
    token = jwt.issue(row["jid"])
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert json.loads(header) == row["header"]
    claims, expected = json.loads(claims), dict(row["payload"])
    issued = claims["iat"]
    shift = issued - FILE["now"]
    for name in ("iat", "nbf", "exp"):
        expected[name] += shift
    assert claims == expected
    assert jwt.refusal(row["jid"], token) is None
    assert jwt.refusal("bob@example.org", token) == "OtherUser"


def test_a_token_for_one_login():
    def jti(once):
        token = prebind.Jwt(FILE["keys"]["hs256"], once=once).issue("alice@example.org")
        return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")).get("jti")

    one, other = jti(True), jti(True)
    assert len(one) == len(other) == 22
    assert one != other
    assert jti(None) is None


@pytest.mark.parametrize("row", FILE["keys_refused"], ids=lambda row: row["name"])
def test_what_is_no_key(row):
    for call in (
        prebind.Jwt(row["key"]).issue,
        lambda jid: prebind.Jwt(row["key"]).refusal(jid, ""),
    ):
        with pytest.raises(prebind.ConfigError):
            call("alice@example.org")


@pytest.mark.parametrize("row", FILE["server_sides"], ids=lambda row: row["name"])
def test_a_chat_servers_side_of_a_key(row):
    jwt, expect = prebind.Jwt(keys(row)), row["expect"]
    call = jwt.for_ejabberd if row["server"] == "ejabberd" else jwt.for_prosody
    if "field" in expect:
        with pytest.raises(prebind.ConfigError) as raised:
            call(row["domain"])
        assert raised.value.field == expect["field"]
        return
    side = call(row["domain"])
    assert side._asdict() == expect
    assert expect["file"] not in repr(side)


def test_a_new_key():
    key = json.loads(prebind.Jwt.new_key())
    assert (key["alg"], len(key["kid"])) == ("HS256", 16)
    made = prebind.Jwt.new_key("ES256", "2026-11")
    assert (json.loads(made)["alg"], json.loads(made)["kid"]) == ("ES256", "2026-11")
    jwt = prebind.Jwt(made)
    assert jwt.refusal("alice@example.org", jwt.issue("alice@example.org")) is None
    with pytest.raises(prebind.ConfigError, match="RSA keys are not made here"):
        prebind.Jwt.new_key("RS256")
