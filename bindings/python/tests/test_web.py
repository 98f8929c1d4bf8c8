"""The rules of a site's endpoint, as tests/vectors/web-*.json have them."""

from __future__ import annotations

import json
import re
from types import MappingProxyType

import prebind
import pytest
from conftest import ROOT
from prebind import _prebind as web


def vectors(name):
    return json.loads((ROOT / f"tests/vectors/web-{name}.json").read_text())


NAMES = ("requests", "answers", "cookies", "pages", "given", "cache", "asked", "doctor")
REQUESTS, ANSWERS, COOKIES, PAGES, GIVEN, CACHE, ASKED, DOCTOR = (vectors(name) for name in NAMES)

JIDS = json.loads((ROOT / "tests/vectors/jids.json").read_text())
#: Names that fold to others.
FOLDED = ("capital", "full-width", "decomposed", "composed")

#: What each refusal is answered with.
REFUSALS = {
    row["outcome"]["refused"]: row for row in ANSWERS["answers"] if "refused" in row["outcome"]
}


def check(answer, row):
    status, headers, body = answer
    assert (status, headers, json.loads(body)) == (row["status"], row["headers"], row["body"])


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=[row.get("name") for row in rows])


@named(REQUESTS["requests"])
def test_a_request(row):
    request = web.WebRequest(**{**REQUESTS["request"], **row.get("request", {})})
    jid = row.get("jid", REQUESTS["jid"])
    answer = request.refusal(row.get("signed_in", True)) or request.refusal_of(jid)
    if row["refusal"] is None:
        assert answer is None
    else:
        check(answer, REFUSALS[row["refusal"]])
    if "full_jid" in row:
        assert request.full_jid(jid) == row["full_jid"]
    if "complaint" in row:
        complaint = request.complaint(REQUESTS["bosh_url"], REQUESTS["setting"])
        assert complaint == row["complaint"]


@named(ANSWERS["answers"])
def test_an_answer(row):
    outcome = row["outcome"]
    if "granted" in outcome:
        check(web.web_granted(json.dumps(outcome["granted"])), row)
    elif "failed" in outcome:
        check(web.web_failed(**outcome["failed"]), row)
    elif "broken" in outcome:
        check(web.web_broken(), row)
    elif "wait" in outcome:
        check(web.web_rate_limited(outcome["wait"]), row)
    elif outcome["refused"] == "SignInAgain":
        check(web.web_sign_in_again(), row)
    else:
        assert any(outcome["refused"] == asked["refusal"] for asked in REQUESTS["requests"])


@named(COOKIES["rows"])
def test_the_cookies_of_a_balancer(row):
    given = {**COOKIES, **row}
    request = web.WebRequest(**{**COOKIES["request"], **row.get("request", {})})
    cookies = [tuple(cookie.values()) for cookie in given["cookies"]]
    assert request.cookies(given["bosh_url"], cookies) == row["set"]


def page(row):
    fields = {**PAGES["page"], **row["page"]}
    return web.web_page(**{**fields, "settings": json.dumps(fields["settings"])})


@named(PAGES["pages"])
def test_a_page(row):
    data, rest = page(row).split("</script>\n", 1)
    assert rest == row["rest"]
    _, data = data.split(">", 1)
    assert json.loads(data) == row["settings"]


@named(PAGES["reserved"])
def test_names_that_a_site_must_not_set(row):
    assert web.web_reserved(json.dumps(row["settings"]), row["assets"]) == row["names"]


@named(PAGES["refused"])
def test_a_page_that_cannot_work(row):
    with pytest.raises(prebind.ConfigError) as raised:
        page(row)
    assert raised.value.field == row["field"]


def test_a_cache_that_is_away_is_left_alone():
    cache = web.WebCache()
    for row in CACHE["questions"]:
        assert cache.is_asked(row["asked"]) == (row["answered"] is not None), row["name"]
        if row["answered"] is not None:
            times, question = (row["asked"], row["answered"]), CACHE["question"]
            said = cache.answered(*times, question, row["failure"])
            assert said == row["said"], row["name"]


def tuples(value):
    """Lists are tuples once they come from `prebind._types.plain`."""
    if isinstance(value, dict):
        return {name: tuples(each) for name, each in value.items()}
    return tuple(tuples(each) for each in value) if isinstance(value, list) else value


def asked(row):
    settings = {**ASKED["settings"], **row.get("settings", {})}
    settings["addresses"] = row.get("addresses", settings.get("addresses"))
    inquiry = {**ASKED["inquiry"], **row.get("inquiry", {})}
    inquiry["body"] = inquiry["body"].encode()
    return web.WebAsked(tuples(settings), **inquiry, now=row.get("now", ASKED["now"]))


def answered(answer):
    return dict(zip(("status", "headers", "body"), answer))


