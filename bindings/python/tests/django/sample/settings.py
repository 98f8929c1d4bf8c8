"""A site with a chat, complete enough that no system check has anything to say."""

import json
import os
import tempfile

# What `servers all -- pytest` says; without it the tests cannot run, and say so at once.
SERVERS = json.loads(os.environ["PREBIND_SERVERS"])

SECRET_KEY = "for the tests only"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "sample.urls"
AUTH_USER_MODEL = "sample.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DIRECTORY = tempfile.TemporaryDirectory()
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "files": {
        "ENGINE": "django.db.backends.sqlite3",
        "TEST": {"NAME": os.path.join(DIRECTORY.name, "files.sqlite3")},
    },
}
STATIC_URL = "/static/"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "hijack",
    "impersonate",
    "prebind.django",
    "sample",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
PREBIND = {
    "URL": SERVERS["prosody"]["http_url"],
    "DOMAIN": "localhost",
    "ASSETS": "/elsewhere/",
    "SITE_SECRET": "chat-server-to-site",
}
