"""The documentation against the code: all there is is described, and all that is shown works.

python -m tests.unit.test_docs      # writes the tables of settings and engines anew
"""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import loguru
import pytest
import typer
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from agent.cli import app, run
from agent.engines import registry
from agent.engines.base import Card, Kind
from agent.example import text as example
from agent.face.lineup import check_look
from agent.house import House
from agent.metrics import render
from agent.server import application
from agent.settings import ELSEWHERE, HERE, EngineSection, FaceSection, Settings, SpeechSection, load
from avatar.errors import FaceError
from avatar.illustrated.look import CHOICES
from avatar.illustrated.look import NAMES as LOOK_PARTS
from avatar.temper import Temper
from compliance import disclosure
from compliance.console.sections import MENU
from persona import facts, profile
from persona.home import demo
from tests.unit.test_house import PRODUCT, ROOT, files, named, product

README = ROOT / "README.md"
READMES = sorted(path for path in files(".md") if path.name == "README.md")
DATA = {"statements.md", "how-we-work.md", "before-you-build.md"}
"""Files of a twin's home that are Markdown, and no documentation."""
CHANNELS = ("channels/web", "channels/twilio", "channels/livekit", "channels/camera")
FOLDERS = (*PRODUCT, "tests", "infra", *CHANNELS, "compliance/watermark")
KINDS: tuple[Kind, ...] = ("speech", "brain", "voice")
OPEN, CLOSE = "<!-- written by: python -m tests.unit.test_docs -->", "<!-- end -->"
# typer carries a click of its own, and lends out only this one of its errors.
WrittenWrongly = typer.BadParameter.__mro__[1]
READ_BY_OTHERS = {"LOGURU_AUTOINIT", "MEM0_TELEMETRY"}
"""Variables that the code writes for its own libraries and processes."""


def read(folder: str) -> str:
    return (ROOT / folder / "README.md").read_text("utf-8")


EVERYTHING = "\n".join(path.read_text("utf-8") for path in READMES)


# ---- the tables that are written from the code


def settings_table() -> str:
    """Every setting with its default and its meaning, as `twin init` writes them."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    section, meaning = "", list[str]()
    for line in example().splitlines():
        if head := re.fullmatch(r"\[(\w+)\]", line):
            section, meaning = head[1], []
        elif section and (setting := re.fullmatch(r"# (\w+) = (.*)", line)):
            default = "" if setting[2] in ('""', "[]") else f"`{setting[2]}`"
            rows.append(f"| `{section}.{setting[1]}` | {default} | {' '.join(meaning)} |")
            meaning = []
        elif section and line.startswith("# "):
            meaning.append(line.removeprefix("# "))
    return "\n".join(rows)


def engines_table() -> str:
    """Every engine with what it needs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    rows = ["| engine | what it is | needs | falls back to |", "|---|---|---|---|"]
    for kind in KINDS:
        for (of_kind, name), card in registry.cards().items():
            if of_kind == kind:
                about = "; ".join(part for part in (card.about, card.licence) if part)
                rows.append(f"| {kind} `{name}` | {about} | {_needs(card, extras)} | {card.falls_back_to} |")
    return "\n".join(rows)


def _needs(card: Card, extras: dict[str, list[str]]) -> str:
    needs = [f"`{key}`" for key in card.keys]
    if card.extra in extras:
        needs.append(f"extra `{card.extra}`")
    return ", ".join(needs)


TABLES = {README: settings_table, ROOT / "agent" / "README.md": engines_table}


def written(page: str, table: str) -> str:
    """The page with this table between its marks."""
    before, _, rest = page.partition(OPEN)
    _, _, after = rest.partition(CLOSE)
    return f"{before}{OPEN}\n\n{table}\n\n{CLOSE}{after}"


