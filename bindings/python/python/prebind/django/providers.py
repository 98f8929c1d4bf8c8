"""Users who sign in by an identity provider (OpenID Connect): what ``PREBIND["CREDENTIALS"]`` may
name to pass the provider's access token on to the chat server.

The recommended way needs none of these functions: with
:func:`prebind.django.credentials.jwt` the site signs a token itself for the user who is signed in.
Pass the provider's token on only where the chat server checks its audience.

The setting ``PROVIDER_TOKEN`` says how the token is sent. A token that has expired and cannot be
refreshed raises :class:`prebind.django.credentials.SignInAgain`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings as site_settings
from django.http import HttpRequest
from django.utils import timezone

from prebind.django.conf import SettingsError, load
from prebind.django.credentials import SignInAgain

#: With these statuses a provider refuses to renew a token (RFC 6749).
_REFUSED = (400, 401, 403)


def mozilla_django_oidc(_user: Any, _jid: str, request: HttpRequest) -> Mapping[str, str]:
    """The access token that mozilla-django-oidc keeps in the session.

    It is good until mozilla-django-oidc's ``SessionRefresh`` would renew it with the next page.
    """
    _require_kept("OIDC_STORE_ACCESS_TOKEN")
    session = _session(request)
    token = session.get("oidc_access_token")
    if not token or session.get("oidc_id_token_expiration", 0) <= time.time():
        raise SignInAgain
    return _passed_on(token)


def allauth(user: Any, _jid: str, request: HttpRequest) -> Mapping[str, str]:
    """The access token that django-allauth keeps for the account with which the user has signed in.

    django-allauth does not refresh tokens.
    """
    # It need not be installed.
    from allauth.socialaccount.models import (  # type: ignore[import-untyped]  # noqa: PLC0415
        SocialToken,
    )

    _require_kept("SOCIALACCOUNT_STORE_TOKENS")
    methods = _session(request).get("account_authentication_methods", [])
    used = [each for each in methods if each.get("method") == "socialaccount"]
    if not used:
        raise SignInAgain
    account = {"user": user, "provider": used[-1]["provider"], "uid": used[-1]["uid"]}
    accounts = {f"account__{name}": value for name, value in account.items()}
    token = SocialToken.objects.filter(**accounts).last()
    if token is None or (token.expires_at and token.expires_at <= timezone.now()):
        raise SignInAgain
    return _passed_on(token.token)


def social_auth(user: Any, _jid: str, request: HttpRequest) -> Mapping[str, str]:
    """The access token that social-auth-app-django keeps for the backend with which the user has
    signed in.

    social-auth-app-django refreshes it if it has expired and the provider gave a refresh token.
    """
    # It need not be installed.
    from social_django.utils import load_strategy  # noqa: PLC0415

    backend = _session(request).get("social_auth_last_login_backend")
    account = user.social_auth.filter(provider=backend).last()
    if account is None:
        raise SignInAgain
    if account.expiration_timedelta() is None:
        name = f"SOCIAL_AUTH_{backend}_EXTRA_DATA".upper().replace("-", "_")
        raise SettingsError(f'no expiry is kept: {name} must have ("expires_in", "expires")')
    try:
        strategy = load_strategy(request)  # type: ignore[no-untyped-call]
        token = account.get_access_token(strategy)
    except Exception as error:
        if _needs_sign_in(error):
            raise SignInAgain from None
        raise
    if not token or account.access_token_expired():
        raise SignInAgain
    return _passed_on(token)


def preferred_username(_email: str, claims: Mapping[str, Any]) -> str:
    """The user's name at the provider, for ``OIDC_USERNAME_ALGO`` of mozilla-django-oidc, so that
    :func:`prebind.django.users.username_at_domain` is the JID that the provider's token names.

    django-allauth and social-auth-app-django take this name by themselves. Take it only if users
    cannot change it at the provider. Raises ``SettingsError`` if the provider does not tell it.
    """
    name = claims.get("preferred_username")
    if not name:
        raise SettingsError("no claim preferred_username: add the scope profile to OIDC_RP_SCOPES")
    return str(name)


#: What ``PROVIDER_TOKEN`` may be.
PROVIDER_TOKENS = ("oauthbearer", "token")

#: The library's setting without which there is no token for ``CREDENTIALS`` to pass on.
NEEDED = {
    "prebind.django.providers.mozilla_django_oidc": "OIDC_STORE_ACCESS_TOKEN",
    "prebind.django.providers.allauth": "SOCIALACCOUNT_STORE_TOKENS",
}


def _require_kept(name: str) -> None:
    if not getattr(site_settings, name, False):
        raise SettingsError(f"no access token is kept: set {name} = True")


def _session(request: HttpRequest) -> Any:
    """The session of the browser; the request of ``manage.py prebind doctor`` has none."""
    return getattr(request, "session", {})


def _needs_sign_in(error: Exception) -> bool:
    """Whether the provider has refused to refresh, rather than not answered."""
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return status in _REFUSED or getattr(error, "recovery", None) == "reauthenticate"


def _passed_on(token: str) -> Mapping[str, str]:
    return {load().provider_token: token}
