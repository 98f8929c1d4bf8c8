"""Asks sites for pages and chat sessions at a steady pace, and prints how long the pages took.

``run`` calls it. The requests do not wait for each other: a site that is slow gets no fewer of them.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
SERVER = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]

#: How many are asked for in a second.
PAGES = 20
LOGINS = 8

#: How much longer than the baseline pages may take, in milliseconds.
ALLOWED = 50

#: How much later each answer of a chat server comes that has become slow, in seconds.
DELAY = 0.8

#: How long to wait for an answer that is late, in seconds.
PATIENCE = 45

CHATS = ("none", "well", "away", "hanging", "slow")


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


# --- the chat servers


class Pace:
    """How much later the answers of the slow chat server come."""

    def __init__(self) -> None:
        self.delay = 0.0


@contextmanager
def chat_server(chat: str, pace: Pace):
    """The BOSH endpoint of a chat server in that state."""
    if chat in ("none", "well"):
        yield SERVER["http_url"]
    elif chat == "away":
        yield f"http://127.0.0.1:{free_port()}/http-bind"
    else:
        upstream = urlsplit(SERVER["http_url"]) if chat == "slow" else None
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            threading.Thread(target=accept, args=(listener, upstream, pace), daemon=True).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/http-bind"


def accept(listener: socket.socket, upstream, pace: Pace) -> None:
    """Takes connections. Without a server behind it, nothing is ever answered."""
    kept = []
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        kept.append(client)
        if upstream:
            server = socket.create_connection((upstream.hostname, upstream.port))
            pass_on(client, server, Pace())
            pass_on(server, client, pace)


def pass_on(source: socket.socket, target: socket.socket, pace: Pace) -> None:
    """Each piece arrives that much later, however many there are."""
    pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def read() -> None:
        data = b"more"
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            pieces.put((time.monotonic() + pace.delay, data))

    def write() -> None:
        due, data = pieces.get()
        with suppress(OSError):
            while data:
                time.sleep(max(0.0, due - time.monotonic()))
                target.sendall(data)
                due, data = pieces.get()
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    for run in (read, write):
        threading.Thread(target=run, daemon=True).start()


# --- the sites


def gunicorn(*arguments: str):
    def command(folder: Path, port: int, _scratch: Path) -> list[list[str]]:
        serve = [str(folder / "venv/bin/gunicorn"), "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
        return [[*serve, *arguments, "site_with_chat:wsgi"]]

    return command


def uvicorn(folder: Path, port: int, _scratch: Path) -> list[list[str]]:
    serve = [str(folder / "venv/bin/uvicorn"), "--log-level", "error", "--workers", "2"]
    return [[*serve, "--port", str(port), "site_with_chat:asgi"]]


def puma(folder: Path, port: int, _scratch: Path) -> list[list[str]]:
    serve = ["puma", "--quiet", "--environment", "production", "--workers", "2", "--threads", "5:5"]
    return [[*serve, "--bind", f"tcp://127.0.0.1:{port}", str(HERE / "sites/rack/config.ru")]]


def php_fpm(_folder: Path, port: int, scratch: Path) -> list[list[str]]:
    user = "user = root\ngroup = root" if os.geteuid() == 0 else ""
    (scratch / "fpm.conf").write_text(
        f"""[global]
error_log = {scratch}/fpm.log
daemonize = no
[site]
{user}
listen = {scratch}/fpm.sock
pm = static
pm.max_children = 8
clear_env = no
php_admin_value[error_log] = {scratch}/php.log
php_admin_value[prebind.url] = "{os.environ['SITE_BOSH_URL']}"
"""
    )
    paths = "\n".join(
        f"{name}_temp_path {scratch}/{name};"
        for name in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
    )
    (scratch / "nginx.conf").write_text(
        f"""{"user root;" if os.geteuid() == 0 else ""}
