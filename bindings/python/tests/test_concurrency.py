"""Threads, forks and the event loop."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import prebind
import pytest
from conftest import ACCOUNT, ENVIRONMENT, timed


def test_other_threads_run_meanwhile(faulty):
    with faulty("no-headers") as server:
        client = server.client(deadline=1, fail_fast_after=0)
        ticks = []
        is_over = threading.Event()

        def tick():
            while not is_over.wait(0.01):
                ticks.append(time.monotonic())

        with ThreadPoolExecutor(9) as pool:
            pool.submit(tick)

            def call():
                calls = [pool.submit(client.prebind, *ACCOUNT) for _ in range(8)]
                return [call.exception() for call in calls]

            raised, took = timed(call)
            is_over.set()
    assert all(isinstance(error, prebind.TimeoutError) for error in raised)
    assert took < 4, "eight waits of a second, at once"
    assert len(ticks) > 8, "more than one after each of them"


def test_one_client_for_many_threads(server, bound, left):
    before = bound(server)
    client = server.client(deadline=30, connect_timeout=30, request_timeout=30)

    def login(_):
        session = client.prebind("alice@localhost", token="wonder-1")
        client.terminate(session)
        return session.sid

    # ejabberd lets a user have ten sessions at once.
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(login, range(48)))) == 48
    assert left(server, before) == []


@pytest.fixture
def used(prosody):
    """A client with open connections, as a server has that forks its workers late."""
    client = prosody.client()
    client.terminate(client.prebind(*ACCOUNT))
    return client


def in_child(call):
    """What `call` returns in a forked process."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writer, call().encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        answer = said.read()
    assert os.waitpid(child, 0)[1] == 0
    return answer


# What Python warns of is what is tested: a fork of a process with threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def login(client):
    session = client.prebind(*ACCOUNT)
    client.terminate(session)
    return session.jid


def test_fork_after_use(used):
    for _ in range(5):
        assert in_child(lambda: login(used)).startswith("alice@localhost/")
        assert login(used).startswith("alice@localhost/")


def test_fork_while_other_threads_call(used):
    is_over = threading.Event()

    def busy():
        while not is_over.is_set():
            login(used)

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        answers = [in_child(lambda: login(used)) for _ in range(10)]
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert all(answer.startswith("alice@localhost/") for answer in answers), answers


worker_client = None


def work(_):
    return login(worker_client)


def test_multiprocessing(used):
    global worker_client  # noqa: PLW0603
    worker_client = used
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(4, mp_context=fork) as pool:
        assert len(set(pool.map(work, range(16)))) == 16


def fail(_):
    return prebind.Client("http://127.0.0.1:9/").prebind(*ACCOUNT)


def test_an_error_comes_back_from_another_process():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        error = pool.submit(fail, None).exception()
    assert type(error) is prebind.ConnectError
    assert error.phase == "tcp"


def test_async(server, bound, left):
    before = bound(server)

    async def run():
        client = server.client()
        sessions = await asyncio.gather(*(client.aprebind(*ACCOUNT) for _ in range(8)))
        assert {session.jid for session in sessions} <= set(bound(server))
        await asyncio.gather(*(client.aterminate(session) for session in sessions))
        with pytest.raises(prebind.TerminatedError):
            await client.aterminate(sid=sessions[0].sid, rid=sessions[0].rid)
        with pytest.raises(prebind.AuthError):
            await client.aprebind("alice@localhost", "wrong")
        session = await prebind.aprebind(server.http_url, "alice@localhost", token="wonder-1")
        await client.aterminate(session)

    asyncio.run(run())
    assert left(server, before) == []


def test_the_event_loop_goes_on(faulty):
    async def run(client):
        call = asyncio.create_task(client.aprebind(*ACCOUNT))
        ticks = 0
        while not call.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert isinstance(call.exception(), prebind.TimeoutError)
        return ticks

    with faulty("no-headers") as server:
        assert asyncio.run(run(server.client(deadline=1))) > 5


@pytest.mark.parametrize("after", [0, 0.01, 0.05, 0.1, 0.15])
def test_a_cancelled_task_leaves_no_session(after, prosody, bound, left):
    before = bound(prosody)

    async def run():
        client = prosody.client()
        task = asyncio.create_task(client.aprebind(*ACCOUNT))
        await asyncio.sleep(after)
        if not task.cancel():
            client.terminate(task.result())
            return False
        with pytest.raises(asyncio.CancelledError):
            await task
        return True

    # The end of the loop waits for its threads.
    was_cancelled = asyncio.run(run())
    assert was_cancelled or after > 0
    assert left(prosody, before) == []


def test_a_process_ends_while_a_thread_is_in_a_call(faulty):
    script = """
import sys, threading
import prebind
client = prebind.Client(sys.argv[1], deadline=60, request_timeout=60)
account = ("alice@localhost", "wonder-1")
threading.Thread(target=client.prebind, args=account, daemon=True).start()
sys.stdin.read()
"""
    with faulty("no-headers") as server:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", script, server.url]
        process = subprocess.Popen(
            command, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        assert server.wait_for_strike()
        (stdout, stderr), took = timed(process.communicate)
    assert (process.returncode, stdout, stderr) == (0, "", "")
    assert took < 30, "half of the call's own deadline"
