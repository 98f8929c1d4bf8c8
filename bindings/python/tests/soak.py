"""Many calls, half of which fail: memory, descriptors and threads must not grow with them.

servers prosody --no-limits -- python soak.py [CALLS]

`faults growth` says whether they do.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

import prebind
from conftest import Faulty

THREADS = 8

#: Into how many equal parts the calls are divided, after each of which it is measured.
SHARES = 10


def state():
    """Resident memory in KiB, open files, threads."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    files = len(list(Path("/proc/self/fd").iterdir()))
    memory, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
    return json.dumps({"memory": memory, "files": files, "threads": threads})


def ways(stack):
    """The calls, one after the other: one that succeeds, one that fails, in many ways."""
    prosody = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]
    ca = Path(prosody["ca_pem"]).read_bytes()
    # On a busy machine, what takes a millisecond may take seconds.
    patience = {"deadline": 300, "connect_timeout": 300, "request_timeout": 300}
    client = prebind.Client(prosody["https_url"], ca=ca, fail_fast_after=0, **patience)

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
        for _ in range(SHARES):
            share = [pool.submit(next(way)) for _ in range(calls // SHARES)]
            for call in share:
                call.result()
            states.append(state())
            print(states[-1], flush=True)
    command = ["faults", "growth", "--calls", str(calls // SHARES)]
    looked = subprocess.run(command, input="\n".join(states), text=True, check=False)
    sys.exit(looked.returncode)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
