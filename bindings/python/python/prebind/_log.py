"""Where the native part's events go. What is secret in them is masked there already."""

from __future__ import annotations

import logging

TRACE = 5
"""The level of requests and answers: below `DEBUG`, so that they appear only where asked for."""

_log = logging.getLogger("prebind")
_wire = logging.getLogger("prebind.wire")
# A library says nothing unless the program wants to hear it.
_log.addHandler(logging.NullHandler())


def wanted() -> int:
    """The least level that has a reader."""
    for level in (TRACE, logging.DEBUG, logging.INFO, logging.WARNING):
        if _log.isEnabledFor(level) or _wire.isEnabledFor(level):
            return level
    return logging.ERROR


def emit(target: str, level: int, message: str) -> None:
    """Logs an event of the native part."""
    (_wire if target == "prebind::wire" else _log).log(level, message)
