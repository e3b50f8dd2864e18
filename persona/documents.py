"""What the owner has written down at length: the folder `documents/` with .md, .txt and .pdf files.

A document is read as passages of about a hundred words that end where a sentence does. It may begin with

    ---
    title: Building with us
    tell: known
    ---

and `folder.toml` says the same (`tell` alone) for every document of its folder, where that is no text file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from compliance.errors import PersonaError
from persona.caller import Audience, Caller
from persona.files import build, line_of, read_text, read_toml
from persona.people import TELL_MEANS, audience, checked_names

MAX_PASSAGES = 5_000
"""In all documents together, half a million words: what is ranked within ten milliseconds."""
MAX_FILES = 2_000
_FOLDER = "folder.toml"
_KINDS = (".md", ".txt", ".pdf")
_MIN_WORDS, _MAX_WORDS = 80, 150
_MARKUP = re.compile(r"[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}|^\s{0,3}(?:[-*+]|\d+[.)]|>)\s+", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'»“”)]*\s+(?=[\"'«„“(]*[A-ZÄÖÜÀ-Þ\d])")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document."""

    title: str
    """The document's."""
    heading: str
    """The nearest heading above it; may be empty."""
    text: str
    tell: Audience = "anyone"
    """Who may hear it."""
    file: str = ""
    """Path below `documents/`."""

    @property
    def about(self) -> str:
        """Title and heading."""
        return f"{self.title}: {self.heading}" if self.heading else self.title

    @property
    def asked(self) -> tuple[str, ...]:
        return ()

    def may_hear(self, caller: Caller) -> bool:
        """True when this caller may hear it."""
        return caller.may_hear(self.tell)


class _Front(BaseModel):
    """What may stand at the top of a document."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    title: str = Field(default="", max_length=200)
    tell: Audience = "anyone"

    @field_validator("tell")
    @classmethod
    def _somebody(cls, value: Audience) -> Audience:
        return checked_names(value)


def load(folder: Path, *, names: Collection[str] = ()) -> tuple[Passage, ...]:
    """Every passage of every document in `folder`, in the order of their paths; none when there is no such folder.

    `names` are those that `tell` may have. Raises `PersonaError` for a document that cannot be used. Blocks for
    the disk, and for a PDF for some milliseconds a page.
    """
    passages: list[Passage] = []
    for path in _files(folder):
        passages += _passages(path, folder, names)
        if len(passages) > MAX_PASSAGES:
            raise PersonaError(
                f"{path}: more than {MAX_PASSAGES} passages of {_MAX_WORDS} words with this document; "
                "shorten it, or remove others"
            )
    return tuple(passages)


def _files(folder: Path) -> Iterator[Path]:
    """The documents, sorted; what begins with a dot is the system's."""
    found = 0
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith(".") or name == _FOLDER:
                continue
            path = Path(where, name)
            found += 1
            if found > MAX_FILES:
                raise PersonaError(f"{folder}: more than {MAX_FILES} files; put fewer there")
            if path.suffix.lower() not in _KINDS:
                raise PersonaError(f"{path}: not one of {', '.join(_KINDS)}; convert it, or put it elsewhere")
            yield path


def _passages(path: Path, folder: Path, names: Collection[str]) -> Iterator[Passage]:
    tell = _of_folder(path.parent, folder, names)
    if path.suffix.lower() == ".pdf":
        # Loaded only for who has such a document: it takes a tenth of a second.
        from persona.pdf import read_pdf

        text, front = read_pdf(path), _Front()
    else:
        text, front = _front(path, read_text(path), names)
        tell = front.tell if "tell" in front.model_fields_set else tell
    marked = path.suffix.lower() == ".md"
    first = re.search(r"^#\s+(.+?)\s*#*\s*$", text, re.MULTILINE) if marked else None
    title = front.title or (_plain(first[1]) if first else re.sub(r"[_\s-]+", " ", path.stem).strip())
    for heading, body in _sections(text) if marked else [("", text)]:
        for piece in _pieces(body):
            name = path.relative_to(folder).as_posix()
            yield Passage(title, "" if heading == title else heading, piece, tell, name)


def _of_folder(where: Path, top: Path, names: Collection[str]) -> Audience:
    """What the nearest `folder.toml` says, from the document's folder up to the top."""
    for folder in (where, *where.parents):
        path = folder / _FOLDER
        if path.exists():
            text, values = read_toml(path)
            front = build(_Front, values, path, text)
            return _told(front, path, line_of(text, "tell"), names)
        if folder == top:
            break
    return "anyone"


def _front(path: Path, text: str, names: Collection[str]) -> tuple[str, _Front]:
    """The text without its front matter, and that."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        return text, _Front()
    end = next((number for number, line in enumerate(lines[1:40], 1) if line.strip() == "---"), 0)
    if not end:
        raise PersonaError(f"{path}:1: '---' opens front matter that never ends; close it with '---'")
    values: dict[str, object] = {}
    numbers: dict[str, int] = {}
    for number, line in enumerate(lines[1:end], 2):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not key:
            continue
        if not colon or key not in _Front.model_fields:
            raise PersonaError(f"{path}:{number}: write 'title: ...' or 'tell: ...', or begin without '---'")
        values[key] = audience(value) if key == "tell" else value
        numbers[key] = number
    try:
        front = build(_Front, values, path, "")
    except PersonaError as error:
        complaint = error.message.partition(":1: ")[2]
        raise PersonaError(f"{path}:{numbers.get(complaint.split(chr(39))[1], 1)}: {complaint}") from None
    _told(front, path, numbers.get("tell", 1), names)
    return "\n" * (end + 1) + "\n".join(lines[end + 1 :]), front


def _told(front: _Front, path: Path, line: int, names: Collection[str]) -> Audience:
    if isinstance(front.tell, tuple) and not set(front.tell) <= set(names):
        raise PersonaError(f"{path}:{line}: {TELL_MEANS}; correct it, or add them there")
    return front.tell


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Heading and body of every part of a Markdown text; comments in `<!-- -->` are the owner's own notes."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    heading, body = "", list[str]()
    for line in text.splitlines():
        if marked := re.match(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$", line):
            yield heading, "\n".join(body)
            heading, body = _plain(marked[1])[:150], []
        else:
            body.append(line)
    yield heading, "\n".join(body)


def _plain(markdown: str) -> str:
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", markdown)).split())


def _pieces(body: str) -> Iterator[str]:
    """Passages that end with a sentence; a sentence that is too long for one is cut between words."""
    piece: list[str] = []
    for paragraph in re.split(r"\n\s*\n", body):
        for sentence in sentences(_plain(paragraph)):
            words = sentence.split()
            if piece and len(piece) + len(words) > _MAX_WORDS:
                yield " ".join(piece)
                piece = []
            while len(words) > _MAX_WORDS:
                yield " ".join(words[:_MAX_WORDS])
                words = words[_MAX_WORDS:]
            piece += words
        if len(piece) >= _MIN_WORDS:
            yield " ".join(piece)
            piece = []
    if piece:
        yield " ".join(piece)


def sentences(text: str) -> list[str]:
    """The sentences of a text, as far as full stops and capitals tell."""
    return [part for part in _SENTENCE.split(text.strip()) if part.strip()]
