"""What is kept about a person, handed to them: one ZIP they can read, and another program too.

It holds their words and the twin's, and nobody else's: other speakers are left out, and what identifies third
persons in the texts is hidden. The manifest lists every file with its hash, and is signed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Select, Table, or_, select

from compliance.access_page import page
from compliance.entries import TurnEntry
from compliance.errors import KeyGone, RequestError
from compliance.forgetting.erasure_receipt import Sign
from compliance.forgetting.needles import name_forms
from compliance.language.identifiers import Span
from compliance.redaction import Line, Redacted
from compliance.requests import Note
from compliance.store.schema import (
    calls,
    consents,
    items,
    key_of,
    messages,
    participants,
    recordings,
    requests,
    subjects,
)
from compliance.store.subject import normalise
from compliance.store.transaction import Transaction
from compliance.vault import Vault

Hide = Callable[[Sequence[Line], str], Awaitable[Sequence[Redacted]]]
"""Finds what identifies people in the turns of a call in that language; `Redactor.lines_redacted` does."""
Sound = Callable[[str], Awaitable[AsyncIterator[bytes] | None]]
"""A recording as a WAV file with the caller's channel and the twin's, piece by piece; None when others are to be
heard in it."""

Remembered = Callable[[str], Awaitable[list[dict[str, Any]]]]
"""What is remembered of a person, as items of the package: `kind`, `name`, `at`, `data`."""

_WORKINGS: Final = ("memory", "memory_job", "memory_dead")
"""Kinds of items that say nothing about a person: secrets of the memory, and what waits to be written into it."""
_SPEAKERS: Final = ("caller", "twin")
_OTHERS = "[another person spoke]"
_TO_OTHERS = "[the twin spoke to another person]"
TYPE = "access-package"
_LETTERS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Package:
    """What was handed out."""

    path: Path
    calls: int
    messages: int
    recordings: int
    left_out: int
    """Recordings in which others are to be heard too."""
    hidden: int
    """Pieces of text that identify third persons."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Everything stored about the person, opened."""

    calls: tuple[str, ...]
    meetings: frozenset[str]
    """Those of the calls in which others took part too: there only what is theirs, and what was said to all."""
    messages: list[dict[str, Any]]
    items: list[dict[str, Any]]
    consents: list[dict[str, Any]]
    recordings: list[dict[str, Any]]
    requests: list[dict[str, Any]]


