"""What the tests share: servers, real ones and ones that misbehave.

They look for the commands `faults` and `servers` in the PATH, and for what `servers all -- pytest`
puts into the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import prebind
import pytest

ROOT = Path(__file__).resolve().parents[3]

# A copy, since pytest changes the environment while threads start servers.
ENVIRONMENT = dict(os.environ)

ACCOUNT = ("alice@localhost", "wonder-1")


def timed(call):
    """The result of a call, and how many seconds it took.

    The time does not count by which the machine held this process up: a thread sleeps in short
    steps beside the call, and what it oversleeps is taken off.
    """
    tick, late, is_over = 0.005, 0.0, Event()

    def watch():
        nonlocal late
        while not is_over.is_set():
            start = time.monotonic()
            is_over.wait(tick)
            late += max(time.monotonic() - start - tick, 0)

    watcher = Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    try:
        result = call()
    finally:
        elapsed = time.monotonic() - start
        is_over.set()
        watcher.join()
    return result, elapsed - late


class Faulty:
    """A server of `faults`, until the context ends; then `output` has its last line."""

    def __init__(self, *arguments: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            ["faults", *arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        self.url = json.loads(line)["url"]
        self.ca = json.loads(line).get("ca")
        self.output = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stdout, self.stderr = self._process.communicate(timeout=30)
        self.output = json.loads(stdout.splitlines()[-1]) if stdout else None
        self.status = self._process.returncode

    def wait_for_strike(self) -> bool:
        """Until the fault strikes once more, or the server ends."""
        return "struck" in self._process.stdout.readline()

    def client(self, **options) -> prebind.Client:
        return prebind.Client(self.url, ca=self.ca, **options)


@pytest.fixture(scope="session")
def faulty():
    """Starts a server that fails: `faulty("no-headers", "--at", "3")`."""
    return lambda *arguments: Faulty("serve", "--tell", *arguments)


@dataclass
class Real:
    """A real server, as `servers` describes it."""

    kind: str
    http_url: str
    https_url: str
    accounts: dict
    tokens: dict
    ca: str
    certificate: tuple

    def client(self, **options) -> prebind.Client:
        return prebind.Client(self.https_url, ca=self.ca, **options)


@pytest.fixture(scope="session")
def servers():
    described = json.loads(os.environ["PREBIND_SERVERS"])
    read = {
        kind: Real(
            kind,
            server["http_url"],
            server["https_url"],
            server["accounts"],
            server["tokens"],
            Path(server["ca_pem"]).read_text(),
            tuple(Path(server[part]).read_text() for part in ("client_cert", "client_key")),
        )
        for kind, server in described.items()
    }
    assert set(read) == {"prosody", "ejabberd"}
    return read


@pytest.fixture(params=["prosody", "ejabberd"])
def server(servers, request):
    return servers[request.param]


@pytest.fixture
def prosody(servers):
    return servers["prosody"]


@pytest.fixture
def bound():
    """The full JIDs that are bound on a server now."""

    def bound(server):
        said = subprocess.run(["servers", "sessions"], check=True, capture_output=True, text=True)
        return json.loads(said.stdout)[server.kind]["jids"]

    return bound


@pytest.fixture
def left(bound):
    """Who is bound on a server and was not before.

    It may close a session shortly after it has answered the request to do so.
    """

    def left(server, before):
        deadline = time.monotonic() + 30
        while (jids := [jid for jid in bound(server) if jid not in before]) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.05)
        return jids

    return left


class Lying(BaseHTTPRequestHandler):
    """A BOSH server that offers SCRAM, and answers it with the server's `challenge`."""

    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"])).decode()
        stream = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1"
        payload = f"<features xmlns='http://etherx.jabber.org/streams'>{stream}</mechanism></mechanisms></features>"
        if "<auth" in request:
            challenge = b64encode(self.server.challenge.encode()).decode()
            payload = f"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{challenge}</challenge>"
        body = (
            f"<body xmlns='http://jabber.org/protocol/httpbind' sid='s' wait='55'>{payload}</body>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def lying():
    """Starts a server that answers SCRAM's first message with this one."""

    @contextmanager
    def start(challenge):
        with ThreadingHTTPServer(("127.0.0.1", 0), Lying) as server:
            server.challenge = challenge
            Thread(target=server.serve_forever).start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()

    return start
