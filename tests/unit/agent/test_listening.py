"""Whole recordings through an engine that was made for calls: in order, in pieces, nothing twice."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from agent import listening
from agent.listening import PIECE_S, Listener, listed_words
from agent.settings import Settings, SpeechSection
from compliance.errors import EngineFailed, EngineTimeout, SettingsError
from compliance.likeness.statement import Spoken, Terms, draw, judge, vocabulary
from persona.voice.sound import read
from tests.doubles.openai_speech import OpenAISpeechServer, Script
from tests.unit.agent.enrolling import READ, callers, spoken

TERMS = Terms("voice", ("calls",), 1_000)


def settings(server: OpenAISpeechServer) -> Settings:
    return Settings(speech=SpeechSection(engine="openai", base_url=server.url, model="m"))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PACE", 1_000.0)


async def test_all_is_heard_once_and_in_order(tmp_path: Path) -> None:
    sound = callers()
    async with OpenAISpeechServer(Script(says=lambda asked: f"{asked.seconds:.0f}")) as server:
        async with Listener(settings(server), {}, cache=tmp_path, language="en") as listener:
            text = await listener.words(sound.pcm(), sound.rate_hz, "en")
        heard = [asked for asked in server.asked if asked.seconds > 0]
        assert text.split() == [f"{asked.seconds:.0f}" for asked in heard]
        assert len(heard) >= sound.seconds / PIECE_S
        assert all(asked.seconds <= PIECE_S + 0.2 for asked in heard)
        assert sum(asked.seconds for asked in heard) <= sound.seconds
        # The pieces are the recording's own samples, one after the other.
        at = 0
        for asked in heard:
            found = sound.pcm().find(asked.pcm[:2_000], at)
            assert found >= at
            at = found + len(asked.pcm) - 2_000


async def test_where_nobody_speaks_nothing_is_asked(tmp_path: Path) -> None:
    async with OpenAISpeechServer() as server:
        async with Listener(settings(server), {}, cache=tmp_path, language="en") as listener:
            assert await listener.words(np.zeros(32_000, "<i2").tobytes(), 16_000, "en") == ""
        assert server.asked == []


async def test_an_engine_that_fails_or_hangs_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PIECE_LIMIT_S", 0.2)
    sound = callers()
    async with (
        OpenAISpeechServer(Script(status=500)) as server,
        Listener(settings(server), {}, cache=tmp_path, language="en") as listener,
    ):
        with pytest.raises(EngineFailed):
            await listener.words(sound.pcm(), sound.rate_hz, "en")
        server.script.status, server.script.delay_ms = 200, 2_000
        with pytest.raises(EngineTimeout, match="too long"):
            await listener.words(sound.pcm()[:64_000], sound.rate_hz, "en")


def test_words_of_a_list_are_heard_by_the_weak_recogniser_and_no_others(tmp_path: Path) -> None:
    words = draw("Ada", TERMS, "en", now_ms=0, chance=random.Random(12)).words
    sound = read(spoken(tmp_path, "words", ", ".join(words) + ".", voice="slt"))
    heard = listed_words(sound.pcm(), sound.rate_hz, vocabulary("en")).split()
    assert len([word for word in words if word in heard]) >= 5
    others = sorted(set(vocabulary("en")) - set(words))
    assert len([word for word in heard if word in others]) <= 3
    assert listed_words(sound.pcm(), sound.rate_hz, ["Bücherschrank"]) == ""


async def test_unrelated_speech_is_no_statement_to_the_weak_recogniser(tmp_path: Path) -> None:
    drawn = draw("Ada", TERMS, "en", now_ms=0, chance=random.Random(12))
    sound = read(spoken(tmp_path, "read", " ".join(READ.split()[:24])))
    async with Listener(Settings(), {}, cache=tmp_path, language="en") as listener:
        text = await listener.statement(sound.pcm(), sound.rate_hz, "en")
    assert any(word in text for word in ("journey", "house", "sandy", "beach", "found")), text
    problems = judge(drawn, Spoken(text, at_ms=1, likeness=1.0, threshold=0.5))
    assert any("words of today" in problem for problem in problems)
    assert any("as it stands" in problem for problem in problems)


def test_the_engine_is_the_twins_own(tmp_path: Path) -> None:
    assert Listener(Settings(), {}, cache=tmp_path, language="en").name == "pocketsphinx"
    with pytest.raises(SettingsError):
        Listener(Settings(speech=SpeechSection(engine="none")), {}, cache=tmp_path, language="en")
