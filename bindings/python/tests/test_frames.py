"""What error reports see that show local variables, as Django's mails and Sentry's do."""

from __future__ import annotations

import asyncio

import prebind
import pytest

SECRET = "wonder-SECRET-1"

# Nothing listens there.
URL = "http://127.0.0.1:9/http-bind"
KEYS = prebind.ScramKeys("SHA-1", b"salt", 4096, SECRET.encode(), SECRET.encode())

CREDENTIALS = [
    {"password": SECRET},
    {"token": SECRET},
    {"oauthbearer": SECRET},
    {"x_oauth2": SECRET},
    {"mechanism": "X-A", "initial_response": SECRET},
    {"scram_keys": KEYS},
    {"fast_token": SECRET},
    # One that is refused at once.
    {"password": SECRET, "token": SECRET},
]


def seen(call) -> str:
    """All local variables of the library's own frames, as reports show them."""
    with pytest.raises(prebind.PrebindError) as caught:
        call()
    frames = []
    trace = caught.value.__traceback__
    while trace:
        frame = trace.tb_frame
        if frame.f_globals["__name__"].split(".")[0] == "prebind":
            frames.append({name: repr(value) for name, value in frame.f_locals.items()})
        trace = trace.tb_next
    assert frames, "the library has a frame of its own"
    return str(frames)


@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_no_frame_shows_credentials(credentials):
    def calls():
        client = prebind.Client(URL, fail_fast_after=0)
        yield lambda: client.prebind("alice@localhost", **credentials)
        yield lambda: prebind.prebind(URL, "alice@localhost", **credentials)
        yield lambda: asyncio.run(client.aprebind("alice@localhost", **credentials))
        yield lambda: asyncio.run(prebind.aprebind(URL, "alice@localhost", **credentials))

    for call in calls():
        assert "SECRET" not in seen(call)


def test_no_frame_shows_options_or_a_session():
    headers = {"Authorization": SECRET}
    assert "SECRET" not in seen(lambda: prebind.Client(URL, headers=headers, wait=0))
    client = prebind.Client(URL)
    assert "SECRET" not in seen(lambda: client.terminate(sid=SECRET, rid=1))
