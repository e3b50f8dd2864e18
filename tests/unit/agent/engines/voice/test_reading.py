"""A voice that reads: what the engine is given, and the written words that come back."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.fallback import Fallback
from agent.engines.voice.reading import ReadVoice, WayBack
from agent.engines.voice.written import written_words
from channels.spoken import Word
from compliance.errors import EngineFailed
from persona.voice.pronunciation import Entry, Pronunciations
from persona.voice.reader import Reader
from persona.voice.reading import read
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken
from tests.unit.agent.engines.voice.scripted import Scripted
from tests.unit.persona.voice.reading.test_reading import PIECES

READER = Reader(Pronunciations({"words": (Entry("Nguyen", "win"), Entry("Saoirse", "seer sha", "ˈsɪɹʃə"))}))
TEXT = "Nguyen's desk at 9:30 on March 3, 2025 (room 204), e.g. — $5.50."


@pytest.fixture
async def espeak() -> AsyncIterator[Espeak]:
    voice = Espeak(EngineConfig(name="espeak"))
    await voice.start()
    yield voice
    await voice.close()


async def test_the_engine_gets_words_and_the_timeline_keeps_what_is_written() -> None:
    engine = Scripted()
    sentence = await spoken(ReadVoice(engine, READER), TEXT)

    keeps_the_contract(sentence, TEXT)
    assert engine.asked == [
        ("win's desk at nine thirty on March third, twenty twenty-five (room two oh four), for example — "
         "five dollars and fifty cents.", "en"),
    ]  # fmt: skip
    times = {word.text: (word.start_ms, word.end_ms) for word in sentence.words}
    assert times["9:30"] == (600, 1000)
    assert times["desk"] == (200, 400)


async def test_it_streams_word_by_word() -> None:
    sentence = await spoken(ReadVoice(Scripted(), READER), "it is 9:30 now")

    assert [[word.text for word in chunk.words] for chunk in sentence.chunks] == [
        ["it"],
        ["is"],
        [],
        ["9:30"],
        ["now"],
    ]


async def test_a_text_without_figures_passes_as_it_is() -> None:
    engine = Scripted()
    sentence = await spoken(ReadVoice(engine, READER), "hello  there, you")

    assert engine.asked == [("hello  there, you", "en")]
    assert [chunk.words[0].text for chunk in sentence.chunks] == ["hello", "there,", "you"]


async def test_leaving_it_stops_the_engine() -> None:
    engine = Scripted()
    async with aclosing(ReadVoice(engine, READER).speak(TEXT, language="en")) as chunks:
        await anext(chunks)

    assert engine.open == 0


async def test_the_second_voice_goes_on_with_the_written_words() -> None:
    text = "we meet at 9:30 near room 204"
    first = Scripted(name="first", fails_after=4, error=EngineFailed("gone"))
    second = Scripted(name="second")
    sentence = await spoken(Fallback(ReadVoice(first, READER), ReadVoice(second, READER)), text)

    keeps_the_contract(sentence, text)
    # "nine" was said but "thirty" was not: the written word begins again.
    assert second.asked == [("nine thirty near room two oh four", "en")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", TEXT),
        ("en", "Saoirse's call, 12345.67 and [[h@loU]] \ue000\ue000x\ue001\ue001"),
        ("de", "Am 3. Mai um 9-17 Uhr, z. B. bei Nguyen, 1.234,56 €."),
        ("fr", "Le 1er mars à 14h30, 5,50 €."),
        ("es", "El 14 de marzo, 21 km."),
        ("it", "Alle 9.30, 2º piano."),
        ("pt", "Às 14h30, R$ 5,50."),
        ("ja", "9時30分です。"),
    ],
)
async def test_espeak_says_it_with_exact_times(espeak: Espeak, language: str, text: str) -> None:
    sentence = await spoken(ReadVoice(espeak, READER), text, language)

    keeps_the_contract(sentence, text)
    assert all(chunk.exact for chunk in sentence.chunks if chunk.pcm)
    assert all(word.end_ms > word.start_ms for word in sentence.words if any(c.isalnum() for c in word.text))


async def test_espeak_is_given_phonemes(espeak: Espeak) -> None:
    sentence = await spoken(ReadVoice(espeak, READER), "Saoirse is here")
    ipa = "".join(p.ipa for p in sentence.phonemes if p.end_ms <= sentence.words[0].end_ms + 1)

    assert ipa == "sˈɪɹʃə"


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_engine_tells_when_the_written_words_come_once_in_order(seed: int) -> None:
    chance = random.Random(seed)
    text = " ".join(chance.choices(PIECES, k=chance.randrange(1, 14)))
    result = read(text, chance.choice(["en", "de", "fr", "es", "it", "pt"]))
    told = [Word(w.text, 100.0 * i, 100.0 * i + 90) for i, w in enumerate(written_words(result.text))]
    if chance.random() < 0.3:
        told = told[: chance.randrange(len(told) + 1)]  # an engine that breaks its contract
    back = WayBack(result)

    words: list[Word] = []
    while told:
        size = chance.randrange(1, 4)
        words += back.words(told[:size])
        told = told[size:]
    words += back.rest()

    assert [word.text for word in words] == [word.text for word in written_words(text)]
    at = 0.0
    for word in words:
        assert at <= word.start_ms + 1e-6
        assert word.start_ms <= word.end_ms
        at = word.end_ms
