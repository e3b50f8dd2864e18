"""Fixed texts (the disclosure, the apology) as audio at hand before a call begins."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from agent.engines.base import Voice, VoiceChunk
from agent.engines.voice.fallback import Fallback
from agent.engines.voice.resample import Resampler
from channels.spoken import Phoneme, Word
from compliance.errors import EngineError, EngineFailed, EngineTimeout

logger = logging.getLogger(__name__)

_FORMAT = 1
_TOTAL_S = 60.0
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Prepared:
    """A whole utterance, ready to play."""

    pcm: bytes
    """int16 mono at `rate_hz`."""
    rate_hz: int
    words: tuple[Word, ...]
    phonemes: tuple[Phoneme, ...] = ()
    exact: bool = False
    """True when the engine measured the times; False when they were estimated."""

    @property
    def duration_ms(self) -> float:
        """How long it plays."""
        return 1000 * len(self.pcm) / 2 / self.rate_hz


async def prepare(
    voice: Voice,
    text: str,
    language: str,
    rate_hz: int,
    *,
    folder: Path,
    settings: str = "",
    timeout_s: float = _TOTAL_S,
) -> Prepared:
    """Speak `text` in full, resampled once to the channel's rate, and kept in `folder` for the next time.

    `settings` is anything that changes how the voice sounds (its name, model, rate, pitch): the same text with
    other settings is made anew. A broken file is made again. Raises what `Voice.speak` does, `EngineTimeout`
    when it takes longer than `timeout_s`, and `EngineFailed` when no audio comes.
    """  # fmt: skip
    if isinstance(voice, Fallback):
        # Whole by one voice: the second one's must not be kept under the first one's name.
        again = partial(prepare, folder=folder, settings=settings, timeout_s=timeout_s)
        try:
            return await again(voice.first, text, language, rate_hz)
        except EngineError as error:
            logger.warning("prepared by the second voice", extra={"voice": voice.name, "code": error.code})
            return await again(voice.second, text, language, rate_hz)
    path = folder / _name(voice, text, language, rate_hz, settings)
    kept = await asyncio.to_thread(_read, path)
    if kept is not None:
        return kept
    try:
        async with asyncio.timeout(timeout_s):
            made = await _speak(voice, text, language, rate_hz)
    except TimeoutError:
        raise EngineTimeout(f"voice {voice.name}: a prepared text took more than {timeout_s:g} s") from None
    try:
        await asyncio.to_thread(_write, path, made)
    except OSError as error:
        # Without the file the next start is slower; nothing else.
        logger.warning("prepared speech was not kept", extra={"error": type(error).__name__})
    return made


def at_hand(
    voice: Voice, text: str, language: str, rate_hz: int, *, folder: Path, settings: str = ""
) -> Prepared | None:
    """What `prepare` kept of this text, or None; the voice need not be started. Blocks for the disk."""
    return _read(folder / _name(voice, text, language, rate_hz, settings))


def without_leading_silence(made: Prepared) -> Prepared:
    """The same from its first sample that is not zero, with its times moved. What must be told from silence by
    its first sample needs that."""
    samples = np.frombuffer(made.pcm, dtype=np.int16)
    first = int(np.flatnonzero(samples)[0]) if samples.any() else 0
    shift_ms = first * 1000 / made.rate_hz

    def moved(time_ms: float) -> float:
        return max(0.0, time_ms - shift_ms)

    return replace(
        made,
        pcm=made.pcm[2 * first :],
        words=tuple(replace(w, start_ms=moved(w.start_ms), end_ms=moved(w.end_ms)) for w in made.words),
        phonemes=tuple(replace(p, start_ms=moved(p.start_ms), end_ms=moved(p.end_ms)) for p in made.phonemes),
    )


async def _speak(voice: Voice, text: str, language: str, rate_hz: int) -> Prepared:
    resampler: Resampler | None = None
    from_hz = 0
    pcm = bytearray()
    words: list[Word] = []
    phonemes: list[Phoneme] = []
    exact = True
    async with aclosing(_closable(voice, text, language)) as chunks:
        async for chunk in chunks:
            if resampler is None:
                from_hz = chunk.rate_hz
                resampler = Resampler(from_hz, rate_hz)
            if chunk.rate_hz != from_hz:
                raise EngineFailed(f"voice {voice.name}: it changed its rate in mid-sentence")
            pcm += resampler.feed(chunk.pcm)
            words += chunk.words
            phonemes += chunk.phonemes
            exact = exact and (chunk.exact or not chunk.words)
    if resampler is not None:
        pcm += resampler.finish()
    if not pcm:
        raise EngineFailed(f"voice {voice.name}: it made no sound for a prepared text")
    return Prepared(bytes(pcm), rate_hz, tuple(words), tuple(phonemes), exact)


def _closable(voice: Voice, text: str, language: str) -> AsyncGenerator[VoiceChunk, None]:
    """All our voices are generators; the contract promises only an iterator."""
    return cast(AsyncGenerator[VoiceChunk, None], voice.speak(text, language=language))


def _name(voice: Voice, text: str, language: str, rate_hz: int, settings: str) -> str:
    key = json.dumps([_FORMAT, voice.name, settings, text, language, rate_hz])
    return f"{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}.speech"


def _read(path: Path) -> Prepared | None:
    """The kept one, or None: there is none, or the file is not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        logger.warning("prepared speech is damaged and made again")
        return None
    head, _, pcm = body.partition(b"\n")
    fields = json.loads(head)
    return Prepared(
        pcm,
        fields["rate_hz"],
        tuple(Word(**word) for word in fields["words"]),
        tuple(Phoneme(**phoneme) for phoneme in fields["phonemes"]),
        fields["exact"],
    )


def _write(path: Path, made: Prepared) -> None:
    """Whole or not at all: a call that starts at the same time must never read half a disclosure."""
    head = {
        "rate_hz": made.rate_hz,
        "words": [asdict(word) for word in made.words],
        "phonemes": [asdict(phoneme) for phoneme in made.phonemes],
        "exact": made.exact,
    }
    body = json.dumps(head).encode() + b"\n" + made.pcm
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(name, path)
    except BaseException:  # whatever it was, no half file stays
        with suppress(OSError):
            os.unlink(name)
        raise
