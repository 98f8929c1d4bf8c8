"""The app for ``INSTALLED_APPS``."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import AppConfig
from django.core.signals import setting_changed

from prebind.django import cache, chat, checks


class PrebindConfig(AppConfig):
    """``prebind.django``: registers the system checks, and lets our warnings be heard."""

    name = "prebind.django"
    label = "prebind"
    verbose_name = "Chat (prebind)"

    def ready(self) -> None:
        """What Django calls once all apps are there."""
        checks.register()
        setting_changed.connect(_settings_changed)
        _be_heard()


def _be_heard() -> None:
    """Django's default ``LOGGING`` has nobody read our loggers. Without a handler at all Python
    writes warnings and errors to stderr, so take away the one that a library has to silence them.
    """
    ours = logging.getLogger("prebind")
    for handler in ours.handlers:
        if isinstance(handler, logging.NullHandler):
            ours.removeHandler(handler)
            return


def _settings_changed(*, setting: str, **_: Any) -> None:
    """Tests change settings: ``override_settings(PREBIND=…)`` takes effect at once."""
    if setting in {"PREBIND", "CACHES"}:
        cache.forget()
    if setting == "PREBIND":
        chat.forget()
