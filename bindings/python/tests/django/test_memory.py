"""What was learned of the chat server outlives the process."""

import prebind
from django.core.cache import cache
from prebind.django import chat, memory
from prebind.django.conf import load


def round_trips(alice):
    """How many a login takes with the client as it is."""
    session = chat.client().prebind("alice@localhost", password=alice.xmpp_password)
    chat.client().terminate(session)
    return session.round_trips


def test_the_next_process_need_not_learn(signed_in, alice, end):
    assert round_trips(alice) == 5
    chat.forget()
    end(signed_in.get())
    # As if it were another process.
    chat.forget()
    assert round_trips(alice) == 2


def test_only_what_is_new_is_written(signed_in, settings, end):
    # The second one proves what the first one taught.
    for _ in range(2):
        end(signed_in.get())
    kept = memory.recall(load().url)
    assert "prosody" in kept
    assert settings.PREBIND["URL"] not in kept
    cache.clear()
    end(signed_in.get())
    assert memory.recall(load().url) is None
    end(signed_in.get())
    assert memory.recall(load().url) == kept


def test_what_a_failure_taught_is_written_too(signed_in, fail_with, end):
    end(signed_in.get())
    fail_with(prebind.MechanismError("no longer offered"))
    assert signed_in.get().status_code == 503
    assert memory.recall(load().url) == "what the failure taught"


def test_what_was_learned_of_one_server_is_not_believed_of_another(signed_in, servers, change, end):
    end(signed_in.get())
    change(URL=servers["ejabberd"]["http_url"])
    chat.forget()
    assert chat.client().profile().endswith('"domains":[]}')


def test_an_option_of_the_site_comes_first(signed_in, alice, change, end):
    end(signed_in.get())
    change(OPTIONS={"profile": ""})
    chat.forget()
    assert round_trips(alice) == 5


def test_a_cache_with_something_else_is_an_empty_one(signed_in, alice, end):
    end(signed_in.get())
    cache.set(memory._key(load().url), b"\x00", timeout=None)
    chat.forget()
    assert round_trips(alice) == 5
