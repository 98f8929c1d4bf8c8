"""A site of one page, whose visitors are all Alice."""

import json
import os
import tempfile
from types import SimpleNamespace

import django
from django.conf import settings

ALICE = SimpleNamespace(pk=1, is_authenticated=True, is_active=True, username="alice")
PASSWORD = json.loads(os.environ["PREBIND_SERVERS"])["prosody"]["accounts"]["alice"]


def user_jid(_user):
    return "alice@localhost"


def credentials(_user, _jid):
    return {"password": PASSWORD}


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="for the tests only",
    ROOT_URLCONF="urls_with_chat",
    INSTALLED_APPS=["prebind.django"],
    MIDDLEWARE=["urls_with_chat.sign_in"],
    USE_TZ=True,
    # One that all processes share, as a site has it.
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": tempfile.gettempdir() + "/cache",
        }
    },
    PREBIND={
        "URL": os.environ["SITE_BOSH_URL"],
        "USER_JID": "site_with_chat.user_jid",
        "CREDENTIALS": "site_with_chat.credentials",
        "RATE_LIMIT": None,
    },
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

wsgi = get_wsgi_application()
asgi = get_asgi_application()