@named(ASKED["questions"])
def test_what_a_chat_server_asks(row):
    question, next_ = asked(row), row["next"]
    if isinstance(next_, str):
        assert (question.next, question.entry, question.user) == (next_, None, None)
    elif "once" in next_:
        assert (question.next, question.entry) == ("once", tuple(next_["once"].values()))
    else:
        user = (next_["exists"]["user"], next_["exists"]["jid"])
        assert (question.next, question.user) == ("exists", user)
    assert question.refusal(False) == row["refusal"]
    answers, no = ASKED["answers"], row["answer"]
    form = no.split("-")[0]
    assert answered(question.answer(False, None)) == answers[no]
    yes = no if question.next == "refuse" else f"{form}-yes"
    assert answered(question.answer(True, None)) == answers[yes]
    assert answered(question.broken()) == answers[f"{form}-broken"]
    if "complaint" in row:
        complaint = question.complaint(False, None)
        assert complaint == (row["complaint"] and tuple(row["complaint"]))


@named(ASKED["floods"])
def test_a_flood_of_questions(row):
    question, count = asked(row), row["count"]
    assert answered(question.answer(False, count)) == ASKED["answers"][row["answer"]]
    assert question.complaint(False, count) == (row["complaint"] and tuple(row["complaint"]))
    assert question.counter(False) == tuple(row["counter"].values())
    assert question.counter(True) == question.counter(False)


@named(ASKED["settings_refused"])
def test_settings_that_no_chat_server_could_ask_with(row):
    with pytest.raises(prebind.ConfigError) as raised:
        asked(row)
    assert raised.value.field == row["field"]


def test_headers_that_matter():
    used = {
        name for row in REQUESTS["requests"] for name in row.get("request", {}).get("headers", {})
    }
    known = {name.lower() for name in web.WebRequest.HEADERS}
    assert {name.lower() for name in used} - known == {"x-forwarded-host"}


@named(GIVEN["values"])
def test_what_a_site_gives(row):
    complaint = web.web_given(row["given"], GIVEN["called"], row["value"])
    expected = row["complaint"]
    if expected is not None:
        words = GIVEN["words"]["python"]
        expected = f"{GIVEN['called']}: " + re.sub(r"{(\w+)}", lambda it: words[it[1]], expected)
    assert complaint == expected


def test_what_a_site_gives_may_be_of_any_type():
    class Own:
        def __repr__(self):
            raise AssertionError

    def told(given, value):
        return web.web_given(given, "own", value)

    assert told("jid", Own()).startswith("own: returned an Own; ")
    assert told("credentials", {"password": Own()}) == "own: password is an Own; it has to be text"
    assert told("credentials", MappingProxyType({"token": "a-secret"})) is None
    assert told("rate_limit", (30, 2**70)) == told("rate_limit", (30, 0))
    assert told("extras", ("wait",)) is None
    circle = []
    circle.append(circle)
    assert told("credentials", circle).startswith("own: returned a list; ")
    assert told("credentials", {5: "a-secret"}).startswith("own: no argument '5'; ")
    with pytest.raises(ValueError, match="given: is one of jid, credentials"):
        told("passwords", None)


@named(GIVEN["names"])
def test_a_name_that_is_misspelt(row):
    told = web.web_misnamed(row["called"], row["sort"], row["misnamed"], row["known"])
    assert told == row["complaint"]


def test_users_who_share_an_account():
    jids = ["alice@localhost", "", "strau\N{LATIN SMALL LETTER SHARP S}@localhost"]
    assert web.web_sharing(jids) is None
    assert web.web_sharing([*jids, "Strauss@localhost"]) == (2, 3)


@named([row for row in JIDS["escape"] if row["name"] in FOLDED])
def test_a_name_that_looks_like_another(row):
    if row["escaped"] is None:
        with pytest.raises(prebind.ConfigError) as raised:
            prebind.jid_from_user(row["unescaped"], "localhost")
        assert raised.value.field == "jid"
    else:
        jid = prebind.jid_from_user(row["unescaped"], "localhost")
        assert jid == f"{row['escaped'].lower()}@localhost"


def test_what_the_doctor_looks_at():
    assert DOCTOR["checks"] == web.WEB_CHECKS


@named(DOCTOR["findings"])
def test_what_the_doctor_finds(row):
    line = row["line"]
    for name, word in DOCTOR["words"]["python"].items():
        line = line.replace(f"{{{name}}}", word)
    found = web.web_doctor(row["check"], row["outcome"], row["words"], row["milliseconds"])
    assert found == (row["grade"], line)


@named(DOCTOR["unmet"])
def test_what_the_doctor_cannot_try(row):
    assert web.web_unmet(row["check"], row["wrong"]) == row["line"]


@pytest.mark.parametrize(("check", "outcome"), [("end", "made"), ("ends", "ended")])
def test_what_the_doctor_does_not_know(check, outcome):
    with pytest.raises((ValueError, prebind.ConfigError)):
        web.web_doctor(check, outcome, {}, None)
