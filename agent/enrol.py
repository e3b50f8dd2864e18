"""`twin enroll`: the owner's consent to a cloned voice or face and what the clone is made of; taking it back.

First a statement with words of the day is drawn, which is kept sealed for ten minutes; then it is read aloud,
recognised by the twin's own speech engine, and compared with the recordings.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent import challenges, enrol_cloud
from agent.archive import Archive, opened
from agent.cloned import remove
from agent.engines.voice.espeak import forget_manners
from agent.face.enrolled import INVENTED
from agent.home import Home
from agent.listening import Listener
from agent.opening import CLONED
from agent.settings import Settings, environment, load
from compliance.clone import Enrolment, Recognise
from compliance.errors import ConsentMissing, SettingsError
from compliance.likeness.statement import Challenge, Likeness, Terms, Use, languages
from compliance.proofs.receipt import make_receipt
from persona.voice import dataset
from persona.voice.activity import ANALYSIS_HZ
from persona.voice.cloud import PROVIDERS, Sample
from persona.voice.recordings import Recordings
from persona.voice.similarity import matcher
from persona.voice.sound import Sound
from persona.voice.splitting import reference

_MONTH_MS = 86_400_000 * 365.25 / 12
LONGEST_MONTHS = 24
HERE = ("espeak", "xtts", "coqui", "pocket_tts")
"""The voices of this machine that are shaped by the reference, or clone it."""
_LEAST_STATEMENT_S = 5.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner wants the clone for."""

    uses: tuple[Use, ...] = ("calls", "meetings", "messages")
    months: int = 12
    """How long the consent holds; at most `LONGEST_MONTHS`."""
    language: str = ""
    """Of the statement; empty: the twin's, or English where there is no text in it."""
    engine: str = ""
    """One of `engines()`; empty: the built-in voice."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of it."""

    consent_id: str
    clips: int
    seconds: float
    engine: str
    voice_id: str
    """The provider's; empty where none was asked."""
    expires: str
    """YYYY-MM-DD."""


async def draw(
    home: Home, wish: Wish, *, likeness: Likeness = "voice", chance: random.Random | None = None
) -> Challenge:
    """A statement to be read aloud within ten minutes; an earlier one does not count any more.

    Raises `SettingsError`, and `TwinError` for a home that cannot be used.
    """
    async with opened(home) as archive:
        at_ms = time.time() * 1000
        if not 1 <= wish.months <= LONGEST_MONTHS:
            raise SettingsError(f"--months is between 1 and {LONGEST_MONTHS}")
        settings = load(home.path)
        try:
            terms = Terms(likeness, wish.uses, int(at_ms + wish.months * _MONTH_MS))
            desk = enrolment(archive, settings, home, _deaf, chance=chance)
            challenge = desk.challenge(terms, wish.language or _language(settings))
        except ValueError as error:
            raise SettingsError(str(error)) from None
        await challenges.keep(archive.vault, challenge)
    return challenge


async def enrol(
    home: Home,
    recordings: Recordings,
    statement: Sound,
    challenge_id: str,
    wish: Wish,
    *,
    transcribe: bool = True,
    progress: Progress = lambda done, total: None,
) -> Enrolled:
    """Judge the statement, and store consent and clone. A challenge counts once.

    `wish` gives the engine; uses and end are those of the challenge. `progress` is told of each clip that was
    transcribed. Raises `ConsentMissing` with what to do differently, and any other `TwinError` in one line.
    """
    check_statement(statement)
    settings, secrets = load(home.path), environment(home.path)
    engine = wish.engine if wish.engine in PROVIDERS else ""
    provider = enrol_cloud.provider(engine, secrets)
    sample = await asyncio.to_thread(reference, recordings.clips)
    async with opened(home) as archive:
        challenge = await challenges.taken(archive.vault, challenge_id, at_ms=int(time.time() * 1000))
        cache = home.path / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        async with Listener(settings, secrets, cache=cache, language=challenge.language) as listener:
            desk = enrolment(archive, settings, home, listener.statement)
            desk.reopen(challenge)
            spoken, training = await asyncio.to_thread(analysed, statement, sample)
            consented = await desk.consent(challenge.id, spoken, training, ANALYSIS_HZ)
            hear = listener.words if transcribe else None
            clips = await _clips(
                recordings, consented.consent_id, hear, listener.name, challenge.language, progress
            )
        await dataset.keep(archive.clones, clips, sample, statement)
        voice_id = ""
        if provider is not None:
            language = challenge.language.split("-")[0]
            sent = Sample([clip.sound.wav() for clip in clips], sample.wav(), statement.wav(), language)
            voice_id = await enrol_cloud.make(archive, provider, sent, consented.consent_id, challenge.terms.uses)
        # What belonged to an earlier consent goes, here and at providers.
        await archive.clones.finish()
        await enrol_cloud.delete(archive, secrets, but=(engine, voice_id))
    expires = datetime.fromtimestamp(challenge.terms.expires_ms / 1000, UTC).date().isoformat()
    seconds = sum(clip.item.seconds for clip in clips)
    return Enrolled(consented.consent_id, len(clips), seconds, wish.engine, voice_id, expires)


