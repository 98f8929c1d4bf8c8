"""Signals are handled while a call waits, and no session is left behind then."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time

import prebind
import pytest
from conftest import ACCOUNT, ENVIRONMENT, timed

#: How long a call may take whose handler raises when it hangs: a slice, the end of the session, and
#: the machine's share.
GRACE = 0.4


class RaisedError(Exception):
    """What the handlers of these tests raise."""


@pytest.fixture
def alarm():
    """Calls a handler when the fault of a server strikes.

    After a fixed time the call might not have come so far.
    """
    before = signal.getsignal(signal.SIGALRM)
    main = threading.main_thread().ident

    def ring(server):
        if server.wait_for_strike():
            signal.pthread_kill(main, signal.SIGALRM)

    def alarm(server, handler):
        signal.signal(signal.SIGALRM, lambda *_: handler())
        threading.Thread(target=ring, args=[server]).start()

    yield alarm
    signal.signal(signal.SIGALRM, before)


def fail():
    raise RaisedError


@pytest.mark.parametrize("fault", ["no-headers", "headers-drip", "body-drips", "tls-silent"])
def test_a_handler_that_raises_ends_the_call(fault, faulty, alarm):
    with faulty(fault) as server:
        client = server.client()

        def call():
            with pytest.raises(RaisedError):
                client.prebind(*ACCOUNT)

        alarm(server, fail)
        _, took = timed(call)
    assert took < GRACE


@pytest.mark.parametrize("at", [2, 3, 4])
def test_the_session_is_ended(at, faulty, alarm):
    def is_ended():
        with faulty("no-headers", "--at", str(at), "--once") as server:
            alarm(server, fail)
            with pytest.raises(RaisedError):
                server.client().prebind(*ACCOUNT)
        requests = [request["body"] for request in server.output["requests"]]
        return len(requests) == at + 1 and 'type="terminate"' in requests[-1]

    # The call has 150 ms for it, in which a busy machine may not send anything.
    assert any(is_ended() for _ in range(3))


def test_the_client_can_be_used_again(faulty, alarm):
    with faulty("no-headers", "--once") as server:
        client = server.client(fail_fast_after=1)
        alarm(server, fail)
        with pytest.raises(RaisedError):
            client.prebind(*ACCOUNT)
        assert client.prebind(*ACCOUNT).jid.startswith("alice@localhost/")


def test_a_handler_that_returns_changes_nothing(faulty, alarm):
    called = []
    with faulty("no-headers") as server:
        client = server.client(deadline=3)
        alarm(server, lambda: called.append(time.monotonic()))
        with pytest.raises(prebind.TimeoutError):
            client.prebind(*ACCOUNT)
        ended = time.monotonic()
    [at] = called
    assert ended - at > 1, "it was called while the call was waiting"


def test_a_handler_may_log_in_itself(faulty, prosody, alarm):
    opened = []
    with faulty("no-headers") as server:
        alarm(server, lambda: opened.append(prosody.client().prebind(*ACCOUNT)))
        with pytest.raises(prebind.TimeoutError):
            server.client(deadline=3).prebind(*ACCOUNT)
    prosody.client().terminate(*opened)


HANGING = """
    import signal, sys, time
    import prebind
    def leave(*_):
        raise SystemExit(7)
    signal.signal(signal.SIGTERM, leave)
    client = prebind.Client(sys.argv[1], deadline=60, request_timeout=60, resolve_timeout=60,
                            allow_cleartext=True)
    client.prebind("alice@localhost", "wonder-1")
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 7)],
    ids=["INT", "TERM"],
)
def test_a_process_ends(number, status, faulty):
    with faulty("no-headers") as server:
        took, process, stderr = interrupted(server, number)
    assert process.returncode == status, stderr
    assert ("KeyboardInterrupt" in stderr) == (number == signal.SIGINT)
    assert "wonder-1" not in stderr.replace('"wonder-1")', "")
    # An interpreter has to shut down, too.
    assert took < GRACE + 1


def test_a_name_lookup_is_given_up():
    wrapper = ["faults", "black-hole-dns", "--"]
    alarm = "signal.signal(signal.SIGALRM, leave); signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
    script = textwrap.dedent(HANGING).replace("client.prebind(", alarm + "client.prebind(")
    start = time.monotonic()
    command = [*wrapper, sys.executable, "-c", script, "http://chat.example.org/"]
    process = subprocess.run(command, env=ENVIRONMENT, check=False, capture_output=True, text=True)
    assert process.returncode == 7, process.stderr
    assert time.monotonic() - start < 30, "half of the call's own deadline"


def interrupted(server, number):
    """Sends a signal to a process that waits in a call; how long it took to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HANGING), server.url],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.wait_for_strike()
    process.send_signal(number)
    (_, stderr), took = timed(process.communicate)
    return took, process, stderr
