"""What is logged, and that nothing secret is."""

from __future__ import annotations

import logging
import subprocess
import sys

import prebind
import pytest
from conftest import ACCOUNT, ENVIRONMENT


@pytest.fixture
def log(caplog):
    caplog.set_level(5, "prebind")
    return caplog


def test_nothing_secret_is_logged(server, log):
    client = server.client(headers={"X-Site": "header-secret"})
    sessions = [
        client.prebind(*ACCOUNT),
        client.prebind("alice@localhost", token="wonder-1"),
        client.prebind("alice@localhost", mechanism="PLAIN", initial_response="\0alice\0wonder-1"),
    ]
    with pytest.raises(prebind.AuthError):
        client.prebind("alice@localhost", "wrong-password")
    for session in sessions:
        client.terminate(session)
    assert log.text.count("session opened") == 3
    assert "alice@localhost" in log.text
    secrets = ["wonder-1", "wrong-password", "header-secret", "AGFsaWNl"]
    secrets += [
        value
        for session in sessions
        for value in (session.sid, str(session.rid), str(session.last_rid))
    ]
    for secret in secrets:
        assert secret not in log.text


def test_levels(prosody, log):
    client = prosody.client()
    session = client.prebind(*ACCOUNT)
    client.terminate(session)
    levels = {(record.name, record.levelno) for record in log.records}
    assert levels == {("prebind", 5), ("prebind", 10), ("prebind", 20), ("prebind.wire", 5)}
    [opened] = [record.getMessage() for record in log.records if record.levelno == logging.INFO]
    assert opened.startswith("session opened ")
    for part in (
        'host="127.0.0.1"',
        "jid=alice@localhost",
        'mechanism="SCRAM-SHA-1"',
        "round_trips=5",
    ):
        assert part in opened
    sent = [record for record in log.records if record.getMessage().startswith("sent ")]
    assert len(sent) == 6
    assert {record.name for record in sent} == {"prebind.wire"}


def test_a_level_can_be_changed_between_calls(prosody, caplog):
    client = prosody.client()
    counts = []
    for level in (logging.WARNING, logging.INFO, logging.DEBUG, 5, logging.WARNING, logging.INFO):
        caplog.set_level(level, "prebind")
        caplog.clear()
        client.terminate(client.prebind(*ACCOUNT))
        counts.append(len(caplog.records))
    assert counts[0] == 0
    assert counts[1] == 1
    assert 1 < counts[2] < counts[3]
    assert counts[4:] == [0, 1]


def test_a_failure_is_a_warning(caplog):
    with pytest.raises(prebind.ConnectError) as caught:
        prebind.Client("http://127.0.0.1:9/").prebind(*ACCOUNT)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("prebind", logging.WARNING)
    assert str(caught.value) in record.getMessage()
    assert "jid=alice@localhost" in record.getMessage()


def test_a_handler_that_fails_does_not_disturb(prosody, log, monkeypatch):
    class Failing(logging.Handler):
        def emit(self, record):
            raise RuntimeError(record)

    raised = []
    monkeypatch.setattr(sys, "unraisablehook", raised.append)
    handler = Failing()
    logging.getLogger("prebind").addHandler(handler)
    try:
        session = prosody.client().prebind(*ACCOUNT)
    finally:
        logging.getLogger("prebind").removeHandler(handler)
    prosody.client().terminate(session)
    assert raised
    assert all(isinstance(each.exc_value, RuntimeError) for each in raised)


def test_silent_unless_asked():
    script = """
import prebind
try:
    prebind.prebind("http://127.0.0.1:9/", "alice@localhost", "secret")
except prebind.ConnectError:
    pass
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_import_makes_nothing():
    script = """
import logging, os, threading
def state():
    files, threads = (sorted(os.listdir(f"/proc/self/{what}")) for what in ("fd", "task"))
    return files, threads, logging.root.handlers
before = state()
import prebind
assert state() == before, (before, state())
prebind.Client("https://chat.example.org/")
assert state() == before, (before, state())
"""
    subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, check=True)
