from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from persona.voice.server import wav
from persona.voice.server.engine import Refused


def file(samples: np.ndarray, *, rate_hz: int = 16000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate_hz)
        written.writeframes(samples.tobytes())
    return out.getvalue()


@pytest.mark.parametrize(
    ("half", "width"),
    [(np.full(32000, 192, "u1"), 1), (np.full(32000, 16384, "<i2"), 2), (np.full(32000, 2**30, "<i4"), 4)],
)
def test_reads_every_width(half: np.ndarray, width: int) -> None:
    samples, rate_hz = wav.read(file(half, width=width))
    assert rate_hz == 16000
    assert len(samples) == 32000
    assert samples == pytest.approx(0.5)


def test_several_channels_become_one() -> None:
    stereo = np.stack([np.full(20000, 16384, "<i2"), np.zeros(20000, "<i2")], axis=1)
    samples, _ = wav.read(file(stereo, channels=2))
    assert len(samples) == 20000
    assert samples == pytest.approx(0.25)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3\x04" + bytes(100), file(np.zeros(100, "<i2"))[:30]])
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="not a WAV"):
        wav.read(data)


def test_too_short_a_sample_is_refused() -> None:
    with pytest.raises(Refused, match="shorter than 1 s"):
        wav.read(file(np.zeros(15000, "<i2")))


def test_an_endless_header_is_one_that_others_read() -> None:
    with wave.open(io.BytesIO(wav.header(24000) + bytes(4800))) as written:
        assert (written.getframerate(), written.getnchannels(), written.getsampwidth()) == (24000, 1, 2)
        assert len(written.readframes(2400)) == 4800
