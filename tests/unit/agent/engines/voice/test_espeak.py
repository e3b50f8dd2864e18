"""The built-in voice with the real library in its real process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import numpy as np
import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak, EspeakSettings, level_dbfs, louder, pieces
from compliance.errors import EngineFailed, EngineMissing, SettingsError
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken

TEXT = "Hello, Dr. Smith, it is 9.30 at the end of the map."


@pytest.fixture
async def voice() -> AsyncIterator[Espeak]:
    voice = Espeak(EngineConfig(name="espeak"))
    await voice.start()
    yield voice
    await voice.close()


async def test_every_written_word_has_its_time(voice: Espeak) -> None:
    sentence = await spoken(voice, TEXT)

    keeps_the_contract(sentence, TEXT)
    assert all(chunk.exact for chunk in sentence.chunks)
    assert all(sentence.rms(word.start_ms, word.end_ms) > 300 for word in sentence.words)
    assert all(word.end_ms - word.start_ms > 40 for word in sentence.words)


async def test_a_number_is_one_word_as_long_as_it_is_spoken(voice: Espeak) -> None:
    words = {word.text: word for word in (await spoken(voice, TEXT)).words}

    assert words["9.30"].end_ms - words["9.30"].start_ms > 5 * (words["is"].end_ms - words["is"].start_ms)


async def test_sound_begins_at_once_and_the_last_word_ends_with_it(voice: Espeak) -> None:
    sentence = await spoken(voice, TEXT)

    assert sentence.words[0].start_ms < 20
    assert sentence.rms(0, 30) > 50
    assert sentence.ms - sentence.words[-1].end_ms < 50
    assert 3000 < sentence.ms < 6000


async def test_a_comma_is_a_pause_between_words(voice: Espeak) -> None:
    sentence = await spoken(voice, "Yes, no.")
    yes, no = sentence.words

    assert no.start_ms - yes.end_ms > 80
    assert sentence.rms(yes.end_ms + 10, no.start_ms - 10) < 0.05 * sentence.rms(yes.start_ms, yes.end_ms)


async def test_phonemes_fill_their_words(voice: Espeak) -> None:
    sentence = await spoken(voice, TEXT)
    at = 0.0
    for phoneme in sentence.phonemes:
        assert at <= phoneme.start_ms + 0.01
        assert phoneme.start_ms < phoneme.end_ms
        at = phoneme.end_ms
    for word in sentence.words:
        inside = [p for p in sentence.phonemes if p.start_ms >= word.start_ms - 1 and p.end_ms <= word.end_ms + 1]
        covered = sum(p.end_ms - p.start_ms for p in inside)
        assert covered > 0.9 * (word.end_ms - word.start_ms)
    assert "".join(p.ipa for p in sentence.phonemes).startswith("həlˈoʊ")


async def test_the_mouth_closes_before_a_stop_bursts(voice: Espeak) -> None:
    sentence = await spoken(voice, "map")
    p = sentence.phonemes[-1]

    assert p.ipa == "p"
    assert p.end_ms - p.start_ms > 60
    assert sentence.rms(p.start_ms + 4, p.start_ms + 30) < 100


async def test_the_words_run_on_where_espeak_names_no_own_word(voice: Espeak) -> None:
    # "of the" is one entry of its dictionary; a nasal before a vowel moves the next word's mark.
    text = "one of the ones and all in all"
    sentence = await spoken(voice, text)

    keeps_the_contract(sentence, text)
    assert all(word.end_ms - word.start_ms > 30 for word in sentence.words)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Good day to you."),
        ("en-GB", "Good day to you."),
        ("de", "Guten Tag, Herr Müller!"),
        ("fr-FR", "Bonjour, comment ça va aujourd'hui ?"),
        ("es", "¿Cómo está usted?"),
        ("it", "Buongiorno a tutti."),
        ("pt_BR", "Bom dia, senhora."),
        ("zh-CN", "你好，世界。今天天气很好"),
        ("ja", "こんにちは、世界。"),
        ("no", "God dag."),
    ],
)
async def test_it_speaks_languages_by_their_code(voice: Espeak, language: str, text: str) -> None:
    sentence = await spoken(voice, text, language)

    keeps_the_contract(sentence, text)
    assert sentence.ms > 500
    assert all("(" not in phoneme.ipa for phoneme in sentence.phonemes)


async def test_languages_sound_different(voice: Espeak) -> None:
    english, german = await spoken(voice, "Guten Tag"), await spoken(voice, "Guten Tag", "de")

    assert [p.ipa for p in english.phonemes] != [p.ipa for p in german.phonemes]


async def test_an_unknown_language_names_those_there_are(voice: Espeak) -> None:
    with pytest.raises(EngineMissing, match=r"'xx'.*de, .*en"):
        await spoken(voice, "hello", "xx")


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
async def test_nothing_written_is_nothing_said(voice: Espeak, text: str) -> None:
    assert (await spoken(voice, text)).chunks == []


@pytest.mark.parametrize("text", ["...", "— ( )", "\x01\x02", "\ud800", "\u200b"])
async def test_a_text_without_sound_still_gives_its_words_a_time(voice: Espeak, text: str) -> None:
    sentence = await spoken(voice, text)

    keeps_the_contract(sentence, text)
    assert 0 < sentence.ms < 200


@pytest.mark.parametrize(
    "text",
    [
        "— so — (well) ... yes …",
        "I 😀 saw 👍🏽 it 🇩🇪 there",
        "a\x00\x01b \ud800 c\x0150sok",
        "http://example.org/a?b=c mail@example.org 12,345.67 IBM 10:45pm +1 555 0100 ok",
        "Ünïcödé e\u0301 ａｂｃ мир שלום नमस्ते 안녕",
        "x" * 2000,
        "," * 2000,
        "!?" * 500 + " end",
        "<speak><break time='9s'/></speak> [[h@loU]] &lt; {curly}",
    ],
    ids=lambda text: ascii(text[:12]),
)
async def test_odd_texts_keep_the_contract(voice: Espeak, text: str) -> None:
    keeps_the_contract(await spoken(voice, text), text)


async def test_markup_is_read_out_and_not_obeyed(voice: Espeak) -> None:
    phonemes = [p.ipa for p in (await spoken(voice, "[[h@loU]]")).phonemes]
    marked = await spoken(voice, "one <break time='9s'/> two")

    assert phonemes != [p.ipa for p in (await spoken(voice, "hello")).phonemes]
    assert marked.ms < 7000
    # \x01 would begin an embedded command: speed 450.
    assert (await spoken(voice, "\x01450s a long sentence of words")).ms > 1500


async def test_ten_thousand_characters(voice: Espeak) -> None:
    text = "The quick brown fox, it is said, jumps over the lazy dog. " * 172
    sentence = await spoken(voice, text)

    keeps_the_contract(sentence, text)
    assert max(len(chunk.pcm) for chunk in sentence.chunks) < 64_000


async def test_a_long_sentence_leaves_room_for_a_short_one(voice: Espeak) -> None:
    long, short = voice.speak("word " * 2000, language="en"), voice.speak("hello", language="en")
    async with aclosing(long), aclosing(short):
        await anext(long)
        assert [chunk async for chunk in short]
        rest = [chunk async for chunk in long]

    assert len(rest) > 100


async def test_sentences_at_once_do_not_mix(voice: Espeak) -> None:
    texts = ["one two three", "Guten Tag", "a much longer sentence, with a comma in it", "no"]
    alone = [(await spoken(voice, text)).samples.tobytes() for text in texts]
    together = await asyncio.gather(*(spoken(voice, text) for text in texts))

    for text, before, after in zip(texts, alone, together, strict=True):
        keeps_the_contract(after, text)
        # espeak adds noise to some sounds, so lengths are compared, not samples.
        assert abs(len(before) - len(after.samples.tobytes())) < 2000


async def test_leaving_a_sentence_stops_it_at_the_source(voice: Espeak) -> None:
    async with aclosing(voice.speak("word " * 2000, language="en")) as chunks:
        await anext(chunks)

    keeps_the_contract(await spoken(voice, TEXT), TEXT)


async def test_it_dies_and_comes_back(voice: Espeak) -> None:
    async with aclosing(voice.speak("word " * 2000, language="en")) as chunks:
        await anext(chunks)
        assert voice.pid is not None
        os.kill(voice.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            [chunk async for chunk in chunks]

    keeps_the_contract(await spoken(voice, TEXT), TEXT)


def test_it_does_not_outlive_its_parent() -> None:
    script = (
        "import asyncio\n"
        "from agent.engines.base import EngineConfig\n"
        "from agent.engines.voice.espeak import Espeak\n"
        "async def main():\n"
        "    voice = Espeak(EngineConfig(name='espeak'))\n"
        "    await voice.start()\n"
        "    print(voice.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait(timeout=10)
    parent.stdout.close()

    over_at = time.monotonic() + 10
    while _is_running(pid):
        assert time.monotonic() < over_at
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    """A zombie whose new parent does not reap it is not running."""
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        if sys.platform != "linux":
            return True
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def test_speaking_before_the_start_is_an_error() -> None:
    with pytest.raises(EngineFailed):
        await spoken(Espeak(EngineConfig(name="espeak")), "hello")


async def test_it_is_as_loud_as_asked_and_never_clips() -> None:
    for volume in ("-20", "-26"):
        voice = Espeak(EngineConfig(name="espeak", options={"volume_dbfs": volume}))
        await voice.start()
        sentence = await spoken(voice, TEXT)
        await voice.close()

        level = level_dbfs(sentence.samples, sentence.rate_hz)
        assert level is not None
        assert abs(level - float(volume)) < 2.5
        assert np.abs(sentence.samples.astype(int)).max() < 32500


async def test_settings_change_how_it_sounds() -> None:
    lengths = []
    for options in ({}, {"rate_wpm": "320"}):
        voice = Espeak(EngineConfig(name="espeak", voice="en-gb+f3", options=options))
        await voice.start()
        lengths.append((await spoken(voice, TEXT)).ms)
        keeps_the_contract(await spoken(voice, "Guten Tag", "de"), "Guten Tag")
        await voice.close()

    assert lengths[1] < 0.7 * lengths[0]


async def test_a_variant_that_does_not_exist_is_told_at_the_start() -> None:
    voice = Espeak(EngineConfig(name="espeak", voice="+nobody"))
    with pytest.raises(EngineMissing, match="nobody"):
        await voice.start()
    await voice.close()


@pytest.mark.parametrize(
    "options", [{"rate_wpm": "20"}, {"pitch": "100"}, {"volume_dbfs": "0"}, {"range": "x"}, {"speed": "2"}]
)
def test_settings_out_of_range_or_unknown_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="voice"):
        EspeakSettings.from_options(options)


def test_pieces_end_with_sentences_clauses_or_words() -> None:
    text = ("A sentence of some words. " * 20 + "then, a clause, and so on " * 20 + "x" * 700).strip()
    spans = list(pieces(text))

    assert [a for a, _ in spans[1:]] == [b for _, b in spans[:-1]]
    assert (spans[0][0], spans[-1][1]) == (0, len(text))
    assert all(b - a <= 240 for a, b in spans)
    assert text[: spans[0][1]].endswith(". ")


def test_loud_sounds_are_bent_and_quiet_ones_kept() -> None:
    pcm = np.array([0, 100, -100, 20000, -32768, 32767], np.int16)
    out = louder(pcm, 2.0)

    assert list(out[:3]) == [0, 200, -200]
    assert np.abs(out.astype(int)).max() < 32700
    assert out[3] < out[5]
