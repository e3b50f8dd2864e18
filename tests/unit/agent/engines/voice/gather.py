"""What the tests of voices share: a sentence spoken in full, and the contract every voice keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.engines.base import Voice, VoiceChunk
from agent.engines.voice.written import written_words
from channels.spoken import Phoneme, Word


@dataclass
class Sentence:
    """All chunks of one sentence."""

    chunks: list[VoiceChunk]

    @property
    def rate_hz(self) -> int:
        return self.chunks[0].rate_hz

    @property
    def samples(self) -> np.ndarray:
        return np.frombuffer(b"".join(chunk.pcm for chunk in self.chunks), np.int16)

    @property
    def ms(self) -> float:
        return 1000 * len(self.samples) / self.rate_hz

    @property
    def words(self) -> list[Word]:
        return [word for chunk in self.chunks for word in chunk.words]

    @property
    def phonemes(self) -> list[Phoneme]:
        return [phoneme for chunk in self.chunks for phoneme in chunk.phonemes]

    def rms(self, start_ms: float, end_ms: float) -> float:
        part = self.samples[round(start_ms * self.rate_hz / 1000) : round(end_ms * self.rate_hz / 1000)]
        return float(np.sqrt(np.mean(part.astype(float) ** 2))) if len(part) else 0.0


async def spoken(voice: Voice, text: str, language: str = "en") -> Sentence:
    return Sentence([chunk async for chunk in voice.speak(text, language=language)])


def keeps_the_contract(sentence: Sentence, text: str) -> None:
    """Every word once, in order, in order of time, inside the audio; one rate; whole samples."""
    assert [word.text for word in sentence.words] == [word.text for word in written_words(text)]
    assert len({chunk.rate_hz for chunk in sentence.chunks}) <= 1
    assert all(len(chunk.pcm) % 2 == 0 for chunk in sentence.chunks)
    at = 0.0
    for word in sentence.words:
        assert at <= word.start_ms + 0.01
        assert word.start_ms <= word.end_ms
        at = word.end_ms
    assert at <= sentence.ms + 0.1
