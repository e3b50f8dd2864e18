"""`twin say`: a text as a WAV file or a film, through the same voice, the same face and the same outlet as a call.

The file is a call whose caller is a disk. So it begins with the disclosure, whole: the outlet lets nothing else
out before, and a recording is passed on to people who do not know what they listen to. It carries the watermark
and is signed as made by an AI (`twin verify`); what was signed is kept, and found again by the mark.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from agent.archive import opened
from agent.cloned import remove
from agent.engines.base import Voice
from agent.engines.lineup import Lineup
from agent.engines.voice.prepared import Prepared, prepare, without_leading_silence
from agent.engines.voice.resample import Resampler
from agent.face.alone import alone
from agent.face.lineup import mark_of
from agent.film import Film
from agent.home import Home, find
from agent.marking import Marking
from agent.opening import CLONED, PREPARED, texts_of
from agent.permission import Permit, permitted
from agent.recorded import LAST_CHUNKS, FilmWire, Recording, WavWire
from agent.sentences import Sentences
from agent.settings import Settings, environment, load
from avatar.rig import Rig
from avatar.stage import Stage
from channels.outlet import Mark
from channels.spoken import Phoneme, Spoken, Word
from channels.view import Film as Look
from channels.view import View
from compliance.errors import EngineFailed, EngineMissing, TwinError
from compliance.origin.authority import open_authority
from compliance.origin.manifests import Manifests
from compliance.provenance import Claim, Provenance
from compliance.vault import Vault
from compliance.watermark.stage import Watermark
from compliance.watermark.token import CallToken
from persona.voice.dataset import REFERENCE
from persona.voice.reader import of_home

RATE_HZ = 24_000
FILM = ".mp4"
MAX_CHARS = 20_000
LIMIT_S = 600.0


Progress = Callable[[int, int], None]


class UnfitFile(TwinError):
    """The file cannot be written as asked."""

    code = "unfit_file"


async def say(
    text: str,
    file: Path,
    named: Path | None,
    *,
    force: bool,
    progress: Progress = lambda done, total: None,
) -> float:
    """Write the file and return its seconds. Raises `TwinError`; an unfinished file is not left behind.

    `progress` is told how many sentences are said, once the disclosure is.
    """
    check(text, file, force=force)
    home = find(named, os.environ)
    sentences = cut(text)
    draft = file.with_name(f".{os.getpid()}.{file.stem}{file.suffix.lower()}")
    try:
        async with asyncio.timeout(LIMIT_S):
            async with permitted(home.path, load(home.path), "messages") as permit:
                mark, token = await _mark(home)
                seconds = await _record(sentences, home, draft, permit, mark, progress)
            await _sign(home, draft, token)
        draft.replace(file)
    except TimeoutError:
        raise EngineFailed(f"the voice took more than {LIMIT_S:g} s; say it in parts") from None
    finally:
        draft.unlink(missing_ok=True)
    return seconds


def check(text: str, file: Path, *, force: bool) -> None:
    """Raise `UnfitFile` when this cannot become that file."""
    if file.suffix.lower() not in (".wav", FILM):
        raise UnfitFile(f"{file}: only WAV and MP4 files are written; name it {file.with_suffix('.wav')}")
    if file.is_dir() or (file.exists() and not force):
        raise UnfitFile(f"{file}: already exists; add --force to replace it")
    if not file.parent.is_dir():
        raise UnfitFile(f"{file.parent}: there is no such folder; make it first")
    if len(text) > MAX_CHARS:
        raise UnfitFile(f"the text is longer than {MAX_CHARS} characters; say it in parts")
    if not any(letter.isalnum() for letter in text):
        raise UnfitFile("there is nothing to say; give a text")


def cut(text: str) -> list[str]:
    """The text in sentences, as an answer is cut."""
    cutter = Sentences()
    return cutter.feed(text) + cutter.flush()


async def _mark(home: Home) -> tuple[Watermark, CallToken]:
    """The mark of this file, and what it says."""
    async with Vault(home.path, load(home.path).store) as vault:
        marking = Marking(home.path, vault)
        await marking.start([RATE_HZ])
        return await marking.of_file(RATE_HZ)


async def _record(
    sentences: list[str], home: Home, draft: Path, permit: Permit | None, mark: Mark, progress: Progress
) -> float:
    settings = load(home.path)
    persona = home.persona()
    cache = home.path / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        film = None
        if draft.suffix == FILM:
            rig = await stack.enter_async_context(alone(home, settings, persona.profile.name, "videos"))
            film = _film(draft, rig, settings, persona.profile.name)
        wire = WavWire(draft, RATE_HZ) if film is None else FilmWire(film, RATE_HZ)
        stack.push_async_callback(wire.close, "done")
        recording = Recording(wire, permit, mark)
        if film is not None:
            recording.show(_view(recording, rig, settings, stack), film)
        lineup = Lineup(settings, environment(home.path), persona, cache=cache, reader=of_home(home.path))
        stack.push_async_callback(_let_go, lineup, permit, cache)
        await lineup.start_voice()
        if permit is not None:
            await _imitate(lineup, home)
        texts = texts_of(home.path, settings.twin.language, persona.profile.name)["words"]
        folder = cache / (PREPARED if permit is None else CLONED)
        voice = f"{settings.voice.model_dump_json()} {lineup.sounding}"
        opening = without_leading_silence(
            await prepare(lineup.voice, texts.text, texts.language, RATE_HZ, folder=folder, settings=voice)
        )
        await written(recording, recording.disclose, _opening(opening))
        progress(0, len(sentences))
        for number, sentence in enumerate(sentences, start=1):
            spoken = await _spoken(lineup.voice, number, sentence, settings.twin.language)
            await written(recording, recording.say, spoken)
            progress(number, len(sentences))
        if film is not None:
            await written(recording, recording.pause, LAST_CHUNKS)
        return recording.clock.position / RATE_HZ


async def written(recording: Recording, write: Callable[..., None], what: object) -> None:
    """Run it beside the loop, and leave only once it has ended: nobody may close a file that is being written."""
    running = asyncio.ensure_future(asyncio.to_thread(write, what))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        recording.abandon()
        await asyncio.wait([running])
        # Else the loop would complain that nobody looked at it.
        running.exception()
        raise


def _film(draft: Path, rig: Rig, settings: Settings, owner: str) -> Film:
    title = f"AI: the digital twin of {owner}"
    return Film(draft, width=rig.width, height=rig.height, fps=settings.face.fps, rate_hz=RATE_HZ, title=title)


def _view(recording: Recording, rig: Rig, settings: Settings, stack: AsyncExitStack) -> View:
    pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="face"))
    stage = Stage(rig, rate_hz=RATE_HZ, seed=secrets.randbits(32), temper=settings.face.temper)
    mark = mark_of(settings.twin.language)
    return View(recording.clock, lambda: stage, pool, Look(settings.face.fps, mark))


async def _let_go(lineup: Lineup, permit: Permit | None, cache: Path) -> None:
    try:
        if permit is not None and not permit.valid:
            # Where no twin serves, nobody else lets go of what was made of it here.
            await asyncio.to_thread(remove, cache / CLONED)
            await lineup.forget_voice()
    finally:
        await lineup.close()


def _opening(made: Prepared) -> Spoken:
    return Spoken(0, 0, made.pcm, words=made.words, phonemes=made.phonemes, exact=made.exact, last=True)


async def _imitate(lineup: Lineup, home: Home) -> None:
    """Take on the voice that was enrolled. Raises `ConsentMissing`, `VaultError` and `EngineError`."""
    async with opened(home) as archive:
        sample = await archive.clones.read("voice", REFERENCE)
    if sample is not None:
        await lineup.imitate(sample)
    if not lineup.has_voice:
        raise EngineMissing("there are no recordings of the cloned voice yet; give them with `twin enroll voice`")


async def _sign(home: Home, draft: Path, token: CallToken) -> None:
    """The file says of itself, signed, that it was made by an AI, in whose likeness, and what its mark says."""
    owner = home.persona().profile.name
    async with Vault(home.path, load(home.path).store) as vault:
        now = datetime.now(UTC)
        authority = await asyncio.to_thread(open_authority, home.path, vault.master, name=owner, now=now)
        claim = Claim("speech", owner, now, token=token.text)
        manifest = await asyncio.to_thread(Provenance(authority).sign, draft, draft, claim)
        await Manifests(vault).keep(token.text, manifest)


async def _spoken(voice: Voice, number: int, sentence: str, language: str) -> Spoken:
    """One sentence. Unlike the disclosure it is not kept for the next time: a cache is not the vault."""
    pcm, exact = bytearray(), True
    words: list[Word] = []
    phonemes: list[Phoneme] = []
    resampler: Resampler | None = None
    async for chunk in voice.speak(sentence, language=language):
        resampler = resampler or Resampler(chunk.rate_hz, RATE_HZ)
        pcm += resampler.feed(chunk.pcm)
        words += chunk.words
        phonemes += chunk.phonemes
        exact = exact and (chunk.exact or not chunk.words)
    if resampler is not None:
        pcm += resampler.finish()
    return Spoken(number, 0, bytes(pcm), tuple(words), tuple(phonemes), exact=exact, last=True)
