"""The site's own functions, which ``PREBIND`` names by their dotted paths."""

from __future__ import annotations

from inspect import signature
from typing import Any

from django.http import HttpRequest
from django.utils.module_loading import import_string


def call(path: str, *given: Any, request: HttpRequest | None) -> Any:
    """What the function returns. It gets the request as well if it has a parameter ``request``.

    Raises what the function raises, and ``ImportError`` if there is none.
    """
    function = import_string(path)
    if "request" in signature(function).parameters:
        return function(*given, request=request)
    return function(*given)
