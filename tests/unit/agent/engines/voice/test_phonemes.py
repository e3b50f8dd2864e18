"""Phonemes for a voice that has none, from the real espeak-ng."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from agent.engines.base import EngineConfig, VoiceChunk
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.phonemes import Fitted, PhonemeVoice
from agent.engines.voice.reading import ReadVoice
from channels.spoken import Phoneme, Word
from compliance.errors import EngineFailed
from persona.voice.reader import Reader
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken
from tests.unit.agent.engines.voice.scripted import Scripted


class Mute(Scripted):
    """A voice that tells words and no phonemes."""

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        async for chunk in super().speak(text, language=language):
            yield VoiceChunk(chunk.pcm, chunk.rate_hz, chunk.words, exact=True)


class Held(Scripted):
    """A voice whose sound waits until it is let go."""

    def __init__(self) -> None:
        super().__init__(name="held")
        self.let_go = asyncio.Event()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        await self.let_go.wait()
        async for chunk in super().speak(text, language=language):
            yield chunk


@pytest.fixture
async def espeak() -> AsyncIterator[Espeak]:
    voice = Espeak(EngineConfig(name="espeak"))
    await voice.start()
    yield voice
    await voice.close()


async def test_phonemes_lie_in_their_words_and_are_estimates(espeak: Espeak) -> None:
    sentence = await spoken(PhonemeVoice(Mute(), espeak), "Hello, Doctor Smith.")

    keeps_the_contract(sentence, "Hello, Doctor Smith.")
    first = [p for p in sentence.phonemes if p.end_ms <= sentence.words[0].end_ms + 0.1]
    assert "".join(p.ipa for p in first) == "həlˈoʊ"
    assert first[0].start_ms == pytest.approx(0)
    assert first[-1].end_ms == pytest.approx(200)
    at = 0.0
    for phoneme in sentence.phonemes:
        assert at <= phoneme.start_ms + 0.01
        assert phoneme.start_ms < phoneme.end_ms
        at = phoneme.end_ms
    assert all(chunk.exact == bool(chunk.pcm) for chunk in sentence.chunks)
    assert not any(chunk.phonemes and chunk.pcm for chunk in sentence.chunks)


async def test_the_sound_never_waits_for_phonemes() -> None:
    slow = Held()
    chunks = PhonemeVoice(Mute(), slow).speak("one two three", language="en")
    heard = [await anext(chunks) for _ in range(3)]

    assert all(chunk.pcm and not chunk.phonemes for chunk in heard)
    slow.let_go.set()
    last = await anext(chunks)
    assert [p.ipa for p in last.phonemes] == ["a", "a", "a"]
    assert not last.pcm
    await chunks.aclose()


async def test_a_voice_with_its_own_phonemes_passes_unchanged(espeak: Espeak) -> None:
    alone = await spoken(Scripted(), "one two")
    wrapped = await spoken(PhonemeVoice(Scripted(), espeak), "one two")

    assert wrapped.chunks == alone.chunks


async def test_without_espeak_the_voice_speaks_on() -> None:
    broken = Scripted(fails_after=0, error=EngineFailed("gone"))
    sentence = await spoken(PhonemeVoice(Mute(), broken), "one two")

    keeps_the_contract(sentence, "one two")
    assert sentence.phonemes == []


async def test_leaving_it_leaves_nothing_running() -> None:
    slow = Held()
    chunks = PhonemeVoice(Mute(), slow).speak("one two three", language="en")
    await anext(chunks)
    await chunks.aclose()

    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "phonemes"] == []


async def test_read_words_have_phonemes_too(espeak: Espeak) -> None:
    sentence = await spoken(ReadVoice(PhonemeVoice(Mute(), espeak), Reader()), "at 9:30")

    assert [word.text for word in sentence.words] == ["at", "9:30"]
    assert "".join(p.ipa for p in sentence.phonemes) == "ætnˈaɪnθˈɜːɾi"


def test_each_phoneme_keeps_its_share_of_its_word() -> None:
    source = Fitted(
        [Word("ab", 0, 100), Word("c", 150, 200)],
        [Phoneme("a", 0, 25), Phoneme("b", 25, 100), Phoneme("c", 150, 200)],
    )
    a, b = source.words([Word("ab", 1000, 1400)])

    assert (a.start_ms, a.end_ms, b.end_ms) == (1000, 1100, 1400)
    assert source.words([Word("c", 1500, 1500)]) == ()
    assert source.words([Word("d", 1500, 1600)]) == ()
