"""What is done to the text of a file."""

import unittest

from schemata import at_fault, functions, mutants, owners, woven

SOURCE = """\
const LIMIT: usize = 2 * 3;

/// A brace in a comment: { and `const fn`.
pub fn outer(a: u8, b: u8) -> bool {
    // One that is not closed: {
    let text = ("}", r#"}"}"#, '}', '\\'', b'{');
    fn inner<'a>(it: &'a str) -> &'a str {
        it
    }
    a > b && inner("é").is_empty() == text.0.is_empty()
}

const fn constant(a: u8) -> u8 {
    a + 1
}

fn all() -> impl Iterator<Item = u8> {
    0..2
}
"""


def listed(
    name: str, text: str, replacement: str, *, returns: str = "", genre: str = "BinaryOperator"
) -> dict:
    """What cargo-mutants prints of a change in a function."""
    head = SOURCE.index(f"fn {name}")
    end = SOURCE.index("\n    }\n" if name == "inner" else "\n}\n", head) + (
        6 if name == "inner" else 2
    )
    start = SOURCE.index(text, head)
    return {
        "name": f"{name}: {text} with {replacement}",
        "file": "a.rs",
        "function": {"return_type": returns, "span": span(SOURCE.rindex("\n", 0, head) + 1, end)},
        "span": span(start, start + len(text)),
        "replacement": replacement,
        "genre": genre,
    }


def span(start: int, end: int) -> dict:
    """Lines and columns, from 1."""

    def place(index: int) -> dict:
        before = SOURCE[:index]
        return {"line": before.count("\n") + 1, "column": index - (before.rfind("\n") + 1) + 1}

    return {"start": place(start), "end": place(end)}


def of(*entries: dict) -> list:
    """These mutants, numbered from 1."""
    return mutants(entries, {"a.rs": SOURCE})


class Changes(unittest.TestCase):
    """One mutant."""

    def test_a_place_is_counted_in_characters(self) -> None:
        (mutant,) = of(listed("outer", "==", "!="))
        assert mutant.alone(SOURCE) == SOURCE.replace("==", "!=")

    def test_the_body_is_found_whatever_looks_like_a_brace(self) -> None:
        (mutant,) = of(listed("outer", "&&", "||"))
        start, end = mutant.body
        assert SOURCE[start:end].startswith("{\n    // One")
        assert SOURCE[start:end].endswith("text.0.is_empty()\n}")

    def test_a_copy_is_the_body_with_the_change(self) -> None:
        (mutant,) = of(listed("inner", "it\n", '"more"\n'))
        assert mutant.copy(SOURCE) == '{\n        "more"\n    }'

    def test_a_value_replaces_the_whole_body(self) -> None:
        (mutant,) = of(listed("inner", "it\n", '""', genre="FnValue"))
        assert mutant.copy(SOURCE) == '{ "" }'

    def test_some_functions_can_hold_no_switch(self) -> None:
        item = listed("constant", "+", "-") | {"function": None}
        const, opaque, outside = of(
            listed("constant", "+", "-", returns="-> u8"),
            listed("all", "2", "3", returns="-> impl Iterator<Item = u8>"),
            item,
        )
        assert (const.body, opaque.body, outside.body) == (None, None, None)
        assert "a - 1" in const.alone(SOURCE)


class Weaving(unittest.TestCase):
    """All of them."""

    def setUp(self) -> None:
        self.chosen = of(
            listed("outer", "> b &&", "< b &&"),
            listed("inner", "it\n", '""\n', genre="FnValue"),
            listed("outer", "==", "!="),
        )
        self.text = woven(SOURCE, self.chosen)

    def test_nothing_is_changed_without_mutants(self) -> None:
        assert woven(SOURCE, []) == SOURCE

    def test_the_program_itself_stays(self) -> None:
        rest = iter(self.text.split("\n"))
        kept = []
        for line in rest:
            if line.startswith("match crate::mutant("):
                while next(rest) != "// as it is":
                    pass
                assert [next(rest), next(rest)] == ["_ => {}", "}"]
            else:
                kept.append(line)
        assert [line for line in kept if line] == [line for line in SOURCE.split("\n") if line]

    def test_each_mutant_has_its_lines(self) -> None:
        lines = self.text.split("\n")
        owned = {number: [] for number in range(4)}
        for line, owner in zip(lines, owners(self.text)):
            owned[owner].append(line)
        assert '    a < b && inner("é").is_empty() == text.0.is_empty()' in owned[1]
        assert '    a > b && inner("é").is_empty() != text.0.is_empty()' in owned[3]
        assert " ".join(owned[2][1:]).split() == ["2", "=>", "return", "{", '""', "},"]

    def test_a_copy_of_the_outer_function_has_the_inner_one_as_it_is(self) -> None:
        assert self.text.count("match crate::mutant(2)") == 1
        assert self.text.count("fn inner") == 3

    def test_a_function_is_known_by_its_first_mutant(self) -> None:
        assert functions(self.chosen) == {1: 1, 2: 2, 3: 1}


#: Which mutant each line of a file belongs to.
OWNERS = {"a.rs": [0, 1, 2, 0]}


class Blame(unittest.TestCase):
    """What the compiler complains about."""

    def test_the_primary_place_counts(self) -> None:
        error = message(place(2), place(3, is_primary=False))
        assert at_fault(error, OWNERS) == {1}

    def test_the_others_count_if_the_primary_place_is_nobodys(self) -> None:
        error = message(place(4), place(3, is_primary=False))
        assert at_fault(error, OWNERS) == {2}

    def test_a_macro_is_where_it_is_called(self) -> None:
        error = message(place(1, file="std.rs") | {"expansion": {"span": place(3)}})
        assert at_fault(error, OWNERS) == {2}

    def test_nobody_may_be_to_blame(self) -> None:
        assert at_fault(message(place(1)), OWNERS) == set()


def message(*spans: dict) -> dict:
    """An error."""
    return {"spans": list(spans), "children": []}


def place(line: int, *, is_primary: bool = True, file: str = "a.rs") -> dict:
    """A line that an error is about."""
    return {"file_name": file, "line_start": line, "is_primary": is_primary, "expansion": None}


if __name__ == "__main__":
    unittest.main()
