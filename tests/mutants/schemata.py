"""Puts many mutants of a Rust file into one: each is a copy of its function's body behind a number.

Nothing here reads or writes a file. The mutants are those that ``cargo mutants --list --json``
names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

#: A range of a text, as indexes.
Range = tuple[int, int]

#: What may hide a brace, and the braces.
TOKEN = re.compile(
    r"""
    //[^\n]* | /\*.*?\*/
    | \bb?r(\#*)".*?"\1
    | b?"(?:\\.|[^"\\])*"
    | b?'(?:\\(?:x..|u\{[^}]*\}|.)|[^'\\])'
    | [{}]
    """,
    re.DOTALL | re.VERBOSE,
)

#: Begins the lines of a mutant's copy, and those of the program itself.
MARK = re.compile(r"^// mutant (\d+)$", re.MULTILINE)
END = "// as it is"

#: Says which mutant is on (``PREBIND_MUTANT``), and notes each function that is called in the file
#: that ``PREBIND_MUTANTS_REACHED`` names.
SWITCH = """
fn mutant(function: usize) -> usize {
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    static ON: LazyLock<usize> = LazyLock::new(|| {
        std::env::var("PREBIND_MUTANT").map_or(0, |number| number.parse().unwrap())
    });
    static REACHED: LazyLock<Option<File>> = LazyLock::new(|| {
        let path = std::env::var_os("PREBIND_MUTANTS_REACHED")?;
        Some(File::options().append(true).create(true).open(path).unwrap())
    });
    static IS_NOTED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

    if let Some(mut file) = REACHED.as_ref()
        && !IS_NOTED[function].swap(true, Ordering::Relaxed)
    {
        file.write_all(format!("{function}\\n").as_bytes()).unwrap();
    }
    *ON
}
"""


@dataclass(frozen=True)
class Mutant:
    """One change in one place."""

    #: Counts from 1; 0 is the program as it is.
    number: int
    name: str
    file: str
    #: What is replaced, and by what.
    place: Range
    replacement: str
    #: The body of the function that it is in, with its braces. None if no function can hold the
    #: switch.
    body: Range | None
    is_whole_body: bool

    def alone(self, source: str) -> str:
        """The file with nothing else changed."""
        start, end = self.place
        return source[:start] + self.replacement + source[end:]

    def copy(self, source: str) -> str:
        """The function's body with this change."""
        assert self.body
        if self.is_whole_body:
            return f"{{ {self.replacement} }}"
        start, end = self.body
        return self.alone(source)[
            start : end + len(self.replacement) - (self.place[1] - self.place[0])
        ]


def mutants(listed: Iterable[Mapping[str, Any]], sources: Mapping[str, str]) -> list[Mutant]:
    """What ``cargo mutants --list --json`` printed about these files."""
    found = []
    for number, entry in enumerate(listed, 1):
        source = sources[entry["file"]]
        place = indexes(source, entry["span"])
        body = None
        if function := entry["function"]:
            body = switchable_body(
                source, indexes(source, function["span"]), function["return_type"]
            )
        found.append(
            Mutant(
                number=number,
                name=entry["name"],
                file=entry["file"],
                place=place,
                replacement=entry["replacement"],
                body=body,
                is_whole_body=entry["genre"] == "FnValue",
            )
        )
    return found


def indexes(source: str, span: Mapping[str, Mapping[str, int]]) -> Range:
    """Lines and columns count from 1."""

    def index(place: Mapping[str, int]) -> int:
        start = 0
        for _ in range(place["line"] - 1):
            start = source.index("\n", start) + 1
        return start + place["column"] - 1

    return index(span["start"]), index(span["end"])


def switchable_body(source: str, function: Range, returns: str) -> Range | None:
    """Where the function's body is, or None if it cannot ask which mutant is on.

    A ``const fn`` cannot read a variable, and each ``return`` in a function that returns
    ``impl Trait`` has to give the same type.
    """
    start, end = function
    opened: list[int] = []
    body = start
    signature = ""
    seen = start
    for token in TOKEN.finditer(source, start, end):
        if token[0] == "{":
            if not opened:
                signature += source[seen : token.start()]
            opened.append(token.start())
        elif token[0] == "}":
            body = opened.pop()
            seen = token.end()
        elif not opened:
            signature += source[seen : token.start()]
            seen = token.end()
    if source[body] != "{" or opened:
        raise ValueError(f"no body in {source[start:end]!r}")
    if re.search(r"\bimpl\b", returns) or re.search(r"\b(const|async)\s+fn\b", signature):
        return None
    return body, end


def woven(source: str, chosen: Iterable[Mutant]) -> str:
    """The source with all of these in it, each of which has a body."""
    ordered = sorted(chosen, key=lambda mutant: (mutant.body, mutant.number))
    woven = source
    # The last body first, so that the others stay where they are: a function inside another begins
    # after it.
    for body, members in reversed(
        [(body, list(group)) for body, group in groupby(ordered, attrgetter("body"))]
    ):
        copies = "".join(
            f"// mutant {mutant.number}\n{mutant.number} => return {mutant.copy(source)},\n"
            for mutant in members
        )
        start = body[0] + 1
        switch = f"\nmatch crate::mutant({members[0].number}) {{\n{copies}{END}\n_ => {{}}\n}}\n"
        woven = woven[:start] + switch + woven[start:]
    return woven


def functions(chosen: Iterable[Mutant]) -> dict[int, int]:
    """By which number each mutant's function notes that it was called."""
    first: dict[tuple[str, Range], int] = {}
    return {
        mutant.number: first.setdefault((mutant.file, mutant.body), mutant.number)
        for mutant in sorted(chosen, key=attrgetter("number"))
        if mutant.body
    }


def owners(text: str) -> list[int]:
    """Which mutant each line of a woven text belongs to; 0 if to none."""
    numbers = []
    number = 0
    for line in text.split("\n"):
        if mark := MARK.match(line):
            number = int(mark[1])
        elif line == END:
            number = 0
        numbers.append(number)
    return numbers


def at_fault(error: Mapping[str, Any], owners: Mapping[str, Sequence[int]]) -> set[int]:
    """The mutants that a message of the compiler's is about, by each file's `owners`."""
    spans = [span for message in (error, *error["children"]) for span in message["spans"]]
    primary = [span for span in spans if span["is_primary"]]
    for some in (primary, spans):
        numbers = {
            owners[place["file_name"]][place["line_start"] - 1]
            for span in some
            for place in called_from(span)
            if place["file_name"] in owners
        }
        if found := numbers - {0}:
            return found
    return set()


def called_from(span: Mapping[str, Any] | None) -> Iterable[Mapping[str, Any]]:
    """A place, and if it is inside of a macro, also where that is called."""
    while span:
        yield span
        expansion = span["expansion"]
        span = expansion and expansion["span"]
