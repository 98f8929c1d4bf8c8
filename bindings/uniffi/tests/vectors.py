#!/usr/bin/env python3
"""Every exchange of tests/vectors that can be replayed, through the Python that UniFFI writes.

That is only a vehicle for testing what all languages of UniFFI's share: for Python there is
bindings/python. The command `faults` is looked for in the PATH.

    bindings/uniffi/tests/vectors.py FOLDER

FOLDER has the code and the library. The results go to PREBIND_RESULTS as JUnit XML, if that is set.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

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
    for case, problem in zip(cases, problems):
        if problem:
            print(f"{case['name']}: {problem}")
    write_results(cases, problems)
    failed = sum(map(bool, problems))
    print(f"{len(cases)} cases, {failed} failed")
    return failed != 0


def write_results(cases: list[dict], problems: list[str | None]) -> None:
    folder = os.environ.get("PREBIND_RESULTS")
    if not folder:
        return
    suite = ElementTree.Element("testsuite")
    for case, problem in zip(cases, problems):
        element = ElementTree.SubElement(suite, "testcase", name=case["name"])
        if problem:
            ElementTree.SubElement(element, "failure")
    ElementTree.ElementTree(suite).write(Path(folder) / "vectors.xml")


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
        pause = error.details.retry_after
        details["retry_after"] = None if pause is None else pause.total_seconds()
        return {"error": {"kind": type(error).__name__, **details}}
    seconds = {name: getattr(session, name) for name in ("inactivity", "wait")}
    plain = ("jid", "sid", "rid", "hold", "requests", "mechanism", "round_trips", "fast_token")
    handed = json.loads(session.to_json())
    assert handed == {name: getattr(session, name) for name in ("jid", "sid", "rid")}
    shown = f"{session} {session!r} {session.opened!r} {named(account['credentials'])}"
    hidden = (session.sid, str(session.rid), str(session.last_rid), session.fast_token, *(cookie.value for cookie in session.cookies))
    assert session.mechanism in shown
    assert not any(secret and secret in shown for secret in hidden), shown
    return {
        "session": {
            **{name: getattr(session, name) for name in plain},
            **{name: time and time.total_seconds() for name, time in seconds.items()},
            "cookies": [vars(each) for each in session.cookies],
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
