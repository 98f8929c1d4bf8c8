"""The site's cache is away, and there is a chat all the same."""

import logging
import time

import pytest
from django.core.cache.backends.locmem import LocMemCache
from prebind.django import chat
from sample.caches import Away, Silent


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.WARNING, "prebind.django")
    return caplog


@pytest.fixture
def clock(monkeypatch):
    """The seconds in it are added to the time."""
    real, added = time.monotonic, [0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + added[0])
    return added


@pytest.fixture
def use(settings, change):
    """Makes it the cache of the chat."""

    def use(backend):
        path = f"{backend.__module__}.{backend.__name__}"
        settings.CACHES = {**settings.CACHES, "other": {"BACKEND": path}}
        change(CACHE="other")
        backend.asked = 0
        return backend

    return use


def test_a_cache_that_is_away_costs_no_session_and_is_asked_once(signed_in, use, log, end):
    away = use(Away)
    for _ in range(2):
        end(signed_in.get())
    assert away.asked == 1
    [record] = log.records
    assert record.getMessage().startswith(
        "the cache failed (how many sessions a user opened): it is not asked again for 10 s: "
    )
    assert "ConnectionError" in record.getMessage()
    # Its words may hold a secret.
    assert "no cache" not in record.getMessage()


def test_a_cache_that_was_away_is_asked_again_after_a_while(signed_in, use, clock, end):
    away = use(Away)
    end(signed_in.get())
    clock[0] = 10
    end(signed_in.get())
    assert away.asked == 2


def test_a_cache_that_answers_nothing_counts_nothing(signed_in, use, change, log, end):
    use(Silent)
    change(RATE_LIMIT=(1, 3600))
    for _ in range(2):
        end(signed_in.get())
    assert log.records == []


@pytest.fixture
def slow(monkeypatch, clock):
    """Makes a second pass while the cache counts."""
    counted = LocMemCache.incr

    def late(*arguments, **names):
        clock[0] += 1
        return counted(*arguments, **names)

    monkeypatch.setattr(LocMemCache, "incr", late)


@pytest.mark.usefixtures("slow")
def test_a_slow_cache_is_left_alone_for_a_while(signed_in, clock, change, log, end):
    change(RATE_LIMIT=(1, 3600))
    chat.client()
    for _ in range(2):
        end(signed_in.get())
    [record] = log.records
    assert record.getMessage().startswith("the cache took 1.")
    clock[0] += 10
    assert signed_in.get().status_code == 429


def test_a_name_that_no_cache_has(signed_in, change, log, end):
    change(CACHE="there is none")
    end(signed_in.get())
    [record] = log.records
    assert "InvalidCacheBackendError" in record.getMessage()
