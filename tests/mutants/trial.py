"""Runs tests with one mutant on, until one fails."""

from __future__ import annotations

import enum
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

#: Tests that take fewer seconds of a processor are run before the others of their program.
CHEAP = 0.05

#: These programs compute, but for the unit tests of the client: a busy machine makes none fail.
CERTAIN = {"prebind", "vectors", "options", "shared", "memory"}
UNCERTAIN = "client::"

LISTED = re.compile(r"(.+): test$")
RESULT = re.compile(r"test (.+?)(?: - should panic)? \.\.\. (ok|FAILED)$")


class Verdict(enum.Enum):
    """What became of a mutant, and what people call it."""

    CAUGHT = "caught"
    ENDLESS = "ran out of time"
    SURVIVED = "missed"
    UNVIABLE = "do not compile"


@dataclass(frozen=True)
class Program:
    """One program of tests."""

    name: str
    path: str
    folder: Path


@dataclass(frozen=True)
class Test:
    """One test as it is without a mutant."""

    program: Program
    name: str
    #: The seconds that it took, and those of a processor.
    time: float
    processor: float
    #: The numbers of the functions that it calls.
    reached: frozenset[int]


@dataclass(frozen=True)
class Batch:
    """Tests that one process runs, and which mutants are in functions that they call."""

    program: Program
    tests: tuple[Test, ...]

    def those(self, names: Iterable[str]) -> Batch:
        """Some of the tests, by their names."""
        chosen = set(names)
        return Batch(self.program, tuple(test for test in self.tests if test.name in chosen))

    def only(self, function: int | None) -> Batch:
        """Those of the tests that call a function."""
        if function is None:
            return self
        return self.those(test.name for test in self.tests if function in test.reached)

    @property
    def names(self) -> list[str]:
        """What the program calls them."""
        return [test.name for test in self.tests]

    @property
    def processor(self) -> float:
        """What all of it takes of a processor."""
        return sum(test.processor for test in self.tests)

    @property
    def limits(self) -> tuple[float, float]:
        """The seconds that it may take, and those of a processor. The machine may be busy."""
        return 60 + 2 * sum(test.time for test in self.tests), 2 + 5 * self.processor


@dataclass(frozen=True)
class Outcome:
    """How a process ended."""

    passed: frozenset[str]
    failed: str | None
    code: int
    processor: float

    @property
    def was_endless(self) -> bool:
        """Whether it was ended for taking too long."""
        return self.failed is None and self.code in (-signal.SIGXCPU, -signal.SIGKILL)


def measured(programs: Mapping[str, str], folder: Path) -> list[Test]:
    """Runs each test alone, to know what it takes and what it calls. All of them have to pass."""
    tests = []
    for name, path in programs.items():
        program = Program(name, path, folder)
        listing = subprocess.run(
            [path, "--list", "--format", "terse"], cwd=folder, check=True, capture_output=True
        )
        for line in listing.stdout.decode().splitlines():
            if match := LISTED.match(line):
                tests.append(measure(program, match[1]))
    return tests


def measure(program: Program, name: str) -> Test:
    """One of them; on a busy machine one may need a second chance."""
    for _ in range(3):
        with tempfile.NamedTemporaryFile() as reached:
            begin = time.monotonic()
            outcome = run(
                program,
                [name],
                {"PREBIND_MUTANTS_REACHED": reached.name},
                seconds=600,
                processor=600,
            )
            taken = time.monotonic() - begin
            if outcome.code == 0:
                numbers = frozenset(map(int, reached.read().split()))
                return Test(program, name, taken, outcome.processor, numbers)
    sys.exit(f"{program.name}: {name} fails without a mutant")


def batches(tests: Sequence[Test]) -> list[Batch]:
    """In the order in which to run them: what takes least of a processor is first."""
    together: dict[tuple[Program, bool], list[Test]] = defaultdict(list)
    for test in tests:
        together[test.program, test.processor < CHEAP].append(test)
    found = [Batch(program, tuple(members)) for (program, _), members in together.items()]
    return sorted(found, key=lambda batch: batch.processor)


class Trials:
    """Tries mutants, and remembers for each function which test failed the last time."""

    def __init__(self, tests: Sequence[Test]) -> None:
        self._tests = tests
        self._last: dict[int | None, Batch] = {}

    def run(self, programs: Container[str], number: int, function: int | None) -> Verdict:
        """Runs the tests of these programs that call the function, all if there is none.

        The first that fails is the last.
        """
        tests = [test for test in self._tests if test.program.name in programs]
        order = [batch.only(function) for batch in batches(tests)]
        if (last := self._last.get(function)) and last.program.name in programs:
            order.insert(0, last)
        for batch in order:
            if failure := fails(batch, number):
                self._last[function] = failure.test
                return failure.verdict
        return Verdict.SURVIVED


@dataclass(frozen=True)
class Failure:
    """How a mutant died, and of what: the test that failed, or all of them if none said so."""

    verdict: Verdict
    test: Batch


def fails(batch: Batch, number: int) -> Failure | None:
    """Whether a test fails. Where chance could be the reason, it has to fail alone, too."""
    variables = {"PREBIND_MUTANT": str(number)}
    while batch.tests:
        outcome = run(batch.program, batch.names, variables, *batch.limits)
        if outcome.code == 0:
            return None
        if outcome.failed is None:
            return Failure(Verdict.ENDLESS if outcome.was_endless else Verdict.CAUGHT, batch)
        failed = batch.those({outcome.failed})
        is_certain = batch.program.name in CERTAIN and not outcome.failed.startswith(UNCERTAIN)
        if is_certain or run(batch.program, failed.names, variables, *failed.limits).code:
            return Failure(Verdict.CAUGHT, failed)
        batch = batch.those(set(batch.names) - outcome.passed - {outcome.failed})
    return None


def run(
    program: Program,
    names: Sequence[str],
    variables: Mapping[str, str],
    seconds: float,
    processor: float,
) -> Outcome:
    """Runs tests by their names until one fails or the time is over."""
    limits = f"--cpu={math.ceil(processor)}", f"--as={4 << 30}"
    with (
        tempfile.TemporaryDirectory(prefix="prebind-mutants-") as temporary,
        subprocess.Popen(
            ["prlimit", *limits, program.path, "--exact", *names],
            cwd=program.folder,
            env={**os.environ, "TMPDIR": temporary, "RUST_TEST_THREADS": "4", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            errors="replace",
        ) as process,
    ):
        timer = Timer(seconds, end, [process.pid])
        timer.start()
        passed = set()
        failed = None
        for line in process.stdout or ():
            if match := RESULT.match(line.rstrip()):
                if match[2] == "FAILED":
                    failed = match[1]
                    end(process.pid)
                    break
                passed.add(match[1])
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    taken = usage.ru_utime + usage.ru_stime
    return Outcome(frozenset(passed), failed, process.returncode, taken)


def end(group: int) -> None:
    """Ends a process and those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
