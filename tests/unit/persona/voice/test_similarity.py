"""Whose voice it is: without a model by timbre, with one by its embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compliance.errors import EngineFailed, EngineMissing
from persona.voice.features import PITCH_HZ, cepstrum, mel_db, mel_filters, pitches_hz
from persona.voice.similarity import Matcher, ModelMatcher, TimbreMatcher, matcher
from persona.voice.sound import Sound
from persona.voice.timbre import frames_in, timbre
from tests.unit.persona.voice.voices import RATE_HZ, another, assets, owner, part, speakers


async def alike(judge: Matcher, one: Sound, other: Sound) -> bool:
    return await judge.similarity(one.pcm(), other.pcm(), one.rate_hz) >= judge.threshold


async def test_the_same_voice_with_other_words() -> None:
    assert await alike(TimbreMatcher(), part(owner(), 0, 14), part(owner(), 14, 34))


async def test_another_voice_with_the_same_words() -> None:
    assert not await alike(TimbreMatcher(), part(owner(), 0, 14), part(another(), 0, 30))


async def test_the_rate_does_not_matter() -> None:
    assert await alike(TimbreMatcher(), part(owner(), 0, 14).at(24_000), part(owner(), 14, 34).at(24_000))


async def test_too_little_speech_is_nobodys() -> None:
    for short in (part(owner(), 0, 1), Sound(np.zeros(RATE_HZ * 5, np.float32), RATE_HZ)):
        assert await TimbreMatcher().similarity(short.pcm(), owner().pcm(), RATE_HZ) == 0.0
    assert timbre(frames_in(np.zeros(0, np.float32))) is None


@pytest.mark.parametrize("hz", [80.0, 120.0, 200.0, 350.0])
def test_pitch_is_that_of_a_known_tone(hz: float) -> None:
    times = np.arange(RATE_HZ) / RATE_HZ
    voiced = sum(np.sin(2 * np.pi * hz * n * times) / n for n in range(1, 8))
    found = pitches_hz(np.asarray(voiced, np.float32))
    assert PITCH_HZ[0] < hz < PITCH_HZ[1]
    assert np.median(found) == pytest.approx(hz, rel=0.02)
    assert (np.abs(found / hz - 1) < 0.05).mean() > 0.9


def test_noise_has_no_pitch() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32)
    assert (pitches_hz(noise) > 0).mean() < 0.05


def test_the_front_end_is_the_one_that_models_were_trained_with() -> None:
    # Slaney's mel scale: linear below 1 kHz, and triangles of area 1.
    filters = mel_filters(2_048, 128, 8_000.0)
    assert filters.shape == (128, 1_025)
    widths = filters.sum(axis=1) * (RATE_HZ / 2_048)
    assert widths[40:] == pytest.approx(np.ones(88), rel=0.05)
    times = np.arange(RATE_HZ) / RATE_HZ
    mel = mel_db(
        np.sin(2 * np.pi * 440 * times).astype(np.float32),
        bands=128,
        top_hz=8_000.0,
        fft=2_048,
        window=2_048,
        hop=512,
    )
    assert mel.shape == (32, 128)
    assert mel.max() - mel.min() <= 80.0
    assert int(mel.mean(axis=0).argmax()) == int(filters[:, round(440 * 2_048 / RATE_HZ)].argmax())
    # An orthonormal transform keeps the energy.
    assert np.square(cepstrum(mel, 128)).sum() == pytest.approx(np.square(mel).sum(), rel=1e-6)


async def test_a_model_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    assert isinstance(matcher(), TimbreMatcher)
    with pytest.raises(EngineMissing, match="no such file"):
        matcher(str(tmp_path / "missing.onnx"))
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(EngineFailed, match="cannot be loaded"):
        await matcher(str(tmp_path / "text.onnx")).similarity(owner().pcm(), owner().pcm(), RATE_HZ)


async def test_a_model_of_another_kind_is_one_line() -> None:
    judge = ModelMatcher(assets() / "models" / "dnsmos_sig_bak_ovr.onnx", 0.75)
    with pytest.raises(EngineFailed, match="cannot be used"):
        await judge.similarity(owner().pcm(), owner().pcm(), RATE_HZ)


@pytest.mark.parametrize("kind", ["timbre", "model"])
async def test_real_speakers(kind: str) -> None:
    model = str(assets() / "models" / "speaker_lstm.onnx") if kind == "model" else ""
    judge, voices = matcher(model), list(speakers().values())
    for index, voice in enumerate(voices):
        training = part(voice, 0, 30)
        assert await alike(judge, part(voice, 35, 50), training)
        assert not await alike(judge, part(voices[index - 1], 35, 50), training)