daemon off;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx.log;
events {{}}
http {{
    access_log off;
    {paths}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {HERE}/sites/php/index.php;
            fastcgi_pass unix:{scratch}/fpm.sock;
        }}
    }}
}}
"""
    )
    names = sorted(path.name for path in Path("/usr/sbin").glob("php-fpm*"))
    fpm = [names[-1], "--allow-to-run-as-root", "--fpm-config", f"{scratch}/fpm.conf"]
    return [
        [*fpm, "-d", f"extension={os.environ['PREBIND_EXTENSION']}"],
        ["nginx", "-q", "-e", f"{scratch}/nginx.log", "-c", f"{scratch}/nginx.conf"],
    ]


SITES = {
    "django-sync": gunicorn("--workers", "8"),
    "django-gevent": gunicorn("--workers", "2", "--worker-class", "gevent"),
    "django-asgi": uvicorn,
    "puma": puma,
    "php-fpm": php_fpm,
}


@contextmanager
def serving(name: str, folder: Path, url: str):
    """The port of the site, as long as it runs."""
    scratch = Path(tempfile.mkdtemp(prefix="load-"))
    port = free_port()
    os.environ["SITE_BOSH_URL"] = url
    environment = {
        **os.environ,
        # What one run learned of the chat must not serve the next.
        "TMPDIR": str(scratch),
        "PYTHONPATH": os.pathsep.join([str(folder / "python"), str(HERE / "sites/django")]),
        "RUBYLIB": str(folder / "ruby"),
    }
    log = (scratch / "log").open("wb")
    processes = [
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        for command in SITES[name](folder, port, scratch)
    ]
    try:
        until = time.monotonic() + 60
        while ask(port, "/page")[0] != 200:
            dead = any(process.poll() is not None for process in processes)
            if dead or time.monotonic() > until:
                raise SystemExit(f"{name} does not start:\n{(scratch / 'log').read_text()}")
            time.sleep(0.1)
        yield port
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                pass
            # Whatever it has left.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()
        shutil.rmtree(scratch, ignore_errors=True)


# --- the visitors


def ask(port: int, path: str) -> tuple[int, float]:
    """The status of the answer, 0 if there is none, and how long it took, in milliseconds."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Sec-Fetch-Site": "same-origin"})
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return status, (time.monotonic() - start) * 1000


class Visitors:
    """They ask for a path at a steady pace."""

    def __init__(self, port: int, path: str, rate: float) -> None:
        self.port, self.path, self.rate = port, path, rate
        self.times: list[float] = []
        self.statuses: collections.Counter[int] = collections.Counter()
        self._lock = threading.Lock()

    def ask_for(self, seconds: float) -> None:
        start = time.monotonic()
        visits = []
        for number in range(int(self.rate * seconds)):
            due = start + number / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            visit = threading.Thread(target=self._visit, args=(due,), daemon=True)
            visit.start()
            visits.append(visit)
        for visit in visits:
            visit.join()

    def _visit(self, due: float) -> None:
        late = (time.monotonic() - due) * 1000
        status, took = ask(self.port, self.path)
        with self._lock:
            self.times.append(late + took)
            self.statuses[status] += 1


def load(port: int, chat: str, pace: Pace, seconds: float) -> tuple[Visitors, Visitors]:
    # Each worker has loaded what it needs, and knows the chat server if that was well once.
    for path in ["/page", "/prebind"] if chat in ("well", "slow") else ["/page"]:
        for _ in range(40):
            ask(port, path)
    pace.delay = DELAY
    pages = Visitors(port, "/page", PAGES)
    logins = Visitors(port, "/prebind", 0 if chat == "none" else LOGINS)
    both = [threading.Thread(target=each.ask_for, args=(seconds,)) for each in (pages, logins)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    return pages, logins


# --- the table


def share(times: list[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def main() -> int:
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("sites", nargs="*", metavar="SITE", help=f"one of {', '.join(SITES)}")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--chat", nargs="+", choices=CHATS[1:], default=CHATS[1:])
    arguments = parser.parse_intermixed_args()
    unknown = set(arguments.sites) - set(SITES)
    if unknown:
        parser.error(f"there is no site {unknown.pop()}: choose from {', '.join(SITES)}")
    # What was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print("| site | chat | p50 | p90 | max | p90 over the baseline | sessions | refused | |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    is_good = True
    for site in arguments.sites or SITES:
        baseline = 0.0
        for chat in ("none", *arguments.chat):
            pace = Pace()
            with ExitStack() as stack:
                url = stack.enter_context(chat_server(chat, pace))
                port = stack.enter_context(serving(site, arguments.folder, url))
                pages, logins = load(port, chat, pace, arguments.seconds)
            p50, p90, most = (share(pages.times, part) for part in (0.5, 0.9, 1))
            if chat == "none":
                baseline = p90
            over = p90 - baseline
            lost = len(pages.times) - pages.statuses[200]
            failed = [f"{lost} pages lost"] * (lost > 0) + ["too slow"] * (over > ALLOWED)
            is_good = is_good and not failed
            others = len(logins.times) - logins.statuses[200]
            times = " | ".join(f"{time:.0f} ms" for time in (p50, p90, most, over))
            counts = f"{logins.statuses[200]} | {others}"
            print(f"| {site} | {chat} | {times} | {counts} | {', '.join(failed)} |", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
