"""Handlers of the log that make calls, raise, or let another task go on with one."""

from __future__ import annotations

import logging
import subprocess
import sys

import prebind
import pytest
from conftest import ACCOUNT, ENVIRONMENT

# Nothing listens there.
URL = "http://127.0.0.1:9/http-bind"


@pytest.fixture
def handle():
    """Has a function called with each record."""
    log = logging.getLogger("prebind")
    level, handlers = log.level, []

    def add(emit, level=5):
        handler = logging.Handler()
        handler.emit = emit
        handlers.append(handler)
        log.addHandler(handler)
        log.setLevel(level)

    yield add
    log.setLevel(level)
    for handler in handlers:
        log.removeHandler(handler)


@pytest.mark.parametrize("level", [5, logging.DEBUG, logging.INFO, logging.WARNING])
def test_a_handler_may_make_calls(prosody, handle, level):
    client, inner, sessions = prosody.client(), [], []

    def emit(_record):
        if len(inner) < 3:
            inner.append(None)
            sessions.append(client.prebind(*ACCOUNT))
            with pytest.raises(prebind.ConnectError):
                prebind.Client(URL, fail_fast_after=0).prebind(*ACCOUNT)

    handle(emit, level)
    sessions.append(client.prebind(*ACCOUNT))
    with pytest.raises(prebind.ConnectError):
        prebind.Client(URL, fail_fast_after=0).prebind(*ACCOUNT)
    assert inner
    for session in sessions:
        client.terminate(session)


def test_what_is_no_exception_is_raised_and_ends_the_session(prosody, handle, bound, left):
    class Stop(BaseException):
        """As `gevent.Timeout` is."""

    def emit(record):
        if record.getMessage().startswith("session opened"):
            raise Stop

    before = bound(prosody)
    handle(emit)
    with pytest.raises(Stop):
        prosody.client().prebind(*ACCOUNT)
    assert left(prosody, before) == []


GEVENT = """
from gevent import monkey
monkey.patch_all()
import logging, sys
import gevent, prebind

class Yielding(logging.Handler):
    # As any handler that writes to a socket.
    def createLock(self):
        self.lock = None
    def emit(self, record):
        gevent.sleep(0.001)

log = logging.getLogger("prebind")
log.addHandler(Yielding())
log.setLevel(5)
url, count = sys.argv[1], 6
client = prebind.Client(url)

def login(number):
    session = client.prebind("alice@localhost", "wonder-1")
    client.terminate(session)
    try:
        prebind.Client("http://127.0.0.1:9/http-bind").prebind("alice@localhost", "x")
    except prebind.ConnectError:
        return number

tasks = [gevent.spawn(login, number) for number in range(count)]
gevent.joinall(tasks, raise_error=True)
assert [task.value for task in tasks] == list(range(count))

def stopped():
    with gevent.Timeout(0.0005):
        while True:
            client.terminate(client.prebind("alice@localhost", "wonder-1"))

task = gevent.spawn(stopped)
try:
    task.get()
except gevent.Timeout:
    print("ok")
"""


def test_gevent(prosody):
    command = [sys.executable, "-c", GEVENT, prosody.http_url]
    done = subprocess.run(
        command, env=ENVIRONMENT, check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
