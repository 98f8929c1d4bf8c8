"""Every exchange of tests/vectors that can be replayed, byte for byte."""

from __future__ import annotations

import base64
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import prebind
import pytest
from conftest import ROOT, Faulty


def cases():
    command = ["faults", "replay", "--list", "tests/vectors"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in listed.stdout.splitlines()]


CASES = cases()


def credentials(given):
    """The arguments of `Client.prebind` for the credentials of a vector."""
    for name, tuple_ in [
        ("scram_keys", prebind.ScramKeys),
        ("scram_salted_password", prebind.ScramSaltedPassword),
    ]:
        if name in given:
            fields = {
                key: base64.b64decode(value)
                if key in ("salt", "salted_password") or "key" in key
                else value
                for key, value in given[name].items()
            }
            given = {**given, name: tuple_(**fields)}
    return given


def options(config):
    """The options of `Client` for the configuration of a vector."""
    return {name: value for name, value in config.items() if name != "url"}


def play(case):
    """The replayed server, and what came of the call."""
    with Faulty("replay", case["case"]) as server:
        try:
            client = server.client(**options(case["config"]))
            account = case["account"]
            result = client.prebind(account["jid"], **credentials(account["credentials"]))
        except prebind.PrebindError as error:
            result = error
    return server, result


@pytest.fixture(scope="module")
def played():
    """All cases, played by a few threads at once."""
    with ThreadPoolExecutor(4) as pool:
        yield {case["name"]: pool.submit(play, case) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vector(case, played):
    server, result = played[case["name"]].result()
    assert server.status == 0, server.stderr
    expect = server.output["expect"]
    if "error" in expect:
        assert isinstance(result, prebind.PrebindError), result
        assert type(result) is getattr(prebind, expect["error"]["kind"] + "Error")
        got = {name: getattr(result, name) for name in expect["error"]}
        assert got == expect["error"]
    else:
        assert isinstance(result, prebind.Session), result
        cookies = [dict(zip(("name", "value", "path"), cookie)) for cookie in result.cookies]
        got = {name: getattr(result, name) for name in expect["session"]}
        assert {**got, **({"cookies": cookies} if "cookies" in got else {})} == expect["session"]
        assert result.as_dict() == {name: got[name] for name in ("jid", "sid", "rid")}


def test_all_kinds_a_vector_can_have_are_there():
    kinds = {case["expect"]["error"]["kind"] for case in CASES if "error" in case["expect"]}
    assert kinds >= {"Auth", "Bind", "Config", "Http", "Mechanism", "Protocol", "Terminated"}
    assert len(CASES) > 400
