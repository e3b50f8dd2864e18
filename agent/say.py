"""`twin say`: a text as a WAV file, through the same voice and the same outlet as a call.

The file is a call whose caller is a disk. So it begins with the disclosure, whole: the outlet lets nothing else
out before, and a recording is passed on to people who do not know what they listen to. It is signed as made by an
AI (`twin verify`).
"""

from __future__ import annotations

import asyncio
import os
import wave
from datetime import UTC, datetime
from pathlib import Path

from agent.archive import opened
from agent.cloned import remove
from agent.engines.base import Voice
from agent.engines.lineup import Lineup
from agent.engines.voice.prepared import prepare, without_leading_silence
from agent.engines.voice.resample import Resampler
from agent.home import Home, find
from agent.opening import CLONED, PREPARED, texts_of
from agent.permission import Permission, Permit, permitted
from agent.sentences import Sentences
from agent.settings import environment, load
from channels.clock import Clock
from channels.heard import HeardWord
from channels.outlet import Outlet, State
from channels.spoken import Spoken, Word
from compliance.errors import DoorClosed, EngineFailed, EngineMissing, TwinError
from compliance.origin.authority import open_authority
from compliance.provenance import Claim, Provenance
from compliance.vault import Vault
from persona.voice.dataset import REFERENCE
from persona.voice.reader import of_home

RATE_HZ = 24_000
PAUSE_CHUNKS = 20
"""Silence between the disclosure and the text: 400 ms."""
MAX_CHARS = 20_000
LIMIT_S = 600.0


class UnfitFile(TwinError):
    """The file cannot be written as asked."""

    code = "unfit_file"


async def say(text: str, file: Path, named: Path | None, *, force: bool) -> float:
    """Write the file and return its seconds. Raises `TwinError`; an unfinished file is not left behind."""
    check(text, file, force=force)
    home = find(named, os.environ)
    sentences = cut(text)
    draft = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        async with asyncio.timeout(LIMIT_S):
            async with permitted(home.path, load(home.path), "messages") as permit:
                seconds = await _record(sentences, home, draft, permit)
            await _sign(home, draft)
        draft.replace(file)
    except TimeoutError:
        raise EngineFailed(f"the voice took more than {LIMIT_S:g} s; say it in parts") from None
    finally:
        draft.unlink(missing_ok=True)
    return seconds


def check(text: str, file: Path, *, force: bool) -> None:
    """Raise `UnfitFile` when this cannot become that file."""
    if file.suffix.lower() == ".mp4":
        raise UnfitFile(f"{file}: the twin has no face yet; write a .wav")
    if file.suffix.lower() != ".wav":
        raise UnfitFile(f"{file}: only WAV files are written; name it {file.with_suffix('.wav')}")
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


async def _record(sentences: list[str], home: Home, draft: Path, permit: Permit | None) -> float:
    settings = load(home.path)
    persona = home.persona()
    cache = home.path / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    lineup = Lineup(settings, environment(home.path), persona, cache=cache, reader=of_home(home.path))
    language = settings.twin.language
    texts = texts_of(home.path, language, persona.profile.name)["words"]
    wire = WavWire(draft)
    try:
        try:
            await lineup.start_voice()
            if permit is not None:
                await _imitate(lineup, home)
            folder = cache / (PREPARED if permit is None else CLONED)
            voice = f"{settings.voice.model_dump_json()} {lineup.sounding}"
            opening = without_leading_silence(
                await prepare(lineup.voice, texts.text, texts.language, RATE_HZ, folder=folder, settings=voice)
            )
            recording = _Recording(wire, permit)
            recording.disclose(Spoken(0, 0, opening.pcm, words=opening.words, exact=opening.exact, last=True))
            for number, sentence in enumerate(sentences, start=1):
                recording.say(await _spoken(lineup.voice, number, sentence, language))
        finally:
            try:
                if permit is not None and not permit.valid:
                    # Where no twin serves, nobody else lets go of what was made of it here.
                    await asyncio.to_thread(remove, cache / CLONED)
                    await lineup.forget_voice()
            finally:
                await lineup.close()
    finally:
        await wire.close("done")
    return wire.seconds


