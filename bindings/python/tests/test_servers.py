"""Logins at real servers, by every sort of credentials they know."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
import urllib.request

import prebind
import pytest
from conftest import ACCOUNT


def test_password(server, bound, left):
    before = bound(server)
    client = server.client()
    session = client.prebind(*ACCOUNT)
    assert session.jid in bound(server)
    assert session.jid.startswith("alice@localhost/")
    assert session.mechanism == "SCRAM-SHA-1"
    assert session.round_trips == 5
    assert session.inactivity == {"prosody": 60, "ejabberd": 30}[server.kind]
    assert (session.wait, session.hold, session.requests, session.cookies) == (55, 1, 2, ())
    assert session.last_rid == session.rid - 1
    assert session.rid < 2**53
    client.terminate(session)
    assert left(server, before) == []


def test_session_is_what_a_browser_asks_for(server):
    client = server.client()
    session = client.prebind(*ACCOUNT)
    other = client.prebind(*ACCOUNT)
    assert session.as_dict() == {"jid": session.jid, "sid": session.sid, "rid": session.rid}
    assert json.loads(session.to_json()) == session.as_dict()
    assert session.sid not in repr(session)
    assert str(session.rid) not in repr(session)
    assert session.jid in repr(session)
    assert session != other
    assert session == prebind.Session(
        **{name: getattr(session, name) for name in prebind.Session.__annotations__}
    )
    with pytest.raises(AttributeError):
        session.rid = 1
    client.terminate(session)
    client.terminate(other)


LOGINS = {
    "plain.local": ("prosody", "SCRAM-SHA-256", "alice", {"password": "wonder-1"}),
    "plain.local ": ("ejabberd", "SCRAM-SHA-512", "alice", {"password": "wonder-1"}),
    "localhost": ("prosody", "PLAIN", "alice", {"token": "wonder-1"}),
    "localhost ": ("ejabberd", "PLAIN", "alice", {"token": "wonder-1"}),
    "anon.local": ("prosody", "ANONYMOUS", None, {"anonymous": True}),
    "anon.local ": ("ejabberd", "ANONYMOUS", None, {"anonymous": True}),
    "bearer.local": ("prosody", "OAUTHBEARER", "alice", {"oauthbearer": ...}),
    "oauth.local": ("ejabberd", "X-OAUTH2", "alice", {"x_oauth2": ...}),
    "jwt.local": ("ejabberd", "PLAIN", "alice", {"token": ...}),
    "jwt.local ": (
        "ejabberd",
        "PLAIN",
        "alice",
        # ejabberd knows the second one; see tests/servers/src/tokens.rs.
        {"jwt": prebind.Jwt(["x" * 32, "a key for tests, and only for tests"], "HS256")},
    ),
    "onlyscram.local": (
        "prosody",
        "SCRAM-SHA-1",
        "alice",
        {"password": "wonder-1", "authcid": "alice"},
    ),
}


@pytest.mark.parametrize("host", LOGINS)
def test_credentials(host, servers, bound):
    kind, mechanism, user, credentials = LOGINS[host]
    server = servers[kind]
    host = host.strip()
    jid = f"{user}@{host}" if user else host
    # `...` stands for the token that the server gave out for the account.
    credentials = {
        name: server.tokens[jid] if value is ... else value for name, value in credentials.items()
    }
    session = server.client().prebind(jid, **credentials)
    assert session.mechanism == mechanism
    assert session.jid.split("/")[0].endswith(f"@{host}")
    assert session.jid in bound(server)
    server.client().terminate(session)


def test_client_certificate(prosody):
    client = prosody.client(client_certificate=prosody.certificate)
    session = client.prebind("alice@cert.local", external=True)
    assert session.mechanism == "EXTERNAL"
    client.terminate(session)


def test_digest_md5_only_if_allowed(servers):
    ejabberd = servers["ejabberd"]
    account = ("alice@md5.local", "wonder-1")
    session = ejabberd.client(digest_md5=True, weakest_mechanism="DIGEST-MD5").prebind(*account)
    assert session.mechanism == "DIGEST-MD5"
    with pytest.raises(prebind.MechanismError) as caught:
        ejabberd.client(weakest_mechanism="SCRAM-SHA-1").prebind(*account)
    assert set(caught.value.offered) == {"DIGEST-MD5", "PLAIN"}
    assert caught.value.allowed
    ejabberd.client().terminate(session)


def test_raw_mechanism(server):
    client = server.client()
    session = client.prebind(
        "alice@localhost", mechanism="PLAIN", initial_response="\0alice\0wonder-1"
    )
    assert session.mechanism == "PLAIN"
    client.terminate(session)


def test_stored_scram_secrets_instead_of_the_password(server):
    salt, iterations = scram_parameters(server)
    salted = hashlib.pbkdf2_hmac("sha1", b"wonder-1", salt, iterations)
    client_key, server_key = (
        hmac.digest(salted, name, "sha1") for name in (b"Client Key", b"Server Key")
    )
    for credentials in (
        {"scram_salted_password": prebind.ScramSaltedPassword("SHA-1", salt, iterations, salted)},
        {"scram_keys": prebind.ScramKeys("SHA-1", salt, iterations, client_key, server_key)},
    ):
        session = server.client().prebind("alice@localhost", **credentials)
        assert session.mechanism == "SCRAM-SHA-1"
        server.client().terminate(session)


def scram_parameters(server):
    """Alice's salt and iteration count, as the server tells them to whom logs in."""

    def post(body):
        request = urllib.request.Request(server.https_url, body.encode(), method="POST")
        trust = ssl.create_default_context(cadata=server.ca)
        with urllib.request.urlopen(request, context=trust) as reply:
            return reply.read().decode()

    attributes = "xmlns='http://jabber.org/protocol/httpbind'"
    created = post(
        f"<body {attributes} rid='100000' to='localhost' ver='1.11' wait='5' hold='1' "
        "xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>"
    )
    sid = re.search(r"\bsid=['\"]([^'\"]+)", created).group(1)
    first = base64.b64encode(b"n,,n=alice,r=abcdefgh").decode()
    challenge = post(
        f"<body {attributes} rid='100001' sid='{sid}'><auth mechanism='SCRAM-SHA-1' "
        f"xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{first}</auth></body>"
    )
    post(f"<body {attributes} rid='100002' sid='{sid}' type='terminate'/>")
    message = base64.b64decode(re.search(r"<challenge[^>]*>([^<]+)", challenge).group(1)).decode()
    fields = dict(field.split("=", 1) for field in message.split(","))
    return base64.b64decode(fields["s"]), int(fields["i"])