@pytest.mark.parametrize("page", TABLES, ids=named)
def test_the_tables_say_what_the_code_says(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text == written(text, TABLES[page]()), "python -m tests.unit.test_docs writes it anew"


def test_every_setting_is_described() -> None:
    described = dict(re.findall(r"^\| `([\w.]+)` \| [^|]* \| ([^|]*) \|$", settings_table(), re.MULTILINE))
    for section, field in Settings.model_fields.items():
        for key in type(field.get_default()).model_fields:
            assert described.get(f"{section}.{key}"), f"{section}.{key}"


# ---- the commands


def leaves(command: Any = None, path: tuple[str, ...] = ("twin",)) -> list[tuple[str, Any]]:
    """Every command that does something, by its whole name."""
    command = command or typer.main.get_command(app)
    under: dict[str, Any] = getattr(command, "commands", {})
    if not under:
        return [(" ".join(path), command)]
    return [leaf for name, child in under.items() for leaf in leaves(child, (*path, name))]


@pytest.mark.parametrize(("name", "command"), leaves(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_and_option_is_in_the_table(name: str, command: Any) -> None:
    rows = [line for line in README.read_text("utf-8").splitlines() if re.match(rf"\| `{name}[ `]", line)]
    assert len(rows) == 1
    options = [flag for option in command.params if option.param_type_name == "option" for flag in option.opts]
    assert set(re.findall(r"`(--?[a-z-]+)`", rows[0])) == set(options)


def shown_commands(page: str) -> list[str]:
    """The lines of fenced blocks that begin with `twin`."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shells = [block for language, block in blocks if language in ("", "sh", "console")]
    return [line for block in shells for line in block.splitlines() if line.startswith("twin ")]


def parse(line: str) -> None:
    """Read a command line as the command would, and do nothing."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(line, words)


@pytest.mark.parametrize("line", shown_commands(EVERYTHING))
def test_every_command_that_is_shown_is_understood(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("wrong", ["twin serve --prt 1", "twin say Hello", "twin calls list --limit none"])
def test_a_wrong_one_would_be_noticed(wrong: str) -> None:
    with pytest.raises(WrittenWrongly):
        parse(wrong)


def test_the_commands_of_the_readme_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a newcomer types them; those that serve, call or need a call or a request are left out."""
    for variable in sorted(variables()):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOGURU_AUTOINIT", "False")
    loguru.logger.remove()
    monkeypatch.chdir(tmp_path)
    left_out = (
        *("twin serve", "twin probe", "twin calls show", "twin calls export"),
        *("twin join", "twin worker", "twin camera"),
        *("twin requests approve", "twin requests reject", "twin access"),
    )
    lines = [line for line in shown_commands(README.read_text("utf-8")) if not line.startswith(left_out)]
    assert len(lines) >= 12
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        # A shell does this for the person.
        assert run([str(Path(word).expanduser()) if word.startswith("~") else word for word in words]) == 0, line
    assert (tmp_path / "closed.wav").stat().st_size > 100_000
    assert run(["doctor", "--json"]) == 0
    assert '"ok": true' in capsys.readouterr().out


def test_every_target_of_the_makefile_is_described_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert set(re.findall(r"^    make ([\w-]+)", README.read_text("utf-8"), re.MULTILINE)) == targets
    known = (
        r"\bmake (run|test|check|bench-face|bench-libraries|bench-watermark|bench|soak|lock|tools|voices|clean)\b"
    )
    assert set(re.findall(known, EVERYTHING)) == targets


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([a-z_]+\.[\w.]+)", EVERYTHING))))
def test_every_module_that_is_to_be_run_is_there(module: str) -> None:
    found = ROOT.joinpath(*module.split("."))
    assert found.with_suffix(".py").is_file() or (found / "__main__.py").is_file()


# ---- what scripts and other programs rely on


async def routes(house: House) -> AsyncIterator[str]:
    """Those of the service as it runs. What is mounted counts as its first page: the rest is behind a sign-in."""
    service = application(house, {})
    async with service.router.lifespan_context(service):
        mounted = {route.path for route in service.routes if isinstance(route, Mount)}
        for route in iter_route_contexts(service.routes):
            if route.path in mounted:
                yield f"GET {route.path}/"
                continue
            for method in sorted(set(route.methods or {"WS"}) - {"HEAD"}):
                yield f"{method} {route.path}"


async def test_every_route_is_described(tmp_path: Path) -> None:
    settings = Settings(speech=SpeechSection(engine="pocketsphinx"))
    found = {route async for route in routes(House(settings, demo(), {}, home=tmp_path))}
    assert found >= {"GET /", "POST /webrtc/offer", "POST /twilio/voice", "WS /twilio/media", "GET /readyz"}
    assert found >= {"GET /privacy", "POST /privacy/prove", "POST /verify", "GET /console/"}
    assert found == set(re.findall(r"^\| `((?:GET|POST|WS) /[^`]*)` \|", README.read_text("utf-8"), re.MULTILINE))


def test_every_entry_of_the_consoles_menu_is_described() -> None:
    assert [entry.path for entry in MENU if f"`/console{entry.path}`" not in read("compliance")] == []


def test_every_metric_is_described(tmp_path: Path) -> None:
    text = render(House(Settings(), demo(), {}, home=tmp_path))
    names = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert names <= set(re.findall(r"`(twin_\w+)`", read("infra")))


def variables() -> set[str]:
    """Every variable of the environment that the code reads, and the keys of all engines."""
    names = {"TWIN_HOME"}
    for path in product():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case (
                    ast.Call(func=ast.Attribute(value=of, attr="get"), args=[ast.Constant(value=str(name)), *_])
                    | ast.Subscript(value=of, slice=ast.Constant(value=str(name)))
                ) if name.isupper() and re.search(r"environ|variables", ast.unparse(of)):
                    names.add(name)
    for card in registry.cards().values():
        names.update(card.keys)
    return names - READ_BY_OTHERS


def test_every_variable_is_described() -> None:
    assert variables() >= {"TWIN_HOME", "TWIN_LOG", "TWIN_DEBUG", "TWILIO_AUTH_TOKEN", "XDG_DATA_HOME"}
    missing = sorted(name for name in variables() if not re.search(rf"`{name}\b", EVERYTHING))
    assert missing == []


# ---- the pages themselves


def test_every_folder_has_its_page_and_there_is_no_other_place() -> None:
    assert {named(path) for path in READMES} == {"README.md", *(f"{folder}/README.md" for folder in FOLDERS)}
    other = [named(p) for p in files(".md", ".rst", ".adoc") if p.name != "README.md" and p.name not in DATA]
    assert other == []
    folders = {path.relative_to(ROOT).parts[0] for path in files() if len(path.relative_to(ROOT).parts) > 1}
    assert folders - {".ci"} == {folder for folder in FOLDERS if "/" not in folder}


def anchors(page: str) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", READMES, ids=named)
def test_every_link_and_picture_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        link = urlsplit(target)
        if link.scheme:
            continue
        there = (page.parent / unquote(link.path)).resolve() if link.path else page
        assert there.exists(), target
        assert there.is_relative_to(ROOT), target
        if link.fragment:
            assert link.fragment in anchors(there.read_text("utf-8")), target


def test_every_page_is_reached_from_the_first() -> None:
    linked = {(README.parent / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)", read("."))}
    assert set(READMES) - {README} <= linked


@pytest.mark.parametrize("page", READMES, ids=named)
def test_every_file_that_a_page_names_in_its_table_is_there(page: Path) -> None:
    """The tables that say which file holds what."""
    rows = re.findall(r"^\| file \|.*\n\|[-|]+\n((?:\|.*\n)+)", page.read_text("utf-8"), re.MULTILINE)
    cells = [row.split("|")[1] for table in rows for row in table.splitlines()]
    names = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    places = (page.parent, ROOT / "persona" / "example")
    homes = {"twin.toml", ".env"}
    assert [name for name in names - homes if not any((place / name).exists() for place in places)] == []


@pytest.mark.parametrize("page", READMES, ids=named)
def test_every_file_of_a_folder_that_a_page_describes_is_there_and_in_its_row(page: Path) -> None:
    """Rows as `store/` name the folder's modules in what they hold: all of them, and no others."""
    for folder, holds in re.findall(r"^\| `(\w+)/` \| (.*) \|$", page.read_text("utf-8"), re.MULTILINE):
        described = set(re.findall(r"`(\w+\.py)`", holds))
        if described and page.parent.name in ("compliance", "avatar"):
            there = {path.name for path in (page.parent / folder).glob("*.py")} - {"__init__.py"}
            assert described == there, folder


# ---- the face


def rows_of(page: str) -> dict[str, str]:
    """The second cell of each row of two or more, by the first one's first name in code."""
    return dict(re.findall(r"^\| `([^`]+)`[^|]*\| ([^|]*) \|", page, re.MULTILINE))


def test_every_choice_of_a_look_is_described() -> None:
    rows = rows_of(read("avatar"))
    assert set(CHOICES) | {"age"} == set(LOOK_PARTS)
    for part in LOOK_PARTS:
        assert part in rows, part
    for part, choices in CHOICES.items():
        if part != "background_colour":
            assert rows[part].split(", ") == list(choices), part
    assert CHOICES["background_colour"] == CHOICES["cloth_colour"], "the page says that they are the same"


def test_every_setting_of_how_a_face_moves_is_described_with_its_default_and_its_range() -> None:
    page = read("avatar")
    for name, field in Temper.model_fields.items():
        low, high = (getattr(bound, edge) for bound, edge in zip(field.metadata, ("ge", "le"), strict=True))
        assert f"| `{name}` | {field.default:g} | {low:g} to {high:g} |" in page, name
        assert name in settings_table(), name


def test_every_face_engine_is_described_and_no_other() -> None:
    table = re.findall(r"^\| engine \| face \|.*\n\|[-|]+\n((?:\|.*\n)+)", read("avatar"), re.MULTILINE)[0]
    named_there = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named_there == {*HERE, *ELSEWHERE}


def refusals() -> Iterator[str]:
    """How each message about an unfit photo or clip begins, up to its first number or its advice."""
    for path in product():
        if path.parent.name == "portrait":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Raise(exc=ast.Call(func=ast.Name(id="UnfitPicture"), args=[message, *_])):
                        parts = message.values if isinstance(message, ast.JoinedStr) else [message]
                        if isinstance(parts[0], ast.Constant):
                            yield re.split(r"[:,(]", str(parts[0].value))[0].strip()


def test_every_refusal_of_a_photo_is_described() -> None:
    found, page = set(refusals()), re.sub(r"\s+", " ", read("avatar"))
    assert len(found) > 20
    assert sorted(refusal for refusal in found if refusal not in page) == []


def packings() -> set[str]:
    """Extensions of glTF that a 3D head is refused for."""
    return set(
        re.findall(r'^    "(\w+)": "(?:is|has) ', (ROOT / "avatar/head/container.py").read_text("utf-8"), re.M)
    )


def test_every_kind_of_error_of_a_face_and_every_packing_that_is_refused_is_described() -> None:
    wanted = [kind.code for kind in FaceError.__subclasses__()] + sorted(packings())
    assert [name for name in wanted if f"`{name}`" not in read("avatar")] == []


NOT_LISTED = {"__init__.py", "README.md", "py.typed"}


def test_every_file_of_the_face_is_in_its_table() -> None:
    table = re.findall(r"^\| file \|.*\n\|[-|]+\n((?:\|.*\n)+)", read("avatar"), re.MULTILINE)[0]
    top = {path.name for path in (ROOT / "avatar").iterdir() if path.is_file()} - NOT_LISTED
    folders = {f"{path.name}/" for path in (ROOT / "avatar").iterdir() if path.is_dir()} - {"__pycache__/"}
    assert sorted(name for name in top | folders if f"`{name}`" not in table) == []


def test_what_a_new_home_says_of_the_face_loads_and_so_do_its_examples(tmp_path: Path) -> None:
    section = example().split("\n[face]\n")[1].split("\n[")[0]
    defaults = re.findall(r"^# (\w+ = .*)$", section, re.MULTILINE)
    (tmp_path / "twin.toml").write_text("\n".join(["[face]", *defaults]), "utf-8")
    assert load(tmp_path).face == FaceSection()
    shown = dict(re.findall(r"\| `face\.(\w+)` \|.*?e\.g\. `(\{.*?\})`", settings_table()))
    assert set(shown) == {"look", "manner"}
    lines = [f"{key} = {value}" for key, value in shown.items()]
    (tmp_path / "twin.toml").write_text("\n".join(["[face]", *lines]), "utf-8")
    face = load(tmp_path).face
    assert face.look
    check_look(face, "Ada Example")
    assert face.temper != Temper()


def toml_blocks() -> Iterator[tuple[str, str]]:
    """Fenced ones, and indented ones that begin with a section of ours."""
    sections = "|".join(Settings.model_fields)
    for page in READMES:
        text = page.read_text("utf-8")
        fenced = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        indented = re.findall(rf"^ {{4,}}(\[(?:{sections})\]\n(?: {{4,}}.*\n)+)", text, re.MULTILINE)
        for number, block in enumerate([*fenced, *indented]):
            yield f"{named(page)}-{number}", re.sub(r"^ {4,}", "", block, flags=re.MULTILINE)


BLOCKS = dict(toml_blocks())


@pytest.mark.parametrize("name", BLOCKS)
def test_every_toml_that_is_shown_loads(name: str, tmp_path: Path) -> None:
    values, block = tomllib.loads(BLOCKS[name]), BLOCKS[name]
    if "fact" in values:
        (tmp_path / "facts.toml").write_text(block, "utf-8")
        assert facts.load(tmp_path / "facts.toml")
    elif "name" in values:
        (tmp_path / "profile.toml").write_text(block, "utf-8")
        assert profile.load(tmp_path / "profile.toml").name == values["name"]
    elif "dated" in values:
        (tmp_path / "en.toml").write_text(block, "utf-8")
        assert disclosure.load(tmp_path).disclosure("en", owner="Ada Example").help == values["en"]["help"]
    else:
        (tmp_path / "twin.toml").write_text(block, "utf-8")
        settings = load(tmp_path)
        for kind in KINDS:
            section: EngineSection = getattr(settings, kind)
            if section.engine != "auto":
                keys = dict.fromkeys(registry.card(kind, section.engine).keys, "a key")
                registry.make(kind, section.engine, section, keys, cache=tmp_path, language="en")


def test_there_are_such_blocks_in_the_pages() -> None:
    assert sum(name.startswith("README.md") for name in BLOCKS) >= 4
    assert any(name.startswith("channels/twilio") for name in BLOCKS)


def main() -> None:
    for page, table in TABLES.items():
        page.write_text(written(page.read_text("utf-8"), table()), "utf-8")
        print(f"wrote {named(page)}")


if __name__ == "__main__":
    main()
