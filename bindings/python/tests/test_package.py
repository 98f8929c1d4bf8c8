"""What is installed, not what lies in the repository."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib.metadata import files, metadata
from pathlib import Path

import prebind
import pytest
from conftest import ENVIRONMENT, ROOT


def test_it_is_the_installed_package_that_is_tested():
    assert ROOT not in Path(prebind.__file__).resolve().parents or "target" in prebind.__file__


def test_the_version_is_the_workspaces():
    version = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
    assert prebind.__version__ == version == metadata("prebind")["Version"]


def test_what_comes_with_it():
    names = {Path(str(file)).name for file in files("prebind")}
    assert names >= {
        "py.typed",
        "_prebind.pyi",
        "_prebind.abi3.so",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    }
    assert metadata("prebind")["License-Expression"] == "MIT OR Apache-2.0"
    assert metadata("prebind")["Requires-Python"] == ">=3.9"
    assert "BOSH" in metadata("prebind")["Summary"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("session: prebind.Session = prebind.prebind('url', 'jid', token='t')", ""),
        ("client = prebind.Client('url', deadline=1.5, headers={'a': 'b'}, lang=None)", ""),
        ("prebind.Client('url', deadlin=1)", "deadlin"),
        ("prebind.Client('url', wait='30')", "wait"),
        ("prebind.prebind('url', 'jid', tokn='t')", "tokn"),
        ("prebind.prebind('url', 'jid', 'p').sid + 1", "operator"),
    ],
)
def test_types_are_known_to_callers(line, problem, tmp_path):
    script = f"import prebind\n{line}\n"
    cache = ENVIRONMENT.get("MYPY_CACHE_DIR", os.devnull)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "-c", script]
    checked = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (checked.returncode != 0) == bool(problem), checked.stdout
    assert problem in checked.stdout


def test_everything_public_is_listed():
    public = {name for name in vars(prebind) if not name.startswith("_")}
    modules = {name for name in public if inspect.ismodule(getattr(prebind, name))}
    ours = public - modules - {"annotations", "lru_cache", "TYPE_CHECKING"}
    assert ours == set(prebind.__all__) - {"__version__"}


@pytest.mark.parametrize("name", prebind.__all__)
def test_everything_public_is_described(name):
    public = getattr(prebind, name)
    if not inspect.isroutine(public) and not inspect.isclass(public):
        return
    assert inspect.getdoc(public), name
    assert public.__module__.startswith("prebind")
    for member, value in vars(public).items() if inspect.isclass(public) else ():
        if inspect.isroutine(value) and not member.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{member}"
