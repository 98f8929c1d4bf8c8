"""What goes wrong is raised as its class, with what that class carries."""

from __future__ import annotations

import builtins
import copy
import json
import pickle
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import prebind
import pytest
from conftest import ACCOUNT
from prebind import _prebind, errors

CLASSES = [getattr(errors, name) for name in errors.__all__ if name != "PrebindError"]

FIELDS = json.loads(_prebind.schema())["error"]


def faults():
    listed = subprocess.run(["faults", "list"], check=True, capture_output=True, text=True)
    return dict(line.split() for line in listed.stdout.splitlines())


FAULTS = faults()


@pytest.fixture(scope="module")
def struck(faulty):
    """Every fault, at the creation and in the session, and what was raised."""

    def strike(name, at):
        with faulty(name, "--at", str(at)) as server:
            # What ends by itself may take its time on a busy machine.
            deadline = 0.6 if FAULTS[name] == "Timeout" else 12
            client = server.client(deadline=deadline, request_timeout=deadline, fail_fast_after=0)
            with pytest.raises(prebind.PrebindError) as caught:
                client.prebind(*ACCOUNT)
        return caught.value

    with ThreadPoolExecutor(8) as pool:
        yield {(name, at): pool.submit(strike, name, at) for name in FAULTS for at in (1, 3)}


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("name", FAULTS)
def test_fault(name, at, struck):
    error = struck[name, at].result()
    kind = error.kind
    # Interim responses without end may fill a buffer before the time is over.
    assert kind in (FAULTS[name], "Protocol" if name == "endless-interim" else None)
    assert type(error) is getattr(prebind, f"{kind}Error")
    # The class tells the kind, and `str` the message.
    held = {field["name"] for field in FIELDS if kind in field.get("kinds", [kind])}
    assert set(vars(error)) == held - {"kind", "message"}
    assert error.retry in ("no", "after-config-change", "fresh-session", "later")
    shown = f"{error} {error!r} {vars(error)}"
    assert "wonder-1" not in shown
    assert "faults-sid" not in shown


def test_there_is_a_class_for_each_kind():
    kinds = json.loads(_prebind.schema())["errors"]
    assert sorted(kinds) == sorted(each.kind for each in CLASSES)
    for each in CLASSES:
        assert each.__name__ == f"{each.kind}Error"
        assert issubclass(each, prebind.PrebindError)
        assert getattr(prebind, each.__name__) is each


def test_a_timeout_is_pythons_too():
    assert issubclass(prebind.TimeoutError, builtins.TimeoutError)
    error = prebind.TimeoutError("too slow", phase="dns")
    assert (str(error), error.args, error.phase) == ("too slow", ("too slow",), "dns")


@pytest.mark.parametrize("error", CLASSES)
def test_errors_can_be_copied_and_sent_to_other_processes(error):
    original = error("message", stage="bind", condition="conflict")
    for same in (copy.copy(original), pickle.loads(pickle.dumps(original))):
        assert type(same) is error
        assert str(same) == "message"
        assert vars(same) == vars(original) == {"stage": "bind", "condition": "conflict"}


def test_a_server_that_lies(lying):
    first = "r=not-ours,s=QSXCR+Q6sek8bf92,i=4096"
    with lying(first) as url, pytest.raises(prebind.ServerUnverifiedError) as caught:
        prebind.Client(url).prebind(*ACCOUNT)
    assert caught.value.check == "nonce"
    assert caught.value.stage == "authenticate"


def test_fail_fast(faulty):
    with faulty("refused") as server:
        client = server.client(fail_fast_after=1, fail_fast_for=60)
        with pytest.raises(prebind.ConnectError) as caught:
            client.prebind(*ACCOUNT)
        assert caught.value.phase == "tcp"
        with pytest.raises(prebind.TimeoutError) as caught:
            client.prebind(*ACCOUNT)
        assert (caught.value.phase, caught.value.retry) == ("fail-fast", "later")


def test_where_a_redirect_leads_is_told(faulty):
    with faulty("redirect-302") as server, pytest.raises(prebind.HttpError) as caught:
        server.client().prebind(*ACCOUNT)
    assert caught.value.status == 302
    assert re.fullmatch(r"http://localhost:\d+/elsewhere", caught.value.location)
