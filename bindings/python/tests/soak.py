"""Many calls, half of which fail: memory, descriptors and threads must not grow.

servers all -- python soak.py [CALLS]
"""

from __future__ import annotations

import gc
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import prebind

#: What memory may differ by from the first fifth of the calls to the last, in KiB.
SLACK = 3000


def state():
    """Resident memory in KiB, open files, threads."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    files = len(list(Path("/proc/self/fd").iterdir()))
    return int(status["VmRSS"].split()[0]), files, int(status["Threads"])


def main(calls):
    prosody = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]
    client = prebind.Client(
        prosody["https_url"],
        ca=Path(prosody["ca_pem"]).read_bytes(),
        fail_fast_after=0,
        deadline=30,
    )
    unreachable = prebind.Client("http://127.0.0.1:9/", fail_fast_after=0)

    def login():
        client.terminate(client.prebind("alice@localhost", token="wonder-1"))

    def fails(other, *account):
        try:
            other.prebind(*account)
        except prebind.PrebindError:
            return
        raise AssertionError(f"{account} succeeded")

    ways = cycle(
        [
            login,
            lambda: fails(client, "alice@localhost", "wrong"),
            login,
            lambda: fails(unreachable, "alice@localhost", "wonder-1"),
            login,
            lambda: fails(client, "alice@nowhere.local", "wonder-1"),
        ]
    )
    states = []
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            share = [pool.submit(next(ways)) for _ in range(calls // 5)]
            for call in share:
                call.result()
            states.append(state())
            print("{} KiB, {} files, {} threads".format(*states[-1]), flush=True)
    (first, files, threads), (last, *_) = states[1], states[-1]
    assert last - first < SLACK, states
    # A connection for each thread, if they happen to call at once.
    assert max(each[1] for each in states) <= files + 8, states
    assert max(each[2] for each in states) <= threads + 1, states


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
