"""The settings. What is about the chat is marked so."""

import os
from pathlib import Path

from website.environment import BOSH_URL, KEY

BASE_DIR = Path(__file__).resolve().parent.parent

# An example for one's own machine; a site on the internet keeps its key to itself.
SECRET_KEY = "an example's key is no secret"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "prebind.django",  # the chat
    "website",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "website.policy.content_security_policy",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    }
]

ROOT_URLCONF = "website.urls"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
USE_TZ = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SITE_DATABASE", BASE_DIR / "db.sqlite3"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
# The chat: Converse.js, as npm has installed it.
STATICFILES_DIRS = [("converse", BASE_DIR / "node_modules/converse.js/dist")]

# The chat.
PREBIND = {
    "URL": BOSH_URL,
    "DOMAIN": "localhost",
    "CREDENTIALS": "website.environment.credentials",
}
if KEY:
    PREBIND |= {"CREDENTIALS": "prebind.django.credentials.jwt", "JWT_KEY": KEY}
