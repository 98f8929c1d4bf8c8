"""The system checks: one wrong setting each."""

import pytest
from django.core.checks import run_checks
from django.db.models import UniqueConstraint
from django.db.models.functions import Lower, Upper
from prebind.django import checks
from sample.models import Person


def ids(deploy=False):
    found = run_checks(tags=["prebind"], include_deployment_checks=deploy)
    return [message.id for message in found]


def test_a_good_site_has_nothing_to_hear():
    assert ids() == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"URI": "http://127.0.0.1/"}, "E001"),
        ({"DOMAIN": None}, "E001"),
        ({"TOKEN_SECONDS": "60"}, "E001"),
        ({"OPTIONS": []}, "E001"),
        ({"URL": ""}, "E002"),
        ({"URL": "chat.example.org"}, "E002"),
        ({"URL": "ftp://chat.example.org/"}, "E002"),
        ({"OPTIONS": {"deadline": 0}}, "E003"),
        ({"OPTIONS": {"deadlin": 3}}, "E003"),
        ({"OPTIONS": {"wait": "long"}}, "E003"),
        ({"BROWSER_URL": "chat.example.org"}, "E004"),
        ({"BROWSER_URL": "//chat.example.org/http-bind"}, "E004"),
        ({"BROWSER_URL": "https:///http-bind"}, "E004"),
        ({"USER_JID": "nowhere.at_all"}, "E005"),
        ({"USER_JID": "sample.callables.NOT_CALLABLE"}, "E005"),
        ({"DOMAIN": ""}, "E006"),
        ({"DOMAIN": "https://example.org/"}, "E006"),
        ({"USER_JID": checks.KEY_AT_DOMAIN, "DOMAIN": ""}, "E006"),
        ({"CREDENTIALS": "prebind.django.credentials.misspelled"}, "E007"),
        ({"CREDENTIALS": "word"}, "E007"),
        ({"PASSWORD_FIELD": "misspelled"}, "E008"),
        ({"PASSWORD_FIELD": "mentor.misspelled"}, "E008"),
        ({"PASSWORD_FIELD": "xmpp_password.further"}, "E008"),
        ({"TOKEN_SECONDS": 0}, "E009"),
        ({"CREDENTIALS": checks.JWT}, "E010"),
        ({"CREDENTIALS": checks.JWT, "JWT_KEY": "x" * 31}, "E010"),
        ({"CREDENTIALS": checks.JWT, "JWT_KEY": "x" * 32, "JWT_ALGORITHM": "HS257"}, "E010"),
        ({"CREDENTIALS": checks.JWT, "JWT_KEY": "x" * 32, "JWT_ALGORITHM": "RS256"}, "E010"),
        ({"SITE_SECRET": ""}, "E019"),
        ({"SITE_SECRET": "short"}, "E019"),
        ({"SITE_SECRET": 5}, "E001"),
        ({"CHAT_SERVER_ADDRESSES": ["chat.example.org"]}, "E019"),
        ({"CLIENT_ADDRESS": "nowhere.at_all"}, "E020"),
        ({"USER_EXISTS": "nowhere.at_all"}, "E021"),
        ({"USER_JID": "sample.callables.alice_everywhere"}, "W004"),
        ({"RATE_LIMIT": 30}, "E011"),
        ({"RATE_LIMIT": (0, 60)}, "E011"),
        ({"RATE_LIMIT": (30, 60, 90)}, "E011"),
        ({"RATE_LIMIT": "30/m"}, "E011"),
        ({"CACHE": "misspelled"}, "E012"),
        ({"ASSETS": "converse"}, "E013"),
        ({"CONVERSE": {"websocket_url": "wss://chat.example.org/"}}, "E014"),
        ({"CONVERSE": {"password": "secret"}}, "E014"),
        ({"CONVERSE": {"connection_options": {"worker": "/worker.js"}}}, "E014"),
        ({"CREDENTIALS": "prebind.django.providers.mozilla_django_oidc"}, "E020"),
        ({"CREDENTIALS": "prebind.django.providers.allauth"}, "E020"),
        ({"PROVIDER_TOKEN": "password"}, "E021"),
        ({"EXTRAS": ["last_rid", "cookies"]}, "E001"),
        ({"EXTRAS": "wait"}, "E001"),
        ({"CONVERSE": {"locales": {"de"}}}, "E015"),
        ({"ASSETS": "converse/"}, "W001"),
    ],
)
def test_one_wrong_setting(change, names, expected):
    change(**names)
    assert ids() == [f"prebind.{expected}"]


