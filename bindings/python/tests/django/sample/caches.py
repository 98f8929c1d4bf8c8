"""Caches that are away, whose `asked` counts the questions; and one that is well."""

from typing import ClassVar

from django.core.cache.backends.base import BaseCache


class Away(BaseCache):
    asked = 0

    def __init__(self, _location, params):
        super().__init__(params)

    def answer(self, *_arguments, **_names):
        type(self).asked += 1
        raise ConnectionError("no cache")

    add = get = incr = set = answer


class Silent(Away):
    """As django-redis with `IGNORE_EXCEPTIONS`."""

    asked = 0

    def answer(self, *_arguments, **_names):
        type(self).asked += 1

    add = get = incr = set = answer


class Shared(BaseCache):
    """As one that all processes share."""

    kept: ClassVar[dict] = {}

    def __init__(self, _location, params):
        super().__init__(params)

    def get(self, key, default=None, version=None):
        return self.kept.get(key, default)

    def set(self, key, value, timeout=None, version=None):
        self.kept[key] = value

    def incr(self, key, delta=1, version=None):
        self.kept[key] += delta
        return self.kept[key]
