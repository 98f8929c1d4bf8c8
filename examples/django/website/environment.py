"""Where the chat server is, and who is who: what a site of your own has in its settings and its
database, and this one in the environment.

It reads what ``servers prosody -- COMMAND`` sets. ``SITE_BOSH_URL`` and ``SITE_USERS`` come first.
"""

import json
import os


def _server():
    """The first of the servers, which are described in JSON."""
    return next(iter(json.loads(os.environ["PREBIND_SERVERS"]).values()))


def _people():
    """Name to passwords. The one for the site is another than the one for the chat."""
    if "SITE_USERS" in os.environ:
        return json.loads(os.environ["SITE_USERS"])
    accounts = _server()["accounts"]
    return {
        name: {"password": f"site-of-{name}", "xmpp_password": password}
        for name, password in accounts.items()
    }


# The key to sign tokens with, if the chat server takes them: then nobody has a chat password.
KEY = os.environ.get("SITE_KEY")
BOSH_URL = os.environ.get("SITE_BOSH_URL") or _server()["http_url"]
PEOPLE = _people()


def credentials(user, jid):
    """What proves to the chat server who the user is; the browser never sees it."""
    return {"password": PEOPLE[user.get_username()]["xmpp_password"]}
