"""How a mutant is tried, with a program that prints what libtest would."""

import tempfile
import unittest
from pathlib import Path

from trial import Program, Test, Trials, Verdict, measured

#: Notes which tests it runs. Mutant 1 breaks `good`, 2 breaks it once, 3 crashes, and `good` calls
#: function 7.
PROGRAM = """\
#!/bin/sh
if [ "$1" = --list ]; then
    printf 'good: test\\nother: test\\n'
    exit
fi
shift
for name in "$@"; do
    echo "$PREBIND_MUTANT $name" >>ran
    if [ "$name" = good ] && [ -n "$PREBIND_MUTANTS_REACHED" ]; then
        echo 7 >>"$PREBIND_MUTANTS_REACHED"
    fi
    case "$PREBIND_MUTANT $name" in
        3*) exit 134 ;;
        "1 good") fails=yes ;;
        "2 good") if [ -e once ]; then fails=; else fails=yes; fi ;;
        *) fails= ;;
    esac
    if [ -n "$fails" ]; then
        touch once
        echo "test $name ... FAILED"
        exit 101
    fi
    echo "test $name ... ok"
done
"""


class Trying(unittest.TestCase):
    """One mutant after the other."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "program"
        self.path.write_text(PROGRAM)
        self.path.chmod(0o755)

    def trials(self, name: str = "plans") -> Trials:
        """With the two tests of the program."""
        trials = Trials(measured({name: str(self.path)}, self.folder))
        (self.folder / "ran").unlink()
        return trials

    def ran(self) -> list[str]:
        """The numbers and the tests, in their order."""
        path = self.folder / "ran"
        return path.read_text().splitlines() if path.exists() else []

    def test_only_tests_that_call_the_function_are_run(self) -> None:
        trials = self.trials()
        assert trials.run({"plans"}, 5, 7) is Verdict.SURVIVED
        assert self.ran() == ["5 good"]

    def test_all_are_run_if_the_function_is_unknown(self) -> None:
        assert self.trials().run({"plans"}, 5, None) is Verdict.SURVIVED
        assert self.ran() == ["5 good", "5 other"]

    def test_no_test_may_call_it(self) -> None:
        assert self.trials().run({"plans"}, 1, 8) is Verdict.SURVIVED
        assert self.ran() == []

    def test_a_test_that_waits_has_to_fail_twice(self) -> None:
        assert self.trials().run({"plans"}, 1, 7) is Verdict.CAUGHT
        assert self.ran() == ["1 good", "1 good"]

    def test_a_failure_by_chance_is_none(self) -> None:
        assert self.trials().run({"plans"}, 2, None) is Verdict.SURVIVED
        assert self.ran() == ["2 good", "2 good", "2 other"]

    def test_a_test_that_only_computes_has_to_fail_once(self) -> None:
        assert self.trials("vectors").run({"vectors"}, 1, 7) is Verdict.CAUGHT
        assert self.ran() == ["1 good"]

    def test_a_crash_is_a_failure(self) -> None:
        assert self.trials().run({"plans"}, 3, 7) is Verdict.CAUGHT

    def test_what_failed_the_last_time_is_first(self) -> None:
        trials = self.trials("vectors")
        assert trials.run({"vectors"}, 1, None) is Verdict.CAUGHT
        assert trials.run({"vectors"}, 5, None) is Verdict.SURVIVED
        assert self.ran() == ["1 good", "5 good", "5 good", "5 other"]

    def test_what_takes_too_long_is_ended(self) -> None:
        sleeper = self.folder / "sleeper"
        sleeper.write_text("#!/bin/sh\nwhile :; do :; done\n")
        sleeper.chmod(0o755)
        test = Test(Program("plans", str(sleeper), self.folder), "good", 0, 0, frozenset())
        assert Trials([test]).run({"plans"}, 1, None) is Verdict.ENDLESS


if __name__ == "__main__":
    unittest.main()
