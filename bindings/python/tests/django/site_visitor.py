"""What the tests of a site that really runs share: its process, and who visits it."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@contextmanager
def running(command, port, output, patience, **options):
    """A process, until the context ends; when it begins, somebody listens on the port."""
    with output.open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **options
        )
        try:
            _wait_for(port, process, output, patience)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _wait_for(port, process, output, patience):
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(output.read_text())


class Visitor:
    """A browser, as far as the site sees it."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, path, form=None, headers=()):
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(self.base + path, data, dict(headers))
        with self.opener.open(request, timeout=30) as response:
            return response.read().decode("utf-8", "replace")

    def sign_in(self, name, password):
        page = self.open("/")
        [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        return self.open("/login", form)

    @property
    def cookies(self):
        """The header `Cookie`."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
