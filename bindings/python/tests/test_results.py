"""What sessions and errors hold is what the library says, and all of it is documented."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json

import prebind
import pytest
from conftest import ROOT
from prebind import _prebind, errors

SCHEMA = json.loads(_prebind.schema())
README = (ROOT / "bindings/python/README.md").read_text()

CLASSES = [getattr(errors, name) for name in errors.__all__ if name != "PrebindError"]

#: The annotation of a field, by its type.
ANNOTATIONS = {
    "text": "str",
    "choice": "str",
    "count": "int",
    "seconds": "int",
    "texts": "list[str]",
    "records": "tuple[tuple[str, str, str], ...]",
}

#: What a session that was stored is made of.
STORED = ["jid", "sid", "rid"]


def annotation(field, or_none):
    return ANNOTATIONS[field["type"]] + (" | None" if or_none else "")


def carried(kind):
    """The fields that errors of this kind have and not all others."""
    return [field for field in SCHEMA["error"] if kind in field.get("kinds", ())]


def documented(class_):
    """The attributes that the source says something of, which Python itself does not keep."""
    body = ast.parse(inspect.getsource(class_)).body[0].body
    return {
        field.target.id
        for field, text in zip(body, body[1:])
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def test_a_session_has_the_fields_of_the_library():
    fields = [field for field in dataclasses.fields(prebind.Session) if field.name != "_handle"]
    wanted = {
        field["name"]: annotation(field, field["name"] not in STORED and field["type"] != "records")
        for field in SCHEMA["session"]
    }
    assert {field.name: field.type for field in fields} == wanted
    assert {field.name for field in fields if not field.repr} == {
        field["name"] for field in SCHEMA["session"] if field["secret"]
    }
    assert documented(prebind.Session) == set(wanted)
    for name in wanted:
        assert f"`{name}`" in README or name in STORED, name


def test_every_error_has_the_fields_of_all():
    common = {field["name"]: field for field in SCHEMA["error"] if "kinds" not in field}
    # What `str` gives.
    del common["message"]
    ours = {
        name: each.removeprefix("ClassVar[").removesuffix("]")
        for name, each in prebind.PrebindError.__annotations__.items()
    }
    assert ours == {name: annotation(field, field["optional"]) for name, field in common.items()}
    assert documented(prebind.PrebindError) == set(ours)
    for name in ours:
        assert f"`{name}`" in README, name


@pytest.mark.parametrize("class_", CLASSES)
def test_an_error_has_the_fields_of_its_kind(class_):
    wanted = {field["name"]: annotation(field, field["optional"]) for field in carried(class_.kind)}
    assert class_.__annotations__ == wanted
    assert documented(class_) == set(wanted)
    for name in wanted:
        assert f"`{name}`" in README, name
