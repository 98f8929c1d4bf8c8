"""Callables for the settings, good ones and bad ones."""

NOT_CALLABLE = 1


def no_chat(user):
    return None


def broken(user, jid=None):
    raise LookupError("the site's own mistake")


def wrong_password(user, jid):
    return {"password": "a-wrong-secret"}


def alice_everywhere(user):
    return "alice@localhost"
