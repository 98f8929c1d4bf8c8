"""Real chat servers that ask the site, and the page that uses a session."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
from contextlib import contextmanager
from urllib.parse import urlsplit


@contextmanager
def started(name, live_server, secret):
    """The servers of this command of `servers`, which ask the site."""
    # Where there is no name server, Prosody does not find localhost.
    url = live_server.url.replace("localhost", "127.0.0.1") + "/chat-login"
    command = ["servers", name, "--no-limits", "--json", "--site", url]
    environment = {**os.environ, "PREBIND_SITE_SECRET": secret}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as running:
        yield json.loads(running.stdout.readline())
        running.stdin.close()


class Page:
    """The page that took a session over."""

    def __init__(self, server, session):
        self.url, self.rid, self.sid = urlsplit(server["http_url"]), session.rid, session.sid

    def send(self, *stanzas):
        """Sends, and returns what the server has to say by then."""
        body = (
            f'<body xmlns="http://jabber.org/protocol/httpbind" rid="{self.rid}" sid="{self.sid}">'
            f"{''.join(stanzas)}</body>"
        )
        self.rid += 1
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
        try:
            connection.request("POST", self.url.path, body.encode(), {"Content-Type": "text/xml"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def ask(self, *stanzas):
        """Sends, and returns what the server says until it answers a question of its own."""
        roster = '<query xmlns="jabber:iq:roster"/>'
        question = f'<iq xmlns="jabber:client" type="get" id="after">{roster}</iq>'
        said = self.send(*stanzas, question)
        while not re.search("""id=["']after["']""", said):
            said += self.send()
        return said

    def hear(self, text):
        """What the server says until it says this."""
        said, looks = "", 60
        while text not in said:
            assert looks, f"{text} is not in {said}"
            looks -= 1
            said += self.send()
        return said
