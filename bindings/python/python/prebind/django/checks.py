"""System checks: what ``manage.py check`` says about ``PREBIND``, and how to mend it.

Errors keep the chat from working. Warnings are about what may be intentional; those with ids from
``W010`` on are for ``manage.py check --deploy``. No check asks the chat server, the cache or the
database; ``manage.py prebind doctor USER`` does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings as site_settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core import checks
from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import connections, router
from django.db.models import F, UniqueConstraint
from django.db.models.functions import Lower, Upper
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

import prebind
from prebind._prebind import web_reserved
from prebind.django.chat_login import unasked
from prebind.django.conf import ABSOLUTE, NAMES, Settings, SettingsError, checked, load
from prebind.django.credentials import signer
from prebind.django.providers import NEEDED, PROVIDER_TOKENS

#: The ready-made callables, which have settings of their own.
USERNAME_AT_DOMAIN = "prebind.django.users.username_at_domain"
KEY_AT_DOMAIN = "prebind.django.users.key_at_domain"
PASSWORD_FIELD = "prebind.django.credentials.password_field"  # noqa: S105 - a path
JWT = "prebind.django.credentials.jwt"
SIGNED_TOKEN = "prebind.django.credentials.signed_token"  # noqa: S105 - a path
IS_USER = "prebind.django.users.is_user"

Messages = Iterator[checks.CheckMessage]


def register() -> None:
    """Tells Django about the checks."""
    checks.register(check_settings, "prebind")
    checks.register(check_deployment, "prebind", deploy=True)


def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Everything that is wrong with the settings."""
    try:
        settings = load()
    except ImproperlyConfigured as error:
        problem = str(error).removeprefix("PREBIND: ")
        return [_error(1, problem, f"It is a dict with these names: {', '.join(NAMES)}.")]
    return [
        *_client(settings),
        *_browser_url(settings),
        *_users(settings),
        *_credentials(settings),
        *_rate_limit(settings),
        *_page(settings),
        *_site(),
        *_chat_login(settings),
    ]


def check_deployment(**_: Any) -> list[checks.CheckMessage]:
    """What is good enough for a developer's machine only."""
    try:
        settings = load()
    except ImproperlyConfigured:
        return []
    return list(_deployment(settings))


def _client(settings: Settings) -> Messages:
    if not settings.url:
        if settings.tenant:
            return
        yield _error(2, "URL is missing.", 'For example "https://chat.example.org/http-bind".')
        return
    try:
        prebind.Client(settings.url, **settings.options)
    except prebind.ConfigError as error:
        place = "URL" if error.field == "url" else "OPTIONS"
        yield _error(2 if place == "URL" else 3, f"{place}: {error}.", None)
    except TypeError as error:
        yield _error(3, f"OPTIONS: {error}.", "They are named as the arguments of prebind.Client.")


def _browser_url(settings: Settings) -> Messages:
    url = settings.browser_url
    if not url or (url.startswith("/") and not url.startswith("//")):
        return
    if not (url.startswith(ABSOLUTE) and urlsplit(url).hostname):
        hint = 'It is an https URL, or a path of this site: "/http-bind".'
        yield _error(4, "BROWSER_URL is no address.", hint)


def _users(settings: Settings) -> Messages:
    yield from _callable(5, "USER_JID", settings.user_jid)
    if settings.tenant:
        yield from _callable(17, "TENANT", settings.tenant)
    if settings.impersonated:
        yield from _callable(18, "IMPERSONATED", settings.impersonated)
    if not settings.domain:
        if settings.user_jid in (USERNAME_AT_DOMAIN, KEY_AT_DOMAIN) and not settings.tenant:
            yield _error(
                6, "DOMAIN is missing.", 'What is behind the @ of the JIDs: "example.org".'
            )
        return
    try:
        prebind.jid_from_user("user", settings.domain)
    except (prebind.ConfigError, TypeError) as error:
        yield _error(6, f"DOMAIN: {error}.", "It is what is behind the @ of the JIDs, no address.")


def _credentials(settings: Settings) -> Messages:
    yield from _callable(7, "CREDENTIALS", settings.credentials)
    if settings.credentials == PASSWORD_FIELD and not _has_field(settings.password_field):
        yield _error(
            8,
            f"The user model has no {settings.password_field}.",
            "Name the field with the chat password in PASSWORD_FIELD, or another CREDENTIALS.",
        )
    if settings.credentials == JWT:
        yield from _jwt(settings)
    yield from _provider(settings)
    if not _is_count(settings.token_seconds):
        yield _error(9, "TOKEN_SECONDS is no number of seconds.", "It is an int of 1 or more.")


