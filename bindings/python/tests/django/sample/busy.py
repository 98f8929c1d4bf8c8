"""The settings of the example, for a site whose three users open hundreds of sessions."""

from website import settings
from website.settings import *  # noqa: F403

PREBIND = {**settings.PREBIND, "RATE_LIMIT": None}
