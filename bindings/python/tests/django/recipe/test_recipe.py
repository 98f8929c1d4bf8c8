"""The five minutes of django.md, word for word, in a directory of their own, up to the chat in a
real Chromium; with the wheel, and with the source package.

`PREBIND_PACKAGES` is a directory with both; the recipe has the path of one. As in tests/readme,
`https://chat.example.org/http-bind` is the test server's URL, `example.org` its host,
and `PREBIND_PASSWORD` alice's password there.
"""

import json
import os
import re
import subprocess
import urllib.error
from pathlib import Path

import pytest
from site_visitor import Visitor, free_port, running

DOCUMENT = Path(__file__).parents[3] / "django.md"
SERVER = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]
ACCOUNT = ("alice", "at-the-site")

#: The files of both packages.
PACKAGES = {"wheel": "*.whl", "source package": "*.tar.gz"}


@pytest.fixture(scope="module")
def blocks():
    recipe = DOCUMENT.read_text().split("## Five minutes")[1].split("\n## ")[0]
    recipe = recipe.replace("https://chat.example.org/http-bind", SERVER["http_url"])
    recipe = recipe.replace("example.org", "localhost")
    return re.findall(r"^```sh\n(.*?)^```", recipe, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module", params=PACKAGES)
def site(request, blocks, port, tmp_path_factory):
    """The site, running; its value is what the blocks have printed."""
    *preparation, server = blocks
    assert server == "python manage.py runserver\n"
    script = "".join(preparation) + f"echo READY; exec {server.strip()} 127.0.0.1:{port}\n"
    [package] = Path(os.environ["PREBIND_PACKAGES"]).resolve().glob(PACKAGES[request.param])
    environment = {
        **os.environ,
        "PREBIND_PACKAGE": str(package),
        "PREBIND_PASSWORD": SERVER["accounts"]["alice"],
    }
    for name in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    output = tmp_path_factory.mktemp("output") / "log"
    command = ["bash", "-euo", "pipefail", "-c", script]
    folder = tmp_path_factory.mktemp("recipe")
    with running(command, port, output, patience=540, cwd=folder, env=environment):
        yield output.read_text()


def test_the_checks_and_the_login_say_what_they_should(site):
    assert "System check identified no issues" in site
    assert re.search(r"^10 login        alice@localhost/\S+, by .* \(\d+ ms\)$", site, re.MULTILINE)
    assert re.search(r"^11 end          the session is gone", site, re.MULTILINE)


def test_the_page_has_the_chat(site, port):
    page = Visitor(port).sign_in(*ACCOUNT)
    assert "Hello, alice" in page
    assert '"jid":"alice@localhost"' in page
    for script in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        assert Visitor(port).open(script)


def test_the_chat_works_in_a_browser(site, port):
    environment = {
        **os.environ,
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SITE_PREBIND": "/prebind",
        "SITE_SERVER": "prosody",
    }
    script = Path(__file__).parents[5] / "tests/browser/lib/recipe.js"
    subprocess.run(["node", script, *ACCOUNT], env=environment, check=True, timeout=120)


def test_the_browser_gets_a_session(site, port):
    visitor = Visitor(port)
    visitor.sign_in(*ACCOUNT)
    session = json.loads(visitor.open("/prebind", headers={"Sec-Fetch-Site": "same-origin"}))
    assert session["jid"].startswith("alice@localhost/")
    assert sorted(session) == ["jid", "rid", "sid"]


def test_nobody_else_does(site, port):
    with pytest.raises(urllib.error.HTTPError) as refused:
        Visitor(port).open("/prebind", headers={"Sec-Fetch-Site": "same-origin"})
    with refused.value as answer:
        assert answer.code == 401
