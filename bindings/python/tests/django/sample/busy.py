"""The settings of the example, for a site whose three users open hundreds of sessions at once."""

from website import settings
from website.settings import *  # noqa: F403

PREBIND = {
    **settings.PREBIND,
    "RATE_LIMIT": None,
    # All threads, since each visitor of the tests is to get a session.
    "OPTIONS": {"max_host_calls": 100},
}
