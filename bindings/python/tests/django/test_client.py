"""The one client of a process."""

import os

from django.test import override_settings
from prebind.django import chat


def test_there_is_one():
    assert chat.client() is chat.client()


def test_a_setting_that_changes_makes_another(settings):
    before = chat.client()
    with override_settings(PREBIND={**settings.PREBIND, "OPTIONS": {"deadline": 1.0}}):
        assert chat.client() is not before


def test_a_process_that_was_forked_makes_its_own():
    before = chat.client()
    child = os.fork()
    if child == 0:
        os._exit(0 if chat.client() is not before else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert chat.client() is before


def test_nothing_is_made_before_it_is_needed(client, db):
    chat.forget()
    assert client.get("/prebind").status_code == 401
    assert chat._client.cache_info().currsize == 0
