"""The house keeps its own rules: who imports whom, how long a file is, what stands in none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BELOW = {
    "agent": {"channels", "persona", "avatar", "compliance"},
    "channels": {"persona", "avatar", "compliance"},
    "persona": {"compliance"},
    "avatar": set[str](),
    "compliance": set[str](),
}
"""The folders each folder may import besides itself."""
PRODUCT = tuple(BELOW)
MAX_LINES = 500
NO_TEXT = {".wav", ".png", ".jpg", ".lock"}
"""Sounds, pictures, and the lock files, which may name where packages come from."""
MADE = {"build", "dist", "bench-results", "__pycache__"}
"""Folders that commands make; hidden ones but `.ci` are left out too."""

# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "home", "Users", "root")) + r")/\w")
REGISTRY = re.compile(
    "|".join((r"pypi\." + "org", "python" + "hosted", "--(?:extra-)?index" + "-url", "arti" + "factory"))
)


def files(*suffixes: str) -> Iterator[Path]:
    """Every file of the project, without what commands make."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            hidden = path.name.startswith(".") and path.name not in (".ci", ".gitignore")
            if path.is_symlink() or hidden or path.name in MADE or path.name.endswith(".egg-info"):
                continue
            if path.is_dir():
                folders.append(path)
            elif not suffixes or path.suffix in suffixes:
                yield path


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def product() -> list[Path]:
    return [path for path in files(".py") if path.relative_to(ROOT).parts[0] in PRODUCT]


def imported(tree: ast.AST, path: Path) -> Iterator[tuple[int, str]]:
    """The top folder of every import, wherever in the file it stands."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name.split(".")[0]) for name in names)
            case ast.ImportFrom(module=module, level=0):
                yield node.lineno, str(module).split(".")[0]
            case ast.ImportFrom():
                pytest.fail(f"{named(path)}:{node.lineno}: a relative import hides where it leads")


def test_imports_run_downwards_only() -> None:
    wrong = []
    for path in product():
        folder = path.relative_to(ROOT).parts[0]
        forbidden = {*PRODUCT, "tests", "infra"} - BELOW[folder] - {folder}
        tree = ast.parse(path.read_text("utf-8"))
        wrong += [f"{named(path)}:{line}: {top}" for line, top in imported(tree, path) if top in forbidden]
    assert wrong == []


def test_the_check_sees_an_import_inside_a_function() -> None:
    tree = ast.parse("def late():\n    from agent.cli import app\n")
    assert list(imported(tree, ROOT)) == [(2, "agent")]


def test_no_file_of_the_product_is_longer_than_anybody_reads() -> None:
    readable = [*product(), *(path for path in files(".js", ".css", ".html") if "tests" not in path.parts)]
    long = {named(path): n for path in readable if (n := len(path.read_text("utf-8").splitlines())) > MAX_LINES}
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    """But for a test, whose name says it, and an empty file, which only makes its folder a package."""
    silent = [
        named(path)
        for path in files(".py")
        if not path.name.startswith("test_")
        and (text := path.read_text("utf-8")).strip()
        and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


@pytest.mark.parametrize(
    "forbidden", [UNFINISHED, MACHINE_PATH, REGISTRY], ids=["unfinished", "machine_path", "registry"]
)
def test_no_file_holds_what_belongs_to_one_machine_or_is_not_finished(forbidden: re.Pattern[str]) -> None:
    found = []
    for path in files():
        if path.suffix not in NO_TEXT:
            for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
                if forbidden.search(line):
                    found.append(f"{named(path)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_the_checks_see_what_they_look_for() -> None:
    assert UNFINISHED.search("# TO" + "DO later")
    assert MACHINE_PATH.search('open("/ho' + 'me/ada/twin")')
    assert not MACHINE_PATH.search("https://example.org/home/ada")
    assert REGISTRY.search("https://py" + "pi.org/simple")
