"""What is said in a recording that is there whole, by the twin's own speech engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.engines import registry
from agent.engines.base import Speech
from agent.engines.speech import whisper_models
from agent.settings import Settings
from compliance.errors import EngineTimeout
from compliance.likeness.statement import WORDS, vocabulary
from persona.voice.sound import Sound, from_pcm
from persona.voice.splitting import Span, phrases

PIECE_S = 12.0
"""Of a recording at once, cut at pauses: a recogniser guesses better with more before it."""
PACE = 2.5
"""How much faster than it was spoken: engines for calls drop what they cannot keep up with."""
PIECE_LIMIT_S = 60.0
_FRAME_S = 0.1
_SPHINX_HZ = 16_000
_TAIL_S = 9.0
"""Of a statement: the words of the day, read slowly."""
_MOST_LISTED = WORDS + 2


class Listener:
    """`async with Listener(...) as listener: await listener.words(pcm, rate_hz, "en")`."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], *, cache: Path, language: str) -> None:
        """Nothing is loaded yet. Raises `SettingsError` and `EngineMissing`."""
        self.name = _chosen(settings, cache)
        section = settings.speech
        if section.engine not in (self.name, "auto"):
            section = type(section)(engine=self.name)
        self._engine: Speech = registry.make(
            "speech", self.name, section, environment, cache=cache, language=language
        )

    async def __aenter__(self) -> Self:
        """Raises `EngineMissing` and `EngineFailed`."""
        try:
            await self._engine.start()
        except BaseException:
            # Also a cancellation: a child process that was begun is ended, and the error goes on.
            await self._engine.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._engine.close()

    async def words(self, pcm: bytes, rate_hz: int, language: str) -> str:
        """The text of int16 mono. Raises `EngineError`."""
        spans = await asyncio.to_thread(_pieces, from_pcm(pcm, rate_hz))
        hearing = await self._engine.open(rate_hz=rate_hz, language=language)
        texts = []
        try:
            async with asyncio.timeout(PIECE_LIMIT_S * max(len(spans), 1)):
                for first_s, after_s in spans:
                    hearing.onset()
                    frame = 2 * int(_FRAME_S * rate_hz)
                    end = 2 * int(after_s * rate_hz)
                    for at in range(2 * int(first_s * rate_hz), end, frame):
                        hearing.feed(pcm[at : min(at + frame, end)])
                        await asyncio.sleep(_FRAME_S / PACE)
                    hearing.offset()
                    texts.append(await hearing.finish())
        except TimeoutError:
            raise EngineTimeout(f"{self.name} took too long over a recording; try a smaller model") from None
        finally:
            await hearing.close()
        return " ".join(text for text in texts if text)

    async def statement(self, pcm: bytes, rate_hz: int, language: str) -> str:
        """The text of a consent statement, which ends with words of a list. Raises `EngineError`.

        PocketSphinx hears single words too badly to be asked freely; the last ones it is asked a second time, with
        the list of all that there may be. Not with those of this challenge alone: it would find them in any sound.
        """
        text = await self.words(pcm, rate_hz, language)
        if self.name == "pocketsphinx" and language == "en":
            text += " " + await asyncio.to_thread(listed_words, pcm, rate_hz, vocabulary(language))
        return text


def listed_words(pcm: bytes, rate_hz: int, vocabulary: Sequence[str]) -> str:
    """The last few words of a recording, each the likeliest of a list; blocks for some seconds.

    All words of the list are equally likely to it, so that what was not spoken is found by chance alone.
    """
    from pocketsphinx import Decoder

    tail = from_pcm(pcm, rate_hz).at(_SPHINX_HZ)
    tail = Sound(tail.samples[-int(_TAIL_S * _SPHINX_HZ) :], _SPHINX_HZ)
    decoder = Decoder(samprate=_SPHINX_HZ, loglevel="FATAL")
    known = [word for word in vocabulary if decoder.lookup_word(word) is not None]
    if not known:
        return ""
    decoder.add_jsgf_string("listed", f"#JSGF V1.0; grammar listed; public <words> = ( {' | '.join(known)} )+ ;")
    decoder.activate_search("listed")
    decoder.start_utt()
    decoder.process_raw(tail.pcm(), no_search=False, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return " ".join(found.hypstr.split()[-_MOST_LISTED:]) if found is not None else ""


def _chosen(settings: Settings, cache: Path) -> str:
    if settings.speech.engine != "auto":
        return settings.speech.engine
    return "whisper" if whisper_models.is_present(settings.speech.model, cache) else "pocketsphinx"


def _pieces(sound: Sound) -> list[Span]:
    """Phrases, several of them together where there is room."""
    pieces: list[Span] = []
    for first_s, after_s in phrases(sound, PIECE_S):
        if pieces and after_s - pieces[-1][0] <= PIECE_S:
            pieces[-1] = (pieces[-1][0], after_s)
        else:
            pieces.append((first_s, after_s))
    return pieces
