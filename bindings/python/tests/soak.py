"""Many calls, half of which fail: memory, descriptors and threads must not grow.

servers prosody --no-limits -- python soak.py [CALLS]
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

import prebind
from conftest import Faulty

#: What memory may differ by from the second fifth of the calls to the last, in KiB.
SLACK = 4000

THREADS = 8
SERVERS = 4


def state():
    """Resident memory in KiB, open files, threads."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    files = len(list(Path("/proc/self/fd").iterdir()))
    return int(status["VmRSS"].split()[0]), files, int(status["Threads"])


def ways(stack):
    """The calls, one after the other: one that succeeds, one that fails, in many ways."""
    prosody = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]
    ca = Path(prosody["ca_pem"]).read_bytes()
    client = prebind.Client(prosody["https_url"], ca=ca, fail_fast_after=0, deadline=30)

    def login(jid, **credentials):
        client.terminate(client.prebind(jid, **credentials))

    def fails(client, kind, jid="alice@localhost", password="wonder-1"):
        try:
            client.prebind(jid, password)
        except kind:
            return
        raise AssertionError(f"{jid} succeeded")

    def faulty(name, *arguments):
        return stack.enter_context(Faulty("serve", name, *arguments)).client(fail_fast_after=0)

    logins = [
        partial(login, "alice@localhost", password="wonder-1"),
        partial(login, "alice@plain.local", token="wonder-1"),
    ]
    failures = [
        (client, prebind.AuthError, "alice@localhost", "wrong"),
        (client, prebind.TerminatedError, "alice@nowhere.local"),
        (prebind.Client("http://127.0.0.1:9/", fail_fast_after=0), prebind.ConnectError),
        (faulty("reset-before-reply", "--at", "2"), prebind.ConnectError),
        (faulty("html-page", "--at", "3"), prebind.HttpError),
        (faulty("unclosed-xml", "--at", "4"), prebind.ProtocolError),
    ]

    pairs = zip(cycle(logins), (partial(fails, *failure) for failure in failures))
    return [way for pair in pairs for way in pair]


def main(calls):
    states = []
    with ExitStack() as stack, ThreadPoolExecutor(THREADS) as pool:
        way = cycle(ways(stack))
        for _ in range(5):
            start = time.monotonic()
            share = [pool.submit(next(way)) for _ in range(calls // 5)]
            for call in share:
                call.result()
            states.append(state())
            print(
                "{} KiB, {} files, {} threads, {:.0f} s".format(
                    *states[-1], time.monotonic() - start
                ),
                flush=True,
            )
    memory, files, threads = zip(*states)
    assert memory[-1] - memory[1] < SLACK, states
    # A connection to each server for each thread, if they happen to call at once.
    assert max(files) <= files[1] + SERVERS * THREADS, states
    assert max(threads) <= threads[1] + 1, states


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
