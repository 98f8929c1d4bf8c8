"""The app for ``INSTALLED_APPS``."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.signals import setting_changed

from prebind.django import chat, checks


class PrebindConfig(AppConfig):
    """``prebind.django``: registers the system checks, and does nothing else at the start."""

    name = "prebind.django"
    label = "prebind"
    verbose_name = "Chat (prebind)"

    def ready(self) -> None:
        """What Django calls once all apps are there."""
        checks.register()
        setting_changed.connect(_settings_changed)


def _settings_changed(*, setting: str, **_: Any) -> None:
    """Tests change settings: ``override_settings(PREBIND=…)`` is heeded at once."""
    if setting == "PREBIND":
        chat.forget()
