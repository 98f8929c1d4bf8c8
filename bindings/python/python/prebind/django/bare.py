"""Views that Django leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections, transaction

View = TypeVar("View", bound=Callable[..., Any])


def bare(view: View) -> View:
    """A view around which Django does nothing that the core's rules do already or that would last
    as long as the chat server takes: no check for a CSRF token, no redirect to a login page, no
    transaction on any database.
    """
    # `csrf_exempt` of Django 4.2 would hide that a view is async.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    # For Django 5.1's `LoginRequiredMiddleware`.
    view.login_required = False  # type: ignore[attr-defined]
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view