async def revoke(home: Home, likeness: Likeness) -> None:
    """Revoke the consent: the clone falls silent, also where a twin serves, and its files go, at providers too.

    Raises `TwinError`; it is silent all the same, and asking again goes on where this stopped.
    """
    async with opened(home) as archive:
        await archive.clones.revoke(likeness)
        if likeness == "voice":
            await asyncio.to_thread(_forget_sound, home.path / "cache")
            await enrol_cloud.delete(archive, environment(home.path))
        else:
            await asyncio.to_thread(remove, home.path / INVENTED)


def _forget_sound(cache: Path) -> None:
    """What a twin that does not serve now would remove at its next start."""
    remove(cache / CLONED)
    forget_manners(cache)


def next_steps(enrolled: Enrolled) -> tuple[str, ...]:
    """The lines of twin.toml that let the twin speak so."""
    engine = [f'engine = "{enrolled.engine}"'] if enrolled.engine else []
    voice = [f'voice = "{enrolled.voice_id}"'] if enrolled.voice_id else []
    return ("[voice]", *engine, *voice, "cloned = true")


def engines() -> tuple[str, ...]:
    """What a voice can be enrolled for: engines of this machine, and providers that clone."""
    return (*HERE, *PROVIDERS)


def leaves(engine: str) -> bool:
    """Whether the recordings leave this machine for it."""
    return engine in PROVIDERS


async def _clips(
    recordings: Recordings,
    consent_id: str,
    hear: Recognise | None,
    recogniser: str,
    language: str,
    progress: Progress,
) -> list[dataset.Clip]:
    clips: list[dataset.Clip] = []
    total, date = len(recordings.clips), datetime.now(UTC).date().isoformat()
    for recording in recordings.each:
        checks = tuple(check.as_json() for check in recording.checks)
        source = dataset.source_of(recording.path, consent_id)
        for sound in recording.clips:
            text = ""
            if hear is not None:
                heard = await asyncio.to_thread(sound.at, ANALYSIS_HZ)
                text = await hear(heard.pcm(), ANALYSIS_HZ, language)
            name = f"clip-{len(clips) + 1:04}"
            seconds = round(sound.seconds, 2)
            item = dataset.Item(name, source, seconds, text, recogniser if hear else "", consent_id, date, checks)
            clips.append(dataset.Clip(item, sound))
            progress(len(clips), total)
    return clips


def check_statement(statement: Sound) -> None:
    """Raises `ConsentMissing` for what is too short to be a statement."""
    if statement.seconds < _LEAST_STATEMENT_S:
        raise ConsentMissing("The statement is too short to be it; read it aloud from its first word to its last.")


def enrolment(
    archive: Archive,
    settings: Settings,
    home: Home,
    recognise: Recognise,
    *,
    chance: random.Random | None = None,
) -> Enrolment:
    """Who draws and judges statements for this home."""
    owner = home.persona().profile.name
    return Enrolment(
        archive.vault,
        archive.permits,
        owner_name=owner,
        controller=settings.privacy.controller or owner,
        recognise=recognise,
        matcher=matcher(getattr(settings.voice, "speaker_model", "")),
        make_receipt=lambda agreement, at_ms: make_receipt(agreement, archive.signer, made_ms=at_ms),
        note=archive.evidence.note,
        chance=chance,
    )


def analysed(*sounds: Sound) -> list[bytes]:
    """As the matcher and the recogniser take them."""
    return [sound.at(ANALYSIS_HZ).pcm() for sound in sounds]


async def _deaf(pcm: bytes, rate_hz: int, language: str) -> str:
    """Nothing is recognised while a challenge is drawn."""
    return ""


def _language(settings: Settings) -> str:
    primary = settings.twin.language.split("-")[0]
    return primary if primary in languages() else "en"
