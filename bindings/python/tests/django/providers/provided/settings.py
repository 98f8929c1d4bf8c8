"""The settings. Each library is set up as its own documentation says; what is about the chat are
the blocks of django.md.
"""

import json
import os
import tempfile

from provided.guide import ROOT, block

# What `servers provider -- pytest` says; without it the tests cannot run, and say so at once.
SERVERS = json.loads(os.environ["PREBIND_SERVERS"])
PROVIDER = json.loads(os.environ["PREBIND_PROVIDER"])
ISSUER = PROVIDER["issuer"]

SECRET_KEY = "for the tests only"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "provided.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DIRECTORY = tempfile.TemporaryDirectory()
# A file, so that each thread of the site has a connection of its own.
DATABASE = os.path.join(DIRECTORY.name, "site.sqlite3")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "TEST": {"NAME": DATABASE}}}
STATIC_URL = "/static/"
STATICFILES_DIRS = [("converse", ROOT / "tests/browser/node_modules/converse.js/dist")]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "mozilla_django_oidc",
    "social_django",
    "prebind.django",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "mozilla_django_oidc.middleware.SessionRefresh",
]
AUTHENTICATION_BACKENDS = [
    "social_core.backends.open_id_connect.OpenIdConnectAuth",
    # It would take the code of any other library's, too.
    "mozilla_django_oidc.auth.OIDCAuthenticationBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "django.contrib.auth.backends.ModelBackend",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

OIDC_RP_CLIENT_ID = "chat"
OIDC_RP_CLIENT_SECRET = PROVIDER["clients"]["chat"]
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email"
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{ISSUER}/auth"
OIDC_OP_TOKEN_ENDPOINT = f"{ISSUER}/token"
OIDC_OP_USER_ENDPOINT = f"{ISSUER}/me"
OIDC_OP_JWKS_ENDPOINT = f"{ISSUER}/jwks"

SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "example",
                "name": "Example",
                "client_id": "chat",
                "secret": PROVIDER["clients"]["chat"],
                "settings": {"server_url": ISSUER},
            }
        ]
    }
}

SOCIAL_AUTH_OIDC_OIDC_ENDPOINT = ISSUER
SOCIAL_AUTH_OIDC_KEY = "chat"
SOCIAL_AUTH_OIDC_SECRET = PROVIDER["clients"]["chat"]

PREBIND = {
    "URL": SERVERS["prosody13"]["http_url"],
    "DOMAIN": "provider.local",
    "RATE_LIMIT": None,
}
for library in ("mozilla-django-oidc", "django-allauth", "social-auth-app-django"):
    exec(block(f"settings.py, with {library}"))
