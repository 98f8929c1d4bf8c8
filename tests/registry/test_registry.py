"""Which install lines are found, and what a page says before and after the day of publication."""

import tempfile
import unittest
from pathlib import Path

from registry import PACKAGES, SHARED, Workspace, outdated, page, wrong_install_lines

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = """\
[workspace.package]
version = "1.2.3"
repository = "https://code.example/prebind"
[workspace.metadata.registries]
published = {published}
"""


def workspace(*, published: bool) -> Workspace:
    """One with that switch."""
    return Workspace("https://code.example/prebind", "1.2.3", published)


class Pages(unittest.TestCase):
    """What a registry shows."""

    def test_a_page_begins_with_its_install_line_only_once_it_works(self):
        for package in PACKAGES:
            install = package.install.format(version="1.2.3")
            for published in (False, True):
                with self.subTest(package=package.page, published=published):
                    text = page(ROOT, workspace(published=published), package)
                    assert (install in text.splitlines()[0]) == published
                    assert (install in text) == published

    def test_links_are_absolute_and_of_the_version(self):
        for package in PACKAGES:
            text = page(ROOT, workspace(published=True), package)
            links = [part.split(")")[0] for part in text.split("](")[1:]]
            assert links
            for link in links:
                assert link.startswith("https://code.example/prebind/blob/v1.2.3/"), link

    def test_a_stale_page_is_named_and_written(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "Cargo.toml").write_text(MANIFEST.format(published="true"))
            paths = {
                path
                for package in PACKAGES
                for path in (*package.guides.values(), *SHARED.values())
            }
            for path in {*paths, *(package.example[0] for package in PACKAGES)}:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text((ROOT / path).read_text())
            for package in PACKAGES:
                (root / package.page).parent.mkdir(parents=True, exist_ok=True)
            pages = [package.page for package in PACKAGES]
            assert outdated(root, write=False) == pages
            assert outdated(root, write=True) == pages
            assert outdated(root, write=False) == []
            (root / pages[0]).write_text("Something else")
            assert outdated(root, write=False) == pages[:1]


class InstallLines(unittest.TestCase):
    """What a guide may say."""

    def found(self, line: str, *, published: bool) -> bool:
        """Whether the line is refused."""
        return bool(wrong_install_lines(workspace(published=published), {"a.md": line}))

    def test_no_registry_before_the_packages_are_published(self):
        for line in (
            "pip install prebind",
            "run `pip install django prebind` and npm",
            "pip install --upgrade prebind==0.1.0",
            "pip install 'django' prebind[jwt]",
            "gem install prebind",
            "cargo add prebind",
            "cargo install prebind-cli --locked",
            "pie install prebind/prebind",
            "composer require prebind/php",
            "bundle add prebind",
        ):
            with self.subTest(line=line):
                assert self.found(line, published=False)
                assert not self.found(line, published=True)

    def test_what_the_reader_has_is_fine(self):
        for line in (
            "venv/bin/pip install ./bindings/python",
            'pip install django "$PREBIND_PACKAGE"',
            "cargo add --path core prebind",
            "gem install --local prebind",
            "cargo install cargo-mutants, which prebind uses",
        ):
            with self.subTest(line=line):
                assert not self.found(line, published=False)

    def test_no_source_afterwards(self):
        assert self.found("venv/bin/pip install ./bindings/python", published=True)
        assert self.found("(cd bindings/ruby && rake install)", published=True)


if __name__ == "__main__":
    unittest.main()
