"""The five minutes of django.md, word for word, in a directory of their own.

`PREBIND_WHEELS` is a directory with the wheel that `pip install prebind` shall find. As in
tests/readme, `https://chat.example.org/http-bind` is the test server's URL, `example.org` its host,
and `PREBIND_PASSWORD` alice's password there.
"""

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[3] / "django.md"
SERVER = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]


@pytest.fixture(scope="module")
def blocks():
    recipe = DOCUMENT.read_text().split("## Five minutes")[1].split("\n## ")[0]
    recipe = recipe.replace("https://chat.example.org/http-bind", SERVER["http_url"])
    recipe = recipe.replace("example.org", "localhost")
    return re.findall(r"^```sh\n(.*?)^```", recipe, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@pytest.fixture(scope="module")
def site(blocks, port, tmp_path_factory):
    """The site, running; its value is what the blocks have printed."""
    *preparation, server = blocks
    assert server == "python manage.py runserver\n"
    script = "".join(preparation) + f"echo READY; exec {server.strip()} 127.0.0.1:{port}\n"
    environment = {
        **os.environ,
        "PIP_FIND_LINKS": os.environ["PREBIND_WHEELS"],
        "PREBIND_PASSWORD": SERVER["accounts"]["alice"],
    }
    for name in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    output = tmp_path_factory.mktemp("output") / "log"
    with output.open("w") as log:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path_factory.mktemp("recipe"),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(port, process, output)
            yield output.read_text()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def wait_for(port, process, output):
    deadline = time.monotonic() + 300
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

    def sign_in(self):
        page = self.open("/")
        [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
        form = {"username": "alice", "password": "at-the-site", "csrfmiddlewaretoken": token}
        return self.open("/login", form)


def test_the_checks_and_the_login_say_what_they_should(site):
    assert "System check identified no issues" in site
    assert re.search(r"^login +alice@localhost/\S+ \(\d+ ms\)$", site, re.MULTILINE)
    assert re.search(r"^end +the session is gone", site, re.MULTILINE)


def test_the_page_has_the_chat(site, port):
    page = Visitor(port).sign_in()
    assert "Hello, alice" in page
    assert '"jid": "alice@localhost"' in page
    for script in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        assert Visitor(port).open(script)


def test_the_browser_gets_a_session(site, port):
    visitor = Visitor(port)
    visitor.sign_in()
    session = json.loads(visitor.open("/prebind", headers={"Sec-Fetch-Site": "same-origin"}))
    assert session["jid"].startswith("alice@localhost/")
    assert sorted(session) == ["jid", "rid", "sid"]


def test_nobody_else_does(site, port):
    with pytest.raises(urllib.error.HTTPError) as refused:
        Visitor(port).open("/prebind", headers={"Sec-Fetch-Site": "same-origin"})
    with refused.value as answer:
        assert answer.code == 401
