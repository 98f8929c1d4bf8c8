"""No URL at all."""

from typing import Any

urlpatterns: list[Any] = []
