"""Where the native part's events go. What is secret in them is masked there already."""

from __future__ import annotations

import logging

_LEVELS = {
    # Requests and answers: below `DEBUG`, so that they appear only where asked for.
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
}

_FROM_THE_TOP = tuple(reversed(_LEVELS.items()))

_log = logging.getLogger("prebind")
_wire = logging.getLogger("prebind.wire")
# A library says nothing unless the program wants to hear it.
_log.addHandler(logging.NullHandler())


def wanted() -> str | None:
    """The least level that has a reader."""
    least = None
    # Each call asks: what most programs read is found soonest from the top.
    for name, level in _FROM_THE_TOP:
        if not (_log.isEnabledFor(level) or _wire.isEnabledFor(level)):
            break
        least = name
    return least


def emit(target: str, level: str, message: str) -> None:
    """Logs an event of the native part."""
    (_wire if target == "prebind::wire" else _log).log(_LEVELS[level], message)