def _jwt(settings: Settings) -> Messages:
    if not settings.jwt_key:
        if settings.tenant:
            return
        yield _error(10, "JWT_KEY is missing.", "It is the key that the chat server has.")
        return
    try:
        signer(settings).issue("user@example.org")
    except (prebind.ConfigError, TypeError) as error:
        yield _error(10, f"JWT_KEY or JWT_ALGORITHM: {error}.", "prebind key new makes a key.")


def _provider(settings: Settings) -> Messages:
    needed = NEEDED.get(settings.credentials)
    if needed and not getattr(site_settings, needed, False):
        yield _error(20, "The site keeps no access token of the provider.", f"Set {needed} = True.")
    if settings.provider_token not in PROVIDER_TOKENS:
        yield _error(
            21,
            "PROVIDER_TOKEN is no way to send a token.",
            f"It is one of {', '.join(PROVIDER_TOKENS)}.",
        )


def _rate_limit(settings: Settings) -> Messages:
    try:
        checked("RATE_LIMIT", settings.rate_limit)
    except SettingsError as error:
        hint = "(30, 60) is 30 sessions in 60 seconds; None is off."
        yield _error(11, f"{error}.", hint)
    if settings.cache not in site_settings.CACHES:
        yield _error(12, f"CACHE: there is no {settings.cache!r} in CACHES.", None)


def _page(settings: Settings) -> Messages:
    assets = settings.assets
    if not isinstance(assets, str) or (assets and not assets.endswith("/")):
        yield _error(13, "ASSETS does not end in /.", 'For example "converse/", below STATIC_URL.')
    elif assets and is_missing_static(f"{assets}converse.min.js"):
        yield _warning(
            1,
            f"No static file {assets}converse.min.js is found.",
            "npm install converse.js, and put "
            f'("{assets.rstrip("/")}", "node_modules/converse.js/dist") in STATICFILES_DIRS.',
        )
    try:
        reserved = web_reserved(settings.converse_json, assets if isinstance(assets, str) else "/")
    except (TypeError, ValueError) as error:
        yield _error(15, f"CONVERSE is no JSON: {error}.", None)
        return
    for name in reserved:
        hint = "Remove it: the page would have no chat with it, or the template tag decides it."
        yield _error(14, f"CONVERSE must not have {name!r}.", hint)


def _site() -> Messages:
    try:
        reverse("prebind:session")
    except NoReverseMatch:
        yield _error(
            16,
            "The browser has no address to ask for a session.",
            'Add path("prebind", include("prebind.django.urls")) to the urlpatterns.',
        )
    for app in ("django.contrib.auth", "django.contrib.staticfiles"):
        if not apps.is_installed(app):
            yield _warning(2, f"{app} is not in INSTALLED_APPS.", "The chat needs it.")
    wanted = "django.template.context_processors.request"
    engines: list[Any] = site_settings.TEMPLATES
    if not any(
        wanted in engine.get("OPTIONS", {}).get("context_processors", ()) for engine in engines
    ):
        hint = f"Add {wanted} to the context_processors."
        yield _warning(3, "{% prebind_converse %} will find no request.", hint)


def _chat_login(settings: Settings) -> Messages:
    """What the chat server could not ask."""
    if not _answers_chat_server():
        return
    try:
        unasked(settings)
    except (SettingsError, prebind.ConfigError) as error:
        hint = "SITE_SECRET is a long random text, CHAT_SERVER_ADDRESSES a list of IP addresses."
        yield _error(19, f"the chat server gets no answer: {error}.", hint)
    if settings.client_address:
        yield from _callable(20, "CLIENT_ADDRESS", settings.client_address)
    yield from _callable(21, "USER_EXISTS", settings.user_exists)
    is_own = settings.user_jid not in (USERNAME_AT_DOMAIN, KEY_AT_DOMAIN)
    is_there = not any(_callable(5, "USER_JID", settings.user_jid))
    if settings.user_exists == IS_USER and is_own and is_there:
        hint = "Name a function of your own, since USER_JID is one. Prosody does not ask."
        yield _warning(4, "The chat server cannot ask who exists: USER_EXISTS is missing.", hint)


def _answers_chat_server() -> bool:
    try:
        reverse("prebind_chat_login:chat_login")
    except NoReverseMatch:
        return False
    return True


