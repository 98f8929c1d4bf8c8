"""What the log says of an error."""

from __future__ import annotations

import traceback

import prebind
from prebind.django.conf import SettingsError


def described(error: Exception) -> str:
    """The words of an error of ours, which hold no secret; of any other its place."""
    if isinstance(error, (prebind.PrebindError, SettingsError)):
        return str(error)
    return place_of(error)


def place_of(error: BaseException) -> str:
    """The exception's class and the last calls before it, for a log.

    Without the exception's message, which might repeat a secret.
    """
    calls = traceback.extract_tb(error.__traceback__)[-5:]
    places = [f"{call.filename}:{call.lineno} in {call.name}" for call in reversed(calls)]
    return "\n  from ".join([type(error).__name__, *places])
