"""Caches that are away in one way each. `asked` counts the questions."""

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