def _deployment(settings: Settings) -> Messages:
    if settings.url.startswith("http://") and not _is_loopback(settings.url):
        yield _warning(10, "URL is http: an attacker on the network can read along.", "Use https.")
    browser_url = settings.url_for_browser
    if browser_url.startswith("http://"):
        yield _warning(11, "BROWSER_URL is http: a page of https must not ask it.", "Use https.")
    elif _is_loopback(browser_url):
        hint = "Give the address that browsers elsewhere reach."
        yield _warning(12, "BROWSER_URL is on this machine.", hint)
    if settings.options.get("allow_cleartext"):
        hint = "Remove allow_cleartext."
        yield _warning(13, "OPTIONS allow passwords and tokens over plain http.", hint)
    if settings.rate_limit is not None and settings.cache in site_settings.CACHES:
        yield from _counting(caches[settings.cache])
    if settings.credentials == SIGNED_TOKEN and settings.cache in site_settings.CACHES:
        yield from _noting(caches[settings.cache])
    if settings.user_jid == USERNAME_AT_DOMAIN and not _ignores_case():
        yield _warning(
            15,
            "Users whose names differ only in capitals share one chat account.",
            f'Set USER_JID to "{KEY_AT_DOMAIN}", or give the user model a UniqueConstraint('
            "Lower(USERNAME_FIELD)). `manage.py prebind doctor USER` looks for such users.",
        )


def _ignores_case() -> bool:
    """Whether the database lets no two users have names that differ only in capitals."""
    model: Any = get_user_model()
    field = model._meta.get_field(model.USERNAME_FIELD)
    # A collation of the field's own is the choice of somebody who knows; MySQL's ignore case.
    if (
        getattr(field, "db_collation", None)
        or connections[router.db_for_read(model)].vendor == "mysql"
    ):
        return True
    constraints = (each for each in model._meta.constraints if isinstance(each, UniqueConstraint))
    expressions = {repr(each) for constraint in constraints for each in constraint.expressions}
    folded = {repr(function(F(field.name))) for function in (Lower, Upper)}
    return bool(expressions & folded)


def _counting(cache: BaseCache) -> Messages:
    name = type(cache).__name__
    hint = "Name a cache in CACHE that counts for all processes, for example one of Redis."
    if isinstance(cache, LocMemCache):
        yield _warning(14, f"RATE_LIMIT counts in a {name}, which no two processes share.", hint)
    elif not counts_exactly(cache):
        yield _warning(14, f"RATE_LIMIT counts in a {name}, which cannot count exactly.", hint)


def _noting(cache: BaseCache) -> Messages:
    """Whether a token can be used twice."""
    if isinstance(cache, LocMemCache) or not counts_exactly(cache):
        name = type(cache).__name__
        hint = "Name a cache in CACHE that all processes share, for example one of Redis."
        yield _warning(16, f"A {name} cannot say for certain that a token was used before.", hint)


def counts_exactly(cache: BaseCache) -> bool:
    """Whether it counts in one step."""
    # Django's own way to count reads and writes, and loses what others count meanwhile. Caches of
    # files, of the database and for nothing leave it at that.
    return type(cache).incr is not BaseCache.incr


def _callable(number: int, name: str, path: str) -> Messages:
    hint = "It is the dotted path of a function."
    try:
        found = import_string(path)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        yield _error(number, f"{name}: {error}.", hint)
    else:
        if not callable(found):
            yield _error(number, f"{name}: {path} is not callable.", hint)


def _has_field(path: str) -> bool:
    """Whether the user model has it, or another model that it leads to: a field or a property."""
    model: Any = get_user_model()
    for name in path.split("."):
        try:
            model = model._meta.get_field(name).related_model
        except FieldDoesNotExist:
            return hasattr(model, name)
        if model is None:
            return path.endswith(name)
    return True


def is_missing_static(path: str) -> bool:
    """Whether it is a static file of the site's, and not there. Addresses are not looked at."""
    return not path.startswith((*ABSOLUTE, "/")) and not _finds_static(path)


def _finds_static(path: str) -> bool:
    is_served = apps.is_installed("django.contrib.staticfiles")
    return is_served and finders.find(path) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _error(number: int, message: str, hint: str | None) -> checks.Error:
    return checks.Error(f"PREBIND: {message}", hint=hint, id=f"prebind.E{number:03}")


def _warning(number: int, message: str, hint: str | None) -> checks.Warning:
    return checks.Warning(f"PREBIND: {message}", hint=hint, id=f"prebind.W{number:03}")