def test_resource_and_language(server):
    client = server.client(resource="web", lang=None)
    session = client.prebind(*ACCOUNT)
    assert session.jid == "alice@localhost/web"
    client.terminate(session)


def test_a_user_name_is_escaped(prosody):
    assert prebind.jid_from_user("d'artagnan", "example.org") == "d\\27artagnan@example.org"
    with pytest.raises(prebind.ConfigError):
        prebind.jid_from_user("", "example.org")


def test_a_wrong_password(server, bound, left):
    before = bound(server)
    with pytest.raises(prebind.AuthError) as caught:
        server.client().prebind("alice@localhost", "not-this-1")
    error = caught.value
    assert (error.kind, error.stage, error.condition) == ("Auth", "authenticate", "not-authorized")
    assert (error.retry, bool(error.text)) == ("no", True)
    assert "not-this-1" not in f"{error} {error!r} {vars(error)}"
    assert left(server, before) == []


def test_terminate_by_sid_and_rid(server, bound, left):
    before = bound(server)
    client = server.client()
    session = client.prebind(*ACCOUNT)
    client.terminate(sid=session.sid, rid=session.rid)
    assert left(server, before) == []
    for again in ({"session": session}, {"sid": session.sid, "rid": session.rid}):
        with pytest.raises(prebind.TerminatedError) as caught:
            client.terminate(**again)
        assert caught.value.condition == "item-not-found"
        assert caught.value.stage == "terminate"


def test_terminate_a_session_that_was_stored(prosody, bound, left):
    before = bound(prosody)
    client = prosody.client()
    stored = client.prebind(*ACCOUNT).to_json()
    session = prebind.Session(**json.loads(stored))
    assert session.jid in bound(prosody)
    client.terminate(session)
    assert left(prosody, before) == []


@pytest.mark.parametrize("arguments", [{}, {"sid": "x"}, {"rid": 1}])
def test_terminate_needs_a_session(prosody, arguments):
    with pytest.raises(TypeError, match="sid and rid"):
        prosody.client().terminate(**arguments)


def test_one_call_keeps_a_client_for_the_url(server):
    session = prebind.prebind(server.http_url, *ACCOUNT)
    again = prebind.prebind(server.http_url, "alice@localhost", token="wonder-1")
    assert session.sid != again.sid
    for opened in (session, again):
        server.client().terminate(opened)
