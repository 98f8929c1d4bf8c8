"""Callables for the settings, good ones and bad ones."""

from django.db import connections

NOT_CALLABLE = 1


def no_chat(user):
    return None


def broken(user, jid=None):
    raise LookupError("the site's own mistake")


def wrong_password(user, jid):
    return {"password": "a-wrong-secret"}


def bare_password(user, jid):
    return "a-wrong-secret"


def misspelt_password(user, jid):
    return {"pasword": "a-wrong-secret"}


async def later(user, jid=None):
    return {"password": "a-wrong-secret"}


def number(user, jid=None):
    return 12345


def alice_everywhere(user):
    return "alice@localhost"


def from_another_database(user, jid):
    with connections["files"].cursor() as cursor:
        cursor.execute("SELECT 'a-wrong-secret'")
        return {"password": cursor.fetchone()[0]}


def takes_a_request(user, request):
    return f"{request.GET['who']}@localhost"


def token_of_the_session(user, jid, request):
    return {"oauthbearer": request.session["chat_token"]}


def behind_a_proxy(request):
    return request.headers["X-Forwarded-For"].rsplit(",")[-1]


def has_two_letters(name, jid):
    return len(name) == 2 and jid == f"{name}@localhost"


def by_host(request):
    """A chat server and a domain for each host."""
    return TENANTS[request.get_host()]


#: Filled by the tests.
TENANTS = {}
