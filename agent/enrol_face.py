"""`twin enroll face`: a photo, a clip or a 3D head of the owner, kept sealed under the owner's spoken consent.

An invented head is nobody's likeness: it needs no consent and is kept as it is.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from agent import challenges
from agent.archive import Archive, opened
from agent.enrol import Wish, analysed, check_statement, enrolment
from agent.face.enrolled import INVENTED, KEPT, Kind, write_private
from agent.face.making import Making, kind_of
from agent.home import Home
from agent.listening import Listener
from agent.settings import environment, load
from compliance.errors import ConsentMissing, FaceUnfit
from persona.voice.activity import ANALYSIS_HZ
from persona.voice.dataset import REFERENCE
from persona.voice.sound import Sound, decode

MAX_BYTES = 100_000_000
"""A larger file is no portrait."""

Progress = Callable[[str, int, int], None]
"""Told what is fetched, how many bytes of it are here, and of how many (0: unknown)."""
Compared = Literal["recordings", "nothing"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that a face can be made of."""

    kind: Kind
    data: bytes
    about: tuple[str, ...]
    """What was found in it, in lines for people."""


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """What came of it."""

    kind: Kind
    consent_id: str
    """Empty for an invented head."""
    expires: str
    """YYYY-MM-DD; empty for an invented head."""
    compared: Compared = "nothing"
    """With what the voice of the statement was compared: the enrolled voice's recordings, where there are any."""


def look(home: Home, file: Path, progress: Progress, *, preview: Path | None = None) -> Candidate:
    """Make the face, to see whether one can be made; `preview` is where a sheet of it is written, as PNG.

    Raises `FaceUnfit` with what to take instead, `EngineMissing` and `OSError`. Fetches, with progress, the small
    models that find a face in a photo when they are not here yet.
    """
    if preview is not None and preview.suffix.lower() != ".png":
        raise FaceUnfit(f"{preview}: only PNG pictures are written; name it {preview.with_suffix('.png')}")
    if not file.is_file():
        raise FaceUnfit(f"{file}: there is no such file; name a photo, a clip or a 3D head")
    with file.open("rb") as source:
        data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FaceUnfit(f"{file}: more than {MAX_BYTES // 1_000_000} MB; take a smaller file")
    kind = kind_of(data)
    making = Making(load(home.path).face, home.path / "cache")
    if kind != "head":
        making.fetch(progress)
    made = making.make(kind, data, file.name)
    if preview is not None:
        made.write_sheet(preview)
    return Candidate(kind, made.kept, made.about)


async def enrol(home: Home, candidate: Candidate, statement: Sound, challenge_id: str, wish: Wish) -> EnrolledFace:
    """Judge the statement, and store consent and face. A challenge counts once.

    The statement's voice is compared with that of the owner's enrolled recordings; without any, its words alone
    count. Raises `ConsentMissing` with what to do differently, and any other `TwinError` in one line.
    """
    check_statement(statement)
    settings, secrets = load(home.path), environment(home.path)
    async with opened(home) as archive:
        challenge = await challenges.taken(archive.vault, challenge_id, at_ms=int(time.time() * 1000))
        if challenge.terms.likeness != "face":
            raise ConsentMissing("This statement was about a voice; draw one with `twin enroll face --challenge`.")
        cache = home.path / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        recordings = await _owners_voice(archive)
        async with Listener(settings, secrets, cache=cache, language=challenge.language) as listener:
            desk = enrolment(archive, settings, home, listener.statement)
            desk.reopen(challenge)
            spoken, known = await asyncio.to_thread(analysed, statement, recordings or statement)
            consented = await desk.consent(challenge.id, spoken, known, ANALYSIS_HZ)
        await archive.clones.keep("face", KEPT[candidate.kind], candidate.data)
        # What belonged to an earlier consent goes.
        await archive.clones.finish()
    await asyncio.to_thread(_remove_invented, home.path)
    expires = datetime.fromtimestamp(challenge.terms.expires_ms / 1000, UTC).date().isoformat()
    return EnrolledFace(candidate.kind, consented.consent_id, expires, "recordings" if recordings else "nothing")


def keep_invented(home: Home, candidate: Candidate) -> EnrolledFace:
    """Store a head that is nobody's likeness. Raises `FaceUnfit` for a photo or a clip, which is somebody's."""
    if candidate.kind != "head":
        raise FaceUnfit("a photo or clip is somebody's likeness: give the consent, or use the illustrated face")
    folder = home.path / INVENTED
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / KEPT["head"], candidate.data)
    return EnrolledFace(candidate.kind, "", "")


def next_steps(enrolled: EnrolledFace) -> tuple[str, ...]:
    """The lines of twin.toml that show this face."""
    return ("[face]", f'engine = "{"head" if enrolled.kind == "head" else "portrait"}"')


async def _owners_voice(archive: Archive) -> Sound | None:
    """The enrolled voice's reference; None where there is none."""
    try:
        data = await archive.clones.read("voice", REFERENCE)
    except ConsentMissing:
        return None
    return decode(io.BytesIO(data), REFERENCE, len(data)) if data else None


def _remove_invented(home: Path) -> None:
    (home / INVENTED / KEPT["head"]).unlink(missing_ok=True)
