"""What the page of each package in its registry says, and which install lines a guide may have.

`published` in the workspace's manifest is the one switch. While it is false, the packages' names
belong to nobody, so no text may tell a reader to install one from a registry. Once it is true, each
page begins with the install line of its registry, and no guide may install from the source.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import tomllib

ABOUT = (
    "prebind signs your site's users in to an XMPP chat server from the backend and hands the\n"
    "open session to the chat client in the page. No second login form, no chat password in the\n"
    "browser."
)

SHARED = {
    "What a site's endpoint does, and the doctor": "bindings/web/README.md",
    "All options": "core/docs/options.md",
    "All messages": "core/docs/messages.md",
    "All fields of sessions and errors": "core/docs/results.md",
    "Changes": "CHANGELOG.md",
    "Security": "SECURITY.md",
}


@dataclass(frozen=True)
class Package:
    """A package, and where its texts are; paths begin at the top of the repository."""

    page: str
    install: str
    from_source: str
    example: tuple[str, str]
    guides: dict[str, str]


PACKAGES = [
    Package(
        page="core/REGISTRY.md",
        install="cargo add prebind",
        from_source="cargo add --path core prebind",
        example=("README.md", "rust"),
        guides={"The guide": "README.md"},
    ),
    Package(
        page="bindings/cli/REGISTRY.md",
        install="cargo install prebind-cli",
        from_source="cargo install --path bindings/cli",
        example=("bindings/cli/README.md", "console"),
        guides={"The guide": "bindings/cli/README.md"},
    ),
    Package(
        page="bindings/python/REGISTRY.md",
        install="pip install prebind",
        from_source="pip install ./bindings/python",
        example=("bindings/python/README.md", "python"),
        guides={
            "The guide": "bindings/python/README.md",
            "Five minutes with Django": "bindings/python/django.md",
        },
    ),
    Package(
        page="bindings/ruby/REGISTRY.md",
        install="gem install prebind",
        from_source="rake install",
        example=("bindings/ruby/README.md", "ruby"),
        guides={
            "The guide": "bindings/ruby/README.md",
            "Five minutes with Rails": "bindings/ruby/rails.md",
        },
    ),
    Package(
        page="bindings/php/REGISTRY.md",
        install="pie install prebind/prebind",
        from_source="phpize && ./configure && make && make install",
        example=("bindings/php/README.md", "php"),
        guides={
            "The guide": "bindings/php/README.md",
            "Five minutes with nginx, and Symfony, Laravel and WordPress": "bindings/php/sites.md",
        },
    ),
    Package(
        page="bindings/uniffi/kotlin/REGISTRY.md",
        install="dev.prebind:prebind:{version}",
        from_source="mvn --file bindings/uniffi/kotlin install -DskipTests",
        example=("bindings/uniffi/README.md", "kotlin"),
        guides={"The guide": "bindings/uniffi/README.md"},
    ),
]

#: A command that takes the package from a registry. A path or a variable is the reader's own.
FROM_A_REGISTRY = re.compile(
    r"(?:\bpip3? install|\bgem install|\bcargo (?:add|install)|\bpie install|\bcomposer require"
    r"|\bbundle add|\buv add)(?: +[^\s`,]+)*? +(?:prebind(?:-cli|\[\w+\]|==[\w.]+)?|prebind/\S+)"
    r"(?=[\s`,;)]|$)"
)
#: A command that has a path to the source keeps the reader out of the registry.
HAS_A_PATH = re.compile(r"--(?:path|git|local)\b")


@dataclass(frozen=True)
class Workspace:
    """What the workspace's manifest says."""

    address: str
    version: str
    published: bool

    @classmethod
    def read(cls, root: Path) -> "Workspace":
        """Reads `Cargo.toml` in the folder."""
        workspace = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]
        package = workspace["package"]
        return cls(
            address=package["repository"],
            version=package["version"],
            published=workspace["metadata"]["registries"]["published"],
        )

    def link(self, path: str) -> str:
        """The address of a file of this version."""
        return f"{self.address}/blob/v{self.version}/{path}"


def example(root: Path, file: str, language: str) -> str:
    """The first block of that language in a guide, whose blocks the tests run."""
    block = re.search(rf"^```{language}\n.*?^```$", (root / file).read_text(), re.M | re.S)
    if block is None:
        raise LookupError(f"{file} has no block of {language}")
    return block.group()


def page(root: Path, workspace: Workspace, package: Package) -> str:
    """The text that a registry shows of the package."""
    if workspace.published:
        first = f"Install: `{package.install.format(version=workspace.version)}`"
    else:
        first = (
            f"Build it from the [source]({workspace.address}): `{package.from_source}`. "
            "No registry has this package yet."
        )
    links = {**package.guides, **SHARED}
    for path in links.values():
        if not (root / path).is_file():
            raise LookupError(f"{package.page} leads to {path}, which does not exist")
    listed = "\n".join(f"- [{name}]({workspace.link(path)})" for name, path in links.items())
    return "\n\n".join(
        [
            first,
            ABOUT,
            example(root, *package.example),
            listed,
            "Licensed under MIT or Apache 2.0, at your choice.\n",
        ]
    )


def outdated(root: Path, *, write: bool) -> list[str]:
    """The pages that differ from what they should be; with `write` they are written."""
    workspace = Workspace.read(root)
    different = []
    for package in PACKAGES:
        file, text = root / package.page, page(root, workspace, package)
        if not file.is_file() or file.read_text() != text:
            different.append(package.page)
            if write:
                file.write_text(text)
    return different


def wrong_install_lines(workspace: Workspace, guides: dict[str, str]) -> list[str]:
    """Lines of guides that install prebind in the way that is not for now."""
    sources = [package.from_source for package in PACKAGES]
    found = []
    for name, text in guides.items():
        for number, line in enumerate(text.splitlines(), 1):
            if workspace.published:
                wrong = any(source in line for source in sources)
            else:
                wrong = any(
                    not HAS_A_PATH.search(command.group())
                    for command in FROM_A_REGISTRY.finditer(line)
                )
            if wrong:
                found.append(f"{name}:{number}: {line.strip()}")
    return found
