"""Real chat servers ask the real site: ejabberd by `prebind extauth`, Prosody by its module."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import prebind
import pytest
from asking import Page, started
from prebind.django import chat, credentials
from sample.models import Person

SECRET = "chat-server-to-site"
DOMAIN = "extauth.local"
SIGNED_TOKEN = "prebind.django.credentials.signed_token"


@pytest.fixture(scope="module")
def asking(live_server):
    """Servers that ask the site."""
    with started("all", live_server, SECRET) as servers:
        yield servers


@pytest.fixture(params=["ejabberd", "prosody"])
def server(request, asking, transactional_db, settings, change):
    found = asking[request.param]
    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
    # One process, which the site is as well, does not count whom it keeps waiting.
    options = {"deadline": 60, "request_timeout": 60, "max_host_calls": 100}
    change(
        URL=found["http_url"],
        DOMAIN=DOMAIN,
        CREDENTIALS=SIGNED_TOKEN,
        SITE_SECRET=SECRET,
        OPTIONS=options,
        RATE_LIMIT=None,
    )
    return found


def token(user):
    return credentials.signed_token(None, f"{user}@{DOMAIN}")["token"]


def login(user, by):
    return chat.client().prebind(f"{user}@{DOMAIN}", token=by)


def refusal(user, by):
    with pytest.raises(prebind.AuthError) as raised:
        login(user, by)
    return raised.value.condition


def end(session):
    chat.client().terminate(session)


def test_a_user_of_the_site_is_in_the_chat(server, client):
    alice = Person.objects.create_user("alice")
    client.force_login(alice)
    # Two tabs, and each has a token of its own.
    for _ in range(2):
        response = client.get("/prebind", headers={"Sec-Fetch-Site": "same-origin"})
        session = response.json()
        assert session["jid"].startswith(f"alice@{DOMAIN}/")
        chat.client().terminate(sid=session["sid"], rid=session["rid"])


def test_a_token_is_good_once_for_its_user(server):
    alices = token("alice")
    assert refusal("bob", alices) == "not-authorized"
    end(login("alice", alices))
    assert refusal("alice", alices) == "not-authorized"
    end(login("alice", token("alice")))


def test_a_token_of_the_key_before_is_good(server, settings):
    alices = token("alice")
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    settings.SECRET_KEY_FALLBACKS = [before]
    end(login("alice", alices))
    end(login("alice", token("alice")))


def test_a_chat_server_with_another_secret_or_address_gets_no_answer(server, change):
    # Prosody says that there was no answer.
    no_answer = {"prosody": "temporary-auth-failure", "ejabberd": "not-authorized"}[server["kind"]]
    change(SITE_SECRET="another-secret-of-both")
    assert refusal("alice", token("alice")) == no_answer
    change(SITE_SECRET=SECRET, CHAT_SERVER_ADDRESSES="192.0.2.1")
    assert refusal("alice", token("alice")) == no_answer
    change(CHAT_SERVER_ADDRESSES=())
    end(login("alice", token("alice")))


def test_a_flood_keeps_no_good_token_out(server, caplog):
    with ThreadPoolExecutor(8) as pool:
        conditions = set(pool.map(lambda _: refusal("alice", "wrong"), range(130)))
    assert conditions <= {"not-authorized", "temporary-auth-failure"}
    assert "the next ones are not logged" in caplog.text
    end(login("alice", token("alice")))


def test_a_message_to_somebody_offline_arrives(server):
    for name in ("alice", "bob"):
        Person.objects.create_user(name)
    if server["kind"] == "prosody":
        # There the first login makes the account.
        end(login("bob", token("bob")))
    page = Page(server, login("alice", token("alice")))

    def write(to):
        to = f'to="{to}@{DOMAIN}"'
        return f'<message xmlns="jabber:client" {to}><body>good morning</body></message>'

    assert "service-unavailable" not in page.ask(write("bob"))
    assert "service-unavailable" in page.ask(write("nobody"))
    page = Page(server, login("bob", token("bob")))
    said = page.ask('<presence xmlns="jabber:client"/>')
    while "good morning" not in said:
        said += page.send()
