"""espeak-ng near a voice: real samples in, real audio out, measured on a text it was not calibrated on."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.shaping import Calibration, Manner, calibration_text
from persona.voice.shape import VoiceShape, measure
from persona.voice.sound import Sound
from tests.unit.agent import enrolling
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken

ASSETS = Path(os.environ.get("TWIN_TEST_ASSETS", "../shared/assets")) / "speech"
SPEAKERS = ("jfk.flac", "harvard_8k.wav", "1688", "1998", "2033", "2414", "2609")
SAMPLE = (
    "The long journey home took a year. She saw a cat in the neighbor's house. When you hear the bell, "
    "come quickly."
)
TEXT = (
    "Good morning, this is the office. I am afraid he is not here at the moment, but I can take a message "
    "for him. What is it about? A gold ring will please most any girl. The grass and bushes were wet with "
    "dew. He will be back on Thursday afternoon, and I am sure that he would be happy to talk to you "
    "then. Is there anything else that I can do? These take the shape of a long round arch, with its path "
    "high above, and its two ends apparently beyond the horizon. People look for it, but no one ever "
    "finds it."
)


def decoded(path: Path) -> tuple[np.ndarray, int]:
    with av.open(str(path)) as container:
        rate_hz = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        frames = [out.to_ndarray()[0] for f in container.decode(audio=0) for out in resampler.resample(f)]
    return np.concatenate(frames), rate_hz


def sample_of(speaker: str) -> tuple[np.ndarray, int]:
    paths = [ASSETS / speaker] if "." in speaker else sorted((ASSETS / "librispeech").glob(f"{speaker}-*.flac"))
    if not all(path.exists() for path in paths) or not paths:
        pytest.skip("the speech assets are not here (TWIN_TEST_ASSETS)")
    parts = [decoded(path) for path in paths]
    return np.concatenate([audio for audio, _ in parts]), parts[0][1]


def flite(voice: str, folder: Path) -> tuple[np.ndarray, int]:
    path = folder / f"{voice}.wav"
    subprocess.run(["flite", "-voice", voice, "-t", SAMPLE, "-o", str(path)], check=True)
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()


async def comes_near(wanted: VoiceShape) -> None:
    voice = Espeak(EngineConfig(name="espeak"), shape=wanted)
    await voice.start()
    try:
        sentence = await spoken(voice, TEXT)
    finally:
        await voice.close()
    heard = measure(sentence.samples, sentence.rate_hz)

    keeps_the_contract(sentence, TEXT)
    assert heard.pitch_hz == pytest.approx(wanted.pitch_hz, rel=0.05)
    assert heard.range_semitones == pytest.approx(wanted.range_semitones, rel=0.15)
    assert heard.pace_hz == pytest.approx(wanted.pace_hz, rel=0.10)
    levels = [
        (w, h) for w, h in zip(wanted.timbre_db, heard.timbre_db, strict=True) if w is not None and h is not None
    ]
    lacks = np.array([w - h for w, h in levels])
    assert np.sqrt(np.mean((lacks - np.mean(lacks)) ** 2)) < 5.0


@pytest.mark.parametrize("speaker", SPEAKERS)
async def test_it_comes_near_a_person(speaker: str) -> None:
    await comes_near(measure(*sample_of(speaker)))


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
@pytest.mark.parametrize("voice", ["kal16", "slt", "rms"])
async def test_it_comes_near_a_voice_of_flite(voice: str, tmp_path: Path) -> None:
    await comes_near(measure(*flite(voice, tmp_path)))


def inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def made_up(**values: float) -> VoiceShape:
    numbers = {"pitch_hz": 180.0, "range_semitones": 6.0, "pace_hz": 4.5, "tract_cm": 16.0} | values
    return VoiceShape(**numbers, timbre_db=(0.0,) * 20, speech_s=10.0)


async def test_shaped_words_have_exact_times(tmp_path: Path) -> None:
    voice = Espeak(EngineConfig(name="espeak", cache=tmp_path), shape=made_up(tract_cm=15.0))
    await voice.start()
    try:
        for text, language in (
            ("Hello, Dr. Smith, it is 9.30 at the end.", "en"),
            ("Guten Tag.", "de"),
            ("...", "en"),
        ):
            keeps_the_contract(await spoken(voice, text, language), text)
        yes, no = (sentence := await spoken(voice, "Yes, no.")).words
    finally:
        await voice.close()

    assert sentence.chunks[0].exact
    assert sentence.rms(yes.end_ms + 10, no.start_ms - 10) < 0.1 * sentence.rms(yes.start_ms, yes.end_ms)
    assert sentence.ms - no.end_ms < 60


async def test_what_was_found_is_kept_for_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lengths() -> tuple[int, int]:
        voice = Espeak(EngineConfig(name="espeak", cache=tmp_path), shape=made_up())
        try:
            await voice.start()
            sentence = await spoken(voice, "Hello there, how are you?")
        finally:
            await voice.close()
        return len(sentence.samples), sentence.rate_hz

    first = await lengths()
    (kept,) = inside(tmp_path)
    manner = Manner.from_json(kept.read_text())
    monkeypatch.setattr(Calibration, "hear", None)

    assert await lengths() == first
    assert manner is not None
    kept.write_text("{")
    with pytest.raises(TypeError):
        await lengths()


async def test_an_unknown_shape_changes_nothing_it_does_not_know() -> None:
    wanted = VoiceShape(150.0, None, None, (None,) * 20, None, 3.0)
    voice = Espeak(EngineConfig(name="espeak"), shape=wanted)
    await voice.start()
    try:
        sentence = await spoken(voice, TEXT)
    finally:
        await voice.close()

    assert measure(sentence.samples, sentence.rate_hz).pitch_hz == pytest.approx(150.0, rel=0.05)
    assert sentence.rate_hz == 22050


async def test_without_a_shape_it_is_the_voice_it_was(tmp_path: Path) -> None:
    voices = [Espeak(EngineConfig(name="espeak", cache=tmp_path)), Espeak(EngineConfig(name="espeak"), shape=None)]
    lengths = []
    for voice in voices:
        await voice.start()
        lengths.append(len((await spoken(voice, TEXT)).samples))
        await voice.close()

    assert abs(lengths[0] - lengths[1]) < 1000
    assert inside(tmp_path) == []


def test_a_damaged_or_old_manner_is_none() -> None:
    manner = Manner(levels_db=(1.0,) * 20)

    assert Manner.from_json(manner.as_json()) == manner
    for text in ("", "[]", "{}", manner.as_json().replace('"format": 1', '"format": 0')):
        assert Manner.from_json(text) is None


def test_every_language_has_a_text_to_hear_itself() -> None:
    texts = {calibration_text(code) for code in ("en-US", "de", "fr", "es", "it", "pt-BR", "pl", "yue")}

    assert len(texts) == 7
    assert all("\n" not in text for text in texts)


async def test_a_voice_that_is_taken_on_while_another_is_sought_is_the_one_that_speaks(tmp_path: Path) -> None:
    """The owner enrols again just then: nothing of the earlier recordings may stay."""
    low, high = enrolling.callers().at(20_800), enrolling.callers()
    voice = Espeak(EngineConfig(name="espeak", cache=tmp_path))
    await voice.start()
    try:
        await voice.clone_from(Sound(low.samples, 16_000).wav())
        seeking = asyncio.create_task(spoken(voice, TEXT), name="seeking")
        await asyncio.sleep(0.05)
        assert not inside(tmp_path)
        await voice.clone_from(high.wav())
        await seeking
        said = await spoken(voice, TEXT)
        wanted = measure(high.samples, high.rate_hz).pitch_hz
        assert wanted is not None
        assert measure(said.samples, said.rate_hz).pitch_hz == pytest.approx(wanted, rel=0.1)
        await voice.forget_voice()
        assert not inside(tmp_path)
    finally:
        await voice.close()


async def test_a_voice_that_is_forgotten_while_it_is_sought_leaves_no_file(tmp_path: Path) -> None:
    voice = Espeak(EngineConfig(name="espeak", cache=tmp_path))
    await voice.start()
    try:
        await voice.clone_from(enrolling.callers().wav())
        seeking = asyncio.create_task(spoken(voice, TEXT), name="seeking")
        await asyncio.sleep(0.05)
        assert not inside(tmp_path)
        await voice.forget_voice()
        await seeking
        assert not inside(tmp_path)
    finally:
        await voice.close()
