#!/usr/bin/env python3
"""Every exchange of tests/vectors that can be replayed, through the Python that UniFFI writes.

That is only a vehicle for testing what all languages of UniFFI's share: for Python there is
bindings/python. The command `faults` is looked for in the PATH.

    bindings/uniffi/tests/vectors.py FOLDER

FOLDER has the code and the library.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import prebind_uniffi as native  # noqa: E402
from prebind_uniffi import Value  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]

DETAILS = ("stage", "condition", "text", "retry")


def main() -> int:
    listed = subprocess.run(
        ["faults", "replay", "--list", "tests/vectors"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    cases = [json.loads(line) for line in listed.stdout.splitlines()]
    with ThreadPoolExecutor(4) as pool:
        problems = list(pool.map(checked, cases))
    failed = 0
    for case, problem in zip(cases, problems):
        if problem:
            failed += 1
            print(f"test {case['name']} ... FAILED\n{problem}")
    outcome = "FAILED" if failed or len(cases) <= 400 else "ok"
    print(f"test result: {outcome}. {len(cases) - failed} passed; {failed} failed")
    return outcome != "ok"


def checked(case: dict) -> str | None:
    """What is wrong with a case, if anything."""
    pipe = subprocess.PIPE
    command = ["faults", "replay", case["case"]]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as server:
        started = json.loads(server.stdout.readline())
        got = outcome(started, case)
        stdout, stderr = server.communicate(timeout=60)
    if server.returncode:
        return stderr
    expect = json.loads(stdout.splitlines()[-1])["expect"]
    sort = "error" if "error" in expect else "session"
    if sort in got and all(got[sort][name] == wanted for name, wanted in expect[sort].items()):
        return None
    return f"expected {expect}\ngot      {got}"


def outcome(started: dict, case: dict) -> dict:
    """The session or the error, in the form of a case's `expect`."""
    options = {name: value(given) for name, given in case["config"].items() if name != "url"}
    if "ca" in started:
        options["ca"] = value(started["ca"])
    account = case["account"]
    try:
        client = native.Client(started["url"], options)
        session = client.prebind(account["jid"], named(account["credentials"]))
    except native.PrebindError as error:
        details = {name: getattr(error.details, name) for name in DETAILS}
        return {"error": {"kind": type(error).__name__, **details}}
    seconds = {name: getattr(session, name) for name in ("inactivity", "wait")}
    plain = ("jid", "sid", "rid", "hold", "requests", "mechanism", "round_trips", "fast_token")
    handed = json.loads(session.to_json())
    assert handed == {name: getattr(session, name) for name in ("jid", "sid", "rid")}
    shown = f"{session} {session!r} {session.opened!r} {named(account['credentials'])}"
    hidden = (session.sid, str(session.rid), str(session.last_rid), session.fast_token, *session.cookies)
    assert session.mechanism in shown
    assert not any(secret and secret in shown for secret in hidden), shown
    return {
        "session": {
            **{name: getattr(session, name) for name in plain},
            **{name: time and time.total_seconds() for name, time in seconds.items()},
            "cookies": [dict(zip(("name", "value"), each.split("=", 1))) for each in session.cookies],
        }
    }


def named(given: dict) -> dict:
    return {name: value(each, name) for name, each in given.items()}


def value(given: object, name: str = "") -> Value:
    """An option or credential of a case as the library takes it."""
    if given is None:
        return Value.NOTHING()
    if isinstance(given, bool):
        return Value.FLAG(given)
    if isinstance(given, int):
        return Value.WHOLE(given)
    if isinstance(given, list):
        return Value.SEVERAL([value(each) for each in given])
    if isinstance(given, dict):
        return Value.FIELDS(named(given))
    if name in ("salt", "salted_password", "client_key", "server_key"):
        return Value.BYTES(base64.b64decode(given))
    return Value.TEXT(given)


if __name__ == "__main__":
    sys.exit(main())
