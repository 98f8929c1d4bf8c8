"""The example under `gunicorn --preload` with two processes of four threads, under load.

A browser repeats a GET whose connection broke before the answer came, and so do the visitors here.
Nothing else may go wrong, whatever happens to the processes meanwhile.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import prebind
import pytest
from site_visitor import Visitor, free_port, running

TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS.parents[3] / "examples/django"
# ejabberd lets a user have ten sessions at once.
SERVER = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]

WORKERS = 2
THREADS = 4
CALLS = 200
#: So many times that many calls are made, for `faults growth` to see a leak.
STATES = 5


class Site:
    """The site, and its processes."""

    def __init__(self, port, master):
        self.port = port
        self.master = master
        self.cookies = []
        for name in SERVER["accounts"]:
            visitor = Visitor(port)
            assert f"Hello, {name}" in visitor.sign_in(name, f"site-of-{name}")
            self.cookies.append(visitor.cookies)

    def workers(self):
        children = Path(f"/proc/{self.master}/task/{self.master}/children")
        return {int(pid) for pid in children.read_text().split()}

    def session(self, number):
        """The session that the site gives a user, and how often the connection broke before."""
        cookie = self.cookies[number % len(self.cookies)]
        for broken in range(10):
            try:
                return self._ask(cookie), broken
            except (ConnectionError, http.client.BadStatusLine, http.client.IncompleteRead):
                # The process that had the request is gone.
                time.sleep(0.1)
        raise AssertionError("the site does not come back")

    def _ask(self, cookie):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Connection": "close"}
        try:
            connection.request("GET", "/prebind", headers=headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        assert response.status == 200, body
        return json.loads(body)

    def prebinds(self, disturb=None):
        """The sessions of many visitors at once, and how often a connection broke.

        `disturb` says what to do after how many answers.
        """
        with ThreadPoolExecutor(CALLS) as pool:
            calls = [pool.submit(self.session, number) for number in range(CALLS)]
            for done, _ in enumerate(as_completed(calls), 1):
                if disturb and done in disturb:
                    disturb[done]()
        sessions, broken = zip(*(call.result() for call in calls))
        return sessions, sum(broken)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    port = free_port()
    pid = folder / "pid"
    environment = {
        **os.environ,
        "SITE_PORT": str(port),
        "SITE_BOSH_URL": SERVER["http_url"],
        "DJANGO_SETTINGS_MODULE": "sample.busy",
        "PYTHONPATH": os.pathsep.join([str(EXAMPLE), str(TESTS)]),
        "GUNICORN_CMD_ARGS": f"--pid {pid}",
    }
    command = [EXAMPLE / "serve", "gunicorn"]
    with running(command, port, folder / "log", patience=120, env=environment):
        yield Site(port, int(pid.read_text()))


@pytest.fixture
def earlier():
    """Who is connected already: what other tests have left, the chat server keeps for a minute."""
    return connected()


def test_the_processes_keep_nothing(site, earlier):
    client = prebind.Client(SERVER["http_url"])
    states = []
    for _ in range(STATES):
        workers = site.workers()
        sessions, broken = site.prebinds()
        assert broken == 0
        assert len({session["sid"] for session in sessions}) == CALLS
        assert len(bound(earlier)) == CALLS
        end(client, sessions)
        # Sooner than the chat server would give them up.
        wait_until(lambda: has_left_nothing(earlier), seconds=30)
        assert site.workers() == workers
        states.append(total(workers))
    assert_no_growth(states)


def test_processes_are_killed_and_come_back(site, earlier):
    client = prebind.Client(SERVER["http_url"])
    before, master = site.workers(), total([site.master])

    def kill(number):
        return lambda: os.kill(min(site.workers()), number)

    sessions, broken = site.prebinds(
        {
            40: kill(signal.SIGKILL),
            80: kill(signal.SIGTERM),
            # All are replaced.
            120: lambda: os.kill(site.master, signal.SIGHUP),
            160: kill(signal.SIGKILL),
        }
    )
    assert broken > 0, "it was not killed at work"
    assert len({session["sid"] for session in sessions}) == CALLS
    end(client, sessions)
    # Who is killed at once cannot end what it has begun. The chat server will, as for any browser
    # that does not come.
    wait_until(lambda: len(bound(earlier)) <= broken, seconds=30)

    wait_until(lambda: len(site.workers()) == WORKERS and not site.workers() & before)
    states = []
    for _ in range(STATES):
        sessions, broken = site.prebinds()
        assert broken == 0
        end(client, sessions)
        states.append(total(site.workers()))
    assert_no_growth(states)
    assert total([site.master]) == master


def end(client, sessions):
    with ThreadPoolExecutor(THREADS) as pool:
        for call in [
            pool.submit(client.terminate, sid=session["sid"], rid=session["rid"])
            for session in sessions
        ]:
            call.result()


def connected():
    """Who is connected to the chat server, and by how many streams."""
    said = subprocess.run(["servers", "sessions"], check=True, capture_output=True, text=True)
    return json.loads(said.stdout)["prosody"]


def bound(earlier):
    """Who has come since."""
    return set(connected()["jids"]) - set(earlier["jids"])


def has_left_nothing(earlier):
    return not bound(earlier) and connected()["streams"] <= earlier["streams"]


def total(pids):
    """How many open files, sockets among them, and threads these processes have."""
    files, threads = (
        sum(len(list(Path(f"/proc/{pid}/{entry}").iterdir())) for pid in pids)
        for entry in ("fd", "task")
    )
    return {"files": files, "threads": threads}


def assert_no_growth(states):
    """Nothing grows with the number of calls: what concurrency keeps is no leak."""
    command = ["faults", "growth", "--calls", str(CALLS)]
    lines = "\n".join(map(json.dumps, states))
    looked = subprocess.run(command, input=lines, check=False, capture_output=True, text=True)
    assert looked.returncode == 0, (looked.stderr, states)


def wait_until(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
