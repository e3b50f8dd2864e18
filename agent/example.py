"""The commented `twin.toml` that `twin init` writes, made from the settings so that it cannot go stale."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.settings import FILE, Settings
from compliance.errors import SettingsError
from persona.home import write_example

_HEAD = """\
# Settings of this twin. Every line that is commented out shows the default; remove the # to change it.
# Any key can be set in the environment as well: TWIN_SERVER__PORT=8080 is `port` of [server].
#
# Secrets never stand here. They come from the environment or from a file called .env beside this one, under their
# providers' usual names: OPENAI_API_KEY, DEEPGRAM_API_KEY, ELEVENLABS_API_KEY, TWILIO_ACCOUNT_SID,
# TWILIO_AUTH_TOKEN, ... `twin doctor` lists every engine with the keys it needs.
#
# What callers hear first is fixed: that it is an AI, in whose likeness, what is kept. It cannot be turned off.
# Your own wording, or another language, goes into a folder called disclosure beside this file, as en.toml:
#
#     dated = 2026-11-22
#     [en]
#     short = "This is an AI, the digital twin of {owner}. {noted}"
#
# A text that no longer says these things is refused. compliance/README.md lists the texts there are.
"""
_WIDTH = 100


def write(home: Path) -> tuple[Path, ...]:
    """Write the owner's example files and `twin.toml` into `home`, made for its user alone when it is not there.

    Raises `PersonaError` or `SettingsError` when one of the files is there already, or none can be written.
    """
    file = home / FILE
    if file.exists():
        raise SettingsError(f"{file}: already exists and is left as it is; choose an empty folder")
    try:
        if not home.exists():
            home.mkdir(parents=True, mode=0o700)
        owners = write_example(home)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text())
    except OSError as error:
        raise SettingsError(f"{home}: cannot be written ({error.strerror}); choose another folder") from None
    return (*owners, file)


def text() -> str:
    """Every section and every setting with its meaning and its default, commented out."""
    parts = [_HEAD]
    for name in Settings.model_fields:
        parts.append("\n".join(_section(name, Settings.model_fields[name].get_default())))
    return "\n".join(parts).rstrip() + "\n"


def _section(name: str, section: BaseModel) -> Iterator[str]:
    meanings = _meanings(type(section))
    yield f"[{name}]"
    for key in type(section).model_fields:
        for line in textwrap.wrap(" ".join(meanings.get(key, "").split()), _WIDTH):
            yield f"# {line}"
        yield f"# {key} = {_toml(getattr(section, key))}"
        yield ""


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field, which Python itself does not keep."""
    meanings: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if owner is BaseModel or not issubclass(owner, BaseModel):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, under in pairwise(statements):
            match field, under:
                case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(meaning))):
                    meanings[key] = meaning
    return meanings


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
        case tuple() | list():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no form in TOML here")