async def _imitate(lineup: Lineup, home: Home) -> None:
    """Take on the voice that was enrolled. Raises `ConsentMissing`, `VaultError` and `EngineError`."""
    async with opened(home) as archive:
        sample = await archive.clones.read("voice", REFERENCE)
    if sample is not None:
        await lineup.imitate(sample)
    if not lineup.has_voice:
        raise EngineMissing("there are no recordings of the cloned voice yet; give them with `twin enroll voice`")


async def _sign(home: Home, draft: Path) -> None:
    """The file says of itself, signed, that it was made by an AI, and in whose likeness."""
    owner = home.persona().profile.name
    async with Vault(home.path, load(home.path).store) as vault:
        now = datetime.now(UTC)
        authority = await asyncio.to_thread(open_authority, home.path, vault.master, name=owner, now=now)
    await asyncio.to_thread(Provenance(authority).sign, draft, draft, Claim("speech", owner, now))


async def _spoken(voice: Voice, number: int, sentence: str, language: str) -> Spoken:
    """One sentence. Unlike the disclosure it is not kept for the next time: a cache is not the vault."""
    pcm, exact = bytearray(), True
    words: list[Word] = []
    resampler: Resampler | None = None
    async for chunk in voice.speak(sentence, language=language):
        resampler = resampler or Resampler(chunk.rate_hz, RATE_HZ)
        pcm += resampler.feed(chunk.pcm)
        words += chunk.words
        exact = exact and chunk.exact
    if resampler is not None:
        pcm += resampler.finish()
    return Spoken(number, 0, bytes(pcm), words=tuple(words), exact=exact, last=True)


class WavWire:
    """`channels.wire.Wire` into a WAV file: what it takes counts as played. `close` finishes the file."""

    rate_hz = RATE_HZ

    def __init__(self, file: Path) -> None:
        self.bytes_sent = 0
        # Opened by hand: wave.open would leave the file to the mode of the process.
        self._file = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  closed by `close`
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(RATE_HZ)

    @property
    def seconds(self) -> float:
        return self.bytes_sent / 2 / RATE_HZ

    def send(self, pcm: bytes) -> None:
        self._wave.writeframes(pcm)
        self.bytes_sent += len(pcm)

    def clear(self) -> int:
        return self.bytes_sent // 2

    async def close(self, reason: str) -> None:
        self._wave.close()
        self._file.close()


class _Recording:
    """The outlet's clockwork and listener: it ticks as fast as the disk writes."""

    def __init__(self, wire: WavWire, permit: Permit | None) -> None:
        stages = [Permission(permit)] if permit is not None else []
        self._outlet = Outlet(Clock(RATE_HZ), wire, self, stages)
        self._failure = ""

    def disclose(self, spoken: Spoken) -> None:
        """Let the disclosure sound in full."""
        self._outlet.disclose(spoken)
        self._until_silent()
        if self._outlet.state is not State.OPEN:
            raise DoorClosed("the disclosure could not be played in full; nothing was written")
        for _ in range(PAUSE_CHUNKS):
            self._tick()

    def say(self, spoken: Spoken) -> None:
        """Let one sentence sound."""
        while not self._outlet.say(spoken):
            self._tick()
        self._until_silent()

    def _until_silent(self) -> None:
        while self._outlet.speaking:
            self._tick()

    def _tick(self) -> None:
        self._outlet.tick()
        self._outlet.played(self._outlet.clock.position)
        if self._failure:
            raise DoorClosed(f"the outlet closed ({self._failure}); nothing was written")

    def disclosed(self, position: int) -> None:
        """From the outlet."""

    def heard(self, words: list[HeardWord]) -> None:
        """From the outlet."""

    def speaking(self, speaking: bool, position: int) -> None:
        """From the outlet."""

    def room(self) -> None:
        """From the outlet."""

    def failed(self, reason: str) -> None:
        """From the outlet."""
        self._failure = reason
