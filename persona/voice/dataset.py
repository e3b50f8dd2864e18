"""The data set of the owner's voice: clips, what is said in them, and a log of where each is from.

It is kept sealed as part of the clone, under the key of the consent. In the clear it is only in a folder that one
training run uses, in the form of LJSpeech, and that is wiped afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from compliance.errors import PersonaError
from compliance.sound import chunks
from persona.voice.sound import Sound

REFERENCE = "reference.wav"
STATEMENT = "statement.wav"
LOG = "metadata.jsonl"
TRANSCRIPTS = "metadata.csv"


class Clones(Protocol):
    """`compliance.clone.Clones`: sealed files of a clone."""

    async def keep(self, likeness: Literal["voice"], name: str, data: bytes) -> None: ...

    async def read(self, likeness: Literal["voice"], name: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One clip, as the log has it."""

    name: str
    """Of its sealed file, without ".wav"."""
    source: str
    """The recording it is from, as a keyed hash of its file name."""
    seconds: float
    text: str
    """What is said in it, as recognised; empty when nobody listened."""
    recogniser: str
    consent_id: str
    date: str
    """When it was enrolled, as YYYY-MM-DD."""
    checks: tuple[dict[str, Any], ...] = ()
    """Of the recording it is from; see `checks.Check.as_json`."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with its sound."""

    item: Item
    sound: Sound


def source_of(path: Path, consent_id: str) -> str:
    """A recording's name in the log: file names name people, so it says only which clips go together."""
    return hashlib.sha256(f"{consent_id}\0{path.name}".encode()).hexdigest()[:16]


async def keep(clones: Clones, clips: Sequence[Clip], reference: Sound, statement: Sound) -> None:
    """Store it sealed. Raises `ConsentMissing`, `VaultError` and `OSError`.

    The log comes last: clips that it does not name, of an enrolment that was cut short, do not count.
    """
    await clones.keep("voice", REFERENCE, await asyncio.to_thread(reference.wav))
    await clones.keep("voice", STATEMENT, await asyncio.to_thread(statement.wav))
    for clip in clips:
        await clones.keep("voice", f"{clip.item.name}.wav", clip.sound.wav())
    items = [clip.item for clip in clips]
    await clones.keep("voice", TRANSCRIPTS, transcripts(items))
    await clones.keep("voice", LOG, log(items))


async def items(clones: Clones) -> tuple[Item, ...]:
    """What the log names; nothing when there is none. Raises `ConsentMissing`, `VaultError` and `OSError`."""
    kept = await clones.read("voice", LOG)
    return tuple(_item(line) for line in (kept or b"").decode().splitlines())


def log(items: Sequence[Item]) -> bytes:
    """metadata.jsonl: one JSON object to a clip."""
    lines = [{name: getattr(item, name) for name in Item.__slots__} for item in items]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def transcripts(items: Sequence[Item]) -> bytes:
    """metadata.csv as LJSpeech has it: name, text, text as it is read, between bars; only clips with a text."""
    rows = [(item.name, " ".join(item.text.replace("|", " ").split())) for item in items]
    return "".join(f"{name}|{text}|{text}\n" for name, text in rows if text).encode()


@asynccontextmanager
async def unpacked(clones: Clones, within: Path | None = None) -> AsyncIterator[Path]:
    """The data set in the clear, for one training run: wavs/, metadata.csv, metadata.jsonl; wiped on leaving.

    `within` is where the folder is made; best in memory (`/dev/shm`). Raises `PersonaError` when there is none.
    """
    found = await items(clones)
    if not found:
        raise PersonaError("there is no data set of the voice yet; give recordings with `twin enroll voice`")
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="twin-voice-", dir=within))
    try:
        (folder / "wavs").mkdir(mode=0o700)
        for item in found:
            data = await clones.read("voice", f"{item.name}.wav")
            if data is not None:
                await asyncio.to_thread((folder / "wavs" / f"{item.name}.wav").write_bytes, data)
        (folder / TRANSCRIPTS).write_bytes(transcripts(found))
        (folder / LOG).write_bytes(log(found))
        yield folder
    finally:
        # Not awaited: on a cancellation too nothing may be left.
        wipe(folder)


def wipe(folder: Path) -> None:
    """Overwrite every file in a folder, then delete it. Raises `OSError`."""
    for path in list(folder.rglob("*")):
        # A link's target is somebody else's file.
        if path.is_file() and not path.is_symlink():
            chunks.wipe(path)
    shutil.rmtree(folder)


def _item(line: str) -> Item:
    values = json.loads(line)
    return Item(**{**values, "checks": tuple(values["checks"])})