@pytest.mark.parametrize(
    "names",
    [
        {"BROWSER_URL": "/http-bind"},
        {"BROWSER_URL": "https://chat.example.org/http-bind"},
        {
            "USER_JID": "sample.callables.alice_everywhere",
            "USER_EXISTS": "sample.callables.has_two_letters",
            "DOMAIN": "",
        },
        {"SITE_SECRET": ["x" * 16, "y" * 16], "CHAT_SERVER_ADDRESSES": "10.0.0.5"},
        {"PASSWORD_FIELD": "mentor.xmpp_password"},
        {"PASSWORD_FIELD": "mentor.get_full_name"},
        {"CREDENTIALS": checks.JWT, "JWT_KEY": "x" * 32},
        {"CREDENTIALS": checks.JWT, "JWT_KEY": ["x" * 32, "y" * 32]},
        {"CREDENTIALS": "sample.callables.wrong_password", "PASSWORD_FIELD": "misspelled"},
        {"RATE_LIMIT": None},
        {"RATE_LIMIT": [1, 1]},
        {"ASSETS": "https://files.example.org/converse/"},
        {"ASSETS": "prebind/", "CONVERSE": {"theme": "dracula"}, "OPTIONS": {"deadline": 3.5}},
    ],
)
def test_good_settings(change, names, monkeypatch):
    monkeypatch.setattr(checks, "_finds_static", lambda path: path == "prebind/converse.min.js")
    change(**names)
    assert ids() == []


def test_no_settings_at_all(settings):
    del settings.PREBIND
    assert ids(deploy=True) == ["prebind.E001"]


def test_a_misspelled_name_is_recognized(change):
    change(RATELIMIT=None)
    [message] = run_checks(tags=["prebind"])
    assert message.msg == "PREBIND: no setting 'RATELIMIT'; did you mean RATE_LIMIT?"
    assert "BROWSER_URL" in message.hint


def test_no_url_of_ours(settings):
    settings.ROOT_URLCONF = "sample.nothing"
    assert ids() == ["prebind.E016"]


def test_a_key_is_in_no_message(change):
    change(CREDENTIALS=checks.JWT, JWT_KEY="very-private-key", JWT_ALGORITHM="RS256")
    assert "very-private-key" not in str(run_checks(tags=["prebind"]))


def test_apps_that_are_missing(settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if "staticfiles" not in app]
    assert ids() == ["prebind.W002"]


def test_templates_without_request(settings):
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    assert ids() == ["prebind.W003"]


GOOD = {
    "URL": "https://chat.example.org/http-bind",
    "RATE_LIMIT": None,
    "USER_JID": checks.KEY_AT_DOMAIN,
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"URL": "http://192.0.2.1/", "BROWSER_URL": "/http-bind"}, "W010"),
        ({"BROWSER_URL": "http://chat.example.org/http-bind"}, "W011"),
        ({"URL": "http://127.0.0.1:5280/http-bind"}, "W011"),
        ({"BROWSER_URL": "https://localhost/http-bind"}, "W012"),
        ({"OPTIONS": {"allow_cleartext": True}}, "W013"),
        ({"RATE_LIMIT": (30, 60)}, "W014"),
        ({"USER_JID": checks.USERNAME_AT_DOMAIN}, "W015"),
        ({"CREDENTIALS": checks.SIGNED_TOKEN}, "W016"),
    ],
)
def test_one_setting_that_is_not_for_the_public(change, names, expected):
    change(**GOOD, **{name: value for name, value in names.items() if name not in GOOD})
    change(**names)
    assert ids() == []
    assert ids(deploy=True) == [f"prebind.{expected}"]


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("locmem.LocMemCache", "which no two processes share"),
        ("dummy.DummyCache", "which cannot count exactly"),
        ("filebased.FileBasedCache", "which cannot count exactly"),
        ("db.DatabaseCache", "which cannot count exactly"),
    ],
)
def test_a_cache_that_does_not_count(change, settings, backend, words):
    path = f"django.core.cache.backends.{backend}"
    settings.CACHES = {"default": {"BACKEND": path, "LOCATION": "chat"}}
    change(**GOOD | {"RATE_LIMIT": (30, 60), "BROWSER_URL": "/http-bind"})
    [message] = run_checks(tags=["prebind"], include_deployment_checks=True)
    assert message.id == "prebind.W014"
    assert words in message.msg


@pytest.mark.parametrize("function", [Lower, Upper])
def test_names_that_the_database_keeps_apart(change, monkeypatch, function):
    change(**GOOD | {"USER_JID": checks.USERNAME_AT_DOMAIN, "BROWSER_URL": "/http-bind"})
    for field, expected in (("email", ["prebind.W015"]), ("username", [])):
        constraint = UniqueConstraint(function(field), name="one_in_the_chat")
        monkeypatch.setattr(Person._meta, "constraints", [constraint])
        assert ids(deploy=True) == expected


def test_a_collation_of_the_fields_own(change, monkeypatch):
    change(**GOOD | {"USER_JID": checks.USERNAME_AT_DOMAIN, "BROWSER_URL": "/http-bind"})
    monkeypatch.setattr(Person._meta.get_field("username"), "db_collation", "NOCASE")
    assert ids(deploy=True) == []


def test_a_site_that_is_ready(change, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}
    change(**GOOD | {"RATE_LIMIT": (30, 60), "BROWSER_URL": "/http-bind"})
    assert ids(deploy=True) == []
