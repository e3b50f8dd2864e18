"""Reading the owner's files: bounded, and every complaint names the file, the line and what to do."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from compliance.errors import PersonaError

LIMIT_BYTES = 8 * 1024 * 1024

_Model = TypeVar("_Model", bound=BaseModel)


def read_text(path: Path) -> str:
    """The file as text. Raises `PersonaError` when it is missing, too large or not UTF-8."""
    try:
        if path.exists() and not path.is_file():
            # A pipe or a device of that name would keep whoever reads it waiting for ever.
            raise PersonaError(f"{path}: not a file; put a text file there")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(LIMIT_BYTES + 1) if size <= LIMIT_BYTES else b""
    except FileNotFoundError:
        raise PersonaError(f"{path}: not found; `twin init {path.parent}` writes an example") from None
    except OSError as error:
        raise PersonaError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if max(size, len(data)) > LIMIT_BYTES:
        raise PersonaError(f"{path}: larger than {LIMIT_BYTES // 2**20} MB; split it or shorten it")
    if b"\0" in data:
        raise PersonaError(f"{path}: not a text file; save it as text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PersonaError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from None


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The file's text and what it says in TOML. Raises `PersonaError` with the line of the mistake."""
    text = read_text(path)
    try:
        return text, tomllib.loads(text)
    except RecursionError:
        raise PersonaError(f"{path}: nested too deeply; write it flat, as the example is") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        what = re.sub(r" \(at .*\)$", "", str(error)).lower()
        raise PersonaError(f"{path}:{line}: broken TOML: {what}; correct this line") from None


def line_of(text: str, key: str, *, table: str = "", nth: int = 0) -> int:
    """The line on which `key` stands in the `nth` `[[table]]` of a TOML text; the table's own line when the
    key is not there. tomllib forgets lines, so they are looked for again when there is something to say."""
    lines = text.splitlines()
    start = 0
    if table:
        header = re.compile(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]")
        heads = [number for number, line in enumerate(lines) if header.match(line)]
        if nth >= len(heads):
            return 1
        start = heads[nth]
        end = heads[nth + 1] if nth + 1 < len(heads) else len(lines)
    else:
        end = len(lines)
    assignment = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*(=|\]|\.)""")
    for number in range(start, end):
        if key and assignment.match(lines[number]):
            return number + 1
    return start + 1


def explain(error: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """The key that the first complaint is about, and the complaint in one line without the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields)
        return key, f"unknown key '{key}'; the keys are: {known}"
    if first["type"] == "missing":
        return key, f"'{key}' is missing; add it"
    message = first["msg"].removeprefix("Value error, ")
    return key, f"'{key}': {message[:1].lower()}{message[1:]}" if key else message


def build(model: type[_Model], values: object, path: Path, text: str, *, table: str = "", nth: int = 0) -> _Model:
    """`values` as a checked `model`. Raises `PersonaError` that points at the offending line."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        key, complaint = explain(error, model)
        raise PersonaError(f"{path}:{line_of(text, key, table=table, nth=nth)}: {complaint}") from None