class Access:
    """Makes packages out of one vault."""

    def __init__(
        self,
        vault: Vault,
        *,
        hide: Hide,
        sign: Sign,
        note: Note,
        signing_key: str = "",
        sound: Sound | None = None,
        remembered: Remembered | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`hide` finds identifiers in a text; `sound` opens recordings, and without it none are in the package;
        `remembered` gives what the twin remembers of the person."""
        self._vault = vault
        self._hide = hide
        self._sign = sign
        self._note = note
        self._signing_key = signing_key
        self._sound = sound
        self._remembered = remembered
        self._now = now

    async def write(self, subject: str, path: Path) -> Package:
        """Write the package about a person to a new file, for this user alone.

        Raises `RequestError` when nothing is kept about them or the file is there already, and `VaultError`.
        """
        name = normalise(subject)
        kept = await self._vault.run(lambda tx: _kept(tx, name))
        if kept is None:
            raise RequestError("Nothing is kept about this person.")
        veil = _Veil(self._hide, name)
        told = [
            await self._call(call_id, veil, among=name if call_id in kept.meetings else None)
            for call_id in kept.calls
        ]
        if self._remembered is not None:
            kept.items.extend(await self._remembered(subject))
        for message in kept.messages:
            (message["text"],) = await veil.over([Line("caller", message["text"])], "")
        for item in kept.items:
            (item["data"],) = await veil.over([Line("twin", item["data"])], "")
        archive = await asyncio.to_thread(_Archive, path)
        try:
            left_out = await self._add_sounds(archive, kept)
            await self._add_texts(archive, name, told, kept)
        except BaseException:  # also when it is cancelled: half a package is none
            await asyncio.to_thread(archive.drop)
            raise
        # Without the person: the note would otherwise be kept about them under their name.
        sounds = len(kept.recordings) - left_out
        self._note("accessed", detail={"calls": len(kept.calls), "recordings": sounds})
        return Package(path, len(told), len(kept.messages), sounds, left_out, veil.hidden)

    async def _call(self, call_id: str, veil: _Veil, *, among: str | None) -> dict[str, Any]:
        """`among`: who the person is in a meeting, where others speak too."""
        found = await self._vault.call(call_id)
        if found is None:
            return {"id": call_id, "erased": True}
        theirs = [_is_theirs(turn, among) for turn in found.turns]
        spoken = [
            Line(turn.who, turn.text if mine else "") for turn, mine in zip(found.turns, theirs, strict=True)
        ]
        shown = await veil.over(spoken, found.call.language)
        turns = [
            {
                "who": turn.who if turn.who == "twin" or mine else "another person",
                "text": text if mine else _TO_OTHERS if turn.who == "twin" else _OTHERS,
                "at_s": round(turn.start_samples / turn.rate_hz, 2),
                "cut": turn.cut,
            }
            for turn, text, mine in zip(found.turns, shown, theirs, strict=True)
        ]
        events = [event for event in found.events if among is None or event.speaker in ("", among)]
        return {
            "id": call_id,
            "channel": found.call.channel,
            "language": found.call.language,
            "began": _day(found.call.started_ms),
            "ended": _day(found.call.ended_ms) if found.call.ended_ms else None,
            "turns": turns,
            "events": [{"kind": event.kind, "at": _day(event.at_ms)} for event in events],
        }

    async def _add_sounds(self, archive: _Archive, kept: _Kept) -> int:
        """How many were left out."""
        left_out = 0
        for recording in kept.recordings:
            pieces = await self._sound(recording["id"]) if self._sound is not None else None
            recording["in_package"] = pieces is not None
            if pieces is None:
                left_out += 1
            else:
                await archive.add(f"recordings/{recording['id']}.wav", pieces)
        return left_out

    async def _add_texts(self, archive: _Archive, name: str, told: list[dict[str, Any]], kept: _Kept) -> None:
        made_at = _day(int(self._now() * 1000))
        data = {
            "about": name,
            "made_at": made_at,
            "calls": told,
            "messages": kept.messages,
            "remembered": kept.items,
            "consents": kept.consents,
            "recordings": kept.recordings,
            "requests": kept.requests,
        }
        await archive.add("data.json", _pieces(json.dumps(data, ensure_ascii=False, indent=2)))
        await archive.add("read-me.html", _pieces(page(data)))
        manifest = {"type": TYPE, "version": 1, "made_at": made_at, "files": archive.hashes}
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
        signature = base64.b64encode(self._sign(text.encode())).decode()
        outer = {"manifest": text, "signature": signature, "algorithm": "Ed25519", "key": self._signing_key}
        await archive.add("manifest.json", _pieces(json.dumps(outer, indent=2)))
        await asyncio.to_thread(archive.close)


def _is_theirs(turn: TurnEntry, among: str | None) -> bool:
    """Whether the person may read it: they said it, or it was said to them, if only among others."""
    if among is None:
        return turn.who in _SPEAKERS
    return turn.speaker == among or (turn.who == "twin" and not turn.speaker)


class _Archive:
    """The ZIP as it is written, one piece at a time: a recording is longer than memory is large."""

    def __init__(self, path: Path) -> None:
        """Blocks. Raises `RequestError` when the file is there, or cannot be made."""
        self._path = path
        self.hashes: dict[str, str] = {}
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise RequestError(f"{path}: already exists; name another file.") from None
        except OSError as error:
            raise RequestError(f"{path}: cannot be written ({error.strerror}); name another file.") from None
        self._file = os.fdopen(handle, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    async def add(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """One file of the package."""
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as member:
            async for piece in pieces:
                digest.update(piece)
                await asyncio.to_thread(member.write, piece)
        self.hashes[name] = digest.hexdigest()

    def close(self) -> None:
        """Everything is written."""
        self._zip.close()
        self._file.close()

    def drop(self) -> None:
        """Half a package is none."""
        with contextlib.suppress(ValueError, OSError):
            self.close()
        self._file.close()
        self._path.unlink(missing_ok=True)


async def _pieces(text: str) -> AsyncIterator[bytes]:
    yield text.encode("utf-8", "replace")


class _Veil:
    """Hides third persons in texts, and leaves the person's own name, number and address as they are."""

    def __init__(self, hide: Hide, name: str) -> None:
        self._hide = hide
        self._own = {_plain(form) for form in name_forms(name)}
        self.hidden = 0

    async def over(self, lines: Sequence[Line], language: str) -> list[str]:
        """The texts with what identifies others replaced by what kind of thing it was."""
        found = await self._hide(lines, language)
        return [self._without(line.text, redacted.spans) for line, redacted in zip(lines, found, strict=True)]

    def _without(self, text: str, spans: Iterable[Span]) -> str:
        parts: list[str] = []
        done = 0
        for span in spans:
            if self._is_own(text[span.start : span.end]):
                continue
            parts += [text[done : span.start], f"[{span.kind}]"]
            done = span.end
            self.hidden += 1
        return "".join((*parts, text[done:]))

    def _is_own(self, text: str) -> bool:
        return _plain(text) in self._own


def _plain(text: str) -> str:
    return _LETTERS.sub("", text).casefold()


def _kept(tx: Transaction, name: str) -> _Kept | None:
    lookup = tx.lookup.of(name)
    asked = [
        {"number": row.id, "kind": row.kind, "state": row.state, "made": _day(row.created_ms)}
        for row in tx.connection.execute(select(requests).where(requests.c.lookup == lookup))
    ]
    owner = tx.connection.execute(select(subjects.c.id).where(subjects.c.lookup == lookup)).scalar()
    if owner is None:
        return None
    theirs = select(calls.c.id).where(calls.c.subject_id == owner)
    parts = select(participants.c.id).where(participants.c.subject_id == owner)
    there = select(participants.c.call_id).where(participants.c.subject_id == owner)
    either = select(calls.c.id).where(or_(calls.c.id.in_(theirs), calls.c.id.in_(there)))
    ids = tuple(tx.connection.execute(either.order_by(calls.c.started_ms)).scalars())
    of_them = or_(messages.c.subject_id == owner, messages.c.call_id.in_(theirs))
    left = [
        {
            "at": _day(row.at_ms),
            "call": row.call_id,
            "text": _open(tx, row.sealed_text, row, "messages.sealed_text"),
        }
        for row in tx.connection.execute(_keyed(messages).where(of_them).order_by(messages.c.at_ms))
    ]
    kept = [
        {"kind": row.kind, "name": row.name, "at": _day(row.at_ms), "data": _item(tx, row.sealed_data, owner)}
        for row in tx.connection.execute(
            select(items).where(items.c.subject_id == owner, items.c.kind.not_in(_WORKINGS))
        )
    ]
    consented = or_(consents.c.subject_id == owner, consents.c.call_id.in_(theirs))
    agreed = [
        {
            "purpose": row.purpose,
            "status": row.status,
            "method": row.method,
            "at": _day(row.at_ms),
            "receipt": _receipt(_open(tx, row.sealed_receipt, row, "consents.sealed_receipt")),
        }
        for row in tx.connection.execute(_keyed(consents).where(consented).order_by(consents.c.at_ms))
    ]
    sounds = [
        {"id": row.id, "call": row.call_id, "began": _day(row.started_ms), "in_package": False}
        for row in tx.connection.execute(
            select(recordings).where(or_(recordings.c.call_id.in_(theirs), recordings.c.participant_id.in_(parts)))
        )
    ]
    meetings = frozenset(tx.connection.execute(there).scalars())
    return _Kept(ids, meetings, left, kept, agreed, sounds, asked)


def _keyed(table: Table) -> Select[Any]:
    return select(table, key_of(table).label("key_id"))


def _open(tx: Transaction, sealed: bytes, row: Any, place: str) -> str:
    try:
        return tx.open_text(sealed, key_id=row.key_id, place=place)
    except KeyGone:
        return ""


def _item(tx: Transaction, sealed: bytes, owner: str) -> str:
    data = tx.open(sealed, key_id=owner, place="items.sealed_data")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _receipt(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="seconds")
