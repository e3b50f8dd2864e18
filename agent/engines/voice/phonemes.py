"""Phonemes for a voice that tells none: espeak-ng's for the same text, fitted to the words of the voice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import cast

from agent.engines.base import Voice, VoiceChunk
from channels.spoken import Phoneme, Word
from compliance.errors import EngineError

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""How long the end of a sentence waits for phonemes still on their way; its audio has all gone by then."""


class PhonemeVoice:
    """A `Voice` around another one. The audio and the words pass as they come; the phonemes follow in chunks of
    their own, without audio and marked as estimates. A voice with phonemes of its own passes unchanged."""

    def __init__(self, voice: Voice, espeak: Voice) -> None:
        """`espeak` is started and closed by whoever owns it; it is best the unshaped one, in its own process."""
        self.voice = voice
        self._espeak = espeak
        phonemes = getattr(voice, "phonemes", None)
        if phonemes is not None:
            self.phonemes = phonemes

    @property
    def name(self) -> str:
        """The wrapped voice's."""
        return self.voice.name

    async def start(self) -> None:
        """Start the wrapped voice."""
        await self.voice.start()

    async def close(self) -> None:
        """Close the wrapped voice."""
        await self.voice.close()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. Nothing of it waits for a phoneme but its last, empty chunk."""
        asked = asyncio.create_task(self._said_by_espeak(text, language), name="phonemes")
        fitted: Fitted | None = None
        waiting: list[Word] = []
        rate_hz, own = 0, False
        spoken = cast(AsyncGenerator[VoiceChunk, None], self.voice.speak(text, language=language))
        try:
            async with aclosing(spoken) as chunks:
                async for chunk in chunks:
                    yield chunk
                    rate_hz, own = chunk.rate_hz, own or bool(chunk.phonemes)
                    waiting += chunk.words
                    if asked.done() and not own:
                        fitted = fitted or asked.result()
                        if phonemes := fitted.words(waiting):
                            yield VoiceChunk(b"", rate_hz, phonemes=phonemes)
                        waiting.clear()
            if own or not rate_hz:
                return
            await asyncio.wait({asked}, timeout=PATIENCE_S)
            if asked.done() and waiting:
                fitted = fitted or asked.result()
                if phonemes := fitted.words(waiting):
                    yield VoiceChunk(b"", rate_hz, phonemes=phonemes)
        finally:
            asked.cancel()
            with suppress(asyncio.CancelledError):
                await asked

    async def _said_by_espeak(self, text: str, language: str) -> Fitted:
        words: list[Word] = []
        phonemes: list[Phoneme] = []
        try:
            spoken = cast(AsyncGenerator[VoiceChunk, None], self._espeak.speak(text, language=language))
            async with aclosing(spoken) as chunks:
                async for chunk in chunks:
                    words += chunk.words
                    phonemes += chunk.phonemes
        except EngineError as error:
            # Without phonemes the face moves by the words alone; the voice speaks on.
            logger.debug("no phonemes", extra={"voice": self.voice.name, "code": error.code})
            return Fitted((), ())
        return Fitted(words, phonemes)


class Fitted:
    """espeak's phonemes word by word, to be laid into the times of another voice. Pure."""

    def __init__(self, words: Sequence[Word], phonemes: Sequence[Phoneme]) -> None:
        self._words = list(words)
        self._phonemes: list[list[Phoneme]] = [[] for _ in words]
        index = 0
        for phoneme in phonemes:
            middle_ms = (phoneme.start_ms + phoneme.end_ms) / 2
            while index + 1 < len(words) and middle_ms >= words[index + 1].start_ms:
                index += 1
            if words:
                self._phonemes[index].append(phoneme)
        self._next = 0

    def words(self, words: Sequence[Word]) -> tuple[Phoneme, ...]:
        """The phonemes of the next words of the voice, at the voice's times: each has the share of its word that
        it has in espeak's."""
        given: list[Phoneme] = []
        for word in words:
            if self._next >= len(self._words):
                break
            source, phonemes = self._words[self._next], self._phonemes[self._next]
            self._next += 1
            given += _laid(phonemes, source, word)
        return tuple(given)


def _laid(phonemes: Sequence[Phoneme], source: Word, target: Word) -> list[Phoneme]:
    if not phonemes or target.end_ms <= target.start_ms:
        return []
    begin_ms = min(source.start_ms, phonemes[0].start_ms)
    end_ms = max(phonemes[-1].end_ms, begin_ms + 1)
    scale = (target.end_ms - target.start_ms) / (end_ms - begin_ms)
    offset_ms = target.start_ms - begin_ms * scale
    return [Phoneme(p.ipa, offset_ms + p.start_ms * scale, offset_ms + p.end_ms * scale) for p in phonemes]
