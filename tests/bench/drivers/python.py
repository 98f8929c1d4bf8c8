"""Answers each line on stdin with a call of the Python binding."""

import json
import os
import sys
import time
from pathlib import Path

import prebind

jid, password = os.environ["PREBIND_JID"], os.environ["PREBIND_PASSWORD"]
proof = {"token" if os.environ["PREBIND_MECHANISM"] == "PLAIN" else "password": password}
client = prebind.Client(
    os.environ["PREBIND_URL"],
    ca=Path(os.environ["PREBIND_CA"]).read_bytes(),
    deadline=30,
    request_timeout=30,
    fail_fast_after=0,
)
for _ in sys.stdin:
    cpu, start = time.process_time(), time.perf_counter()
    try:
        session = client.prebind(jid, **proof)
    except prebind.PrebindError as error:
        answer = {"errors": [str(error)]}
    else:
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
        answer = {
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "round_trips": session.round_trips,
            "fallbacks": int("classic_until" in client.profile()),
            "sessions": [[session.sid, session.rid]],
        }
    print(json.dumps(answer), flush=True)
