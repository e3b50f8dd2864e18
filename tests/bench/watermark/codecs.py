"""Sound through codecs: what a telephone network, a browser or a file format makes of it."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from tests.bench.watermark.corpus import floats, to_int16

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec of PyAV's: its encoder, a container it may lie in, and the rate it works at."""

    encoder: str
    container: str
    rate_hz: int
    bit_rate: int
    options: dict[str, str] = field(default_factory=dict)

    @property
    def at_hand(self) -> bool:
        return self.encoder in av.codecs_available


AMR_122 = Codec("libopencore_amrnb", "amr", 8000, 12_200)
AMR_475 = Codec("libopencore_amrnb", "amr", 8000, 4_750)
OPUS_12K = Codec("libopus", "ogg", 48000, 12_000, {"application": "voip"})
OPUS_16K = Codec("libopus", "ogg", 48000, 16_000, {"application": "voip"})
OPUS_24K = Codec("libopus", "ogg", 48000, 24_000, {"application": "voip"})
MP3_64K = Codec("libmp3lame", "mp3", 24000, 64_000)
AAC_64K = Codec("aac", "adts", 24000, 64_000)
G722 = Codec("g722", "wav", 16000, 64_000)
G723 = Codec("g723_1", "wav", 8000, 6_300)


def resample(sound: Floats, rate_hz: int, to_hz: int) -> Floats:
    """Band-limited, at another rate."""
    if rate_hz == to_hz:
        return sound
    changed: Floats = soxr.resample(sound, rate_hz, to_hz).astype(np.float32)
    return changed


def through(codec: Codec, sound: Floats, rate_hz: int) -> Floats:
    """Encoded, put in a file, read and decoded; at the codec's own rate. Its delay stays in."""
    pcm = np.clip(np.rint(resample(sound, rate_hz, codec.rate_hz) * 32767), -32768, 32767).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream: Any = container.add_stream(codec.encoder, rate=codec.rate_hz, options=codec.options)
        stream.bit_rate = codec.bit_rate
        stream.layout = "mono"
        resampler = av.AudioResampler(stream.format.name, "mono", codec.rate_hz)
        frame = av.AudioFrame.from_ndarray(pcm[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = codec.rate_hz, 0
        for made in resampler.resample(frame):
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    file.seek(0)
    return _decoded(file, codec.rate_hz)


def g711(sound: Floats, rate_hz: int, *, law: str = "ULAW") -> Floats:
    """Mu-law (`ULAW`) or A-law (`ALAW`) at 8 kHz."""
    return _libsndfile(resample(sound, rate_hz, 8000), law)


def gsm(sound: Floats, rate_hz: int) -> Floats:
    """GSM full rate, 13 kbit/s at 8 kHz."""
    return _libsndfile(resample(sound, rate_hz, 8000), "GSM610")


def has_codec2() -> bool:
    return bool(shutil.which("c2enc") and shutil.which("c2dec"))


def codec2(sound: Floats, rate_hz: int, mode: str) -> Floats:
    """A vocoder at `mode` bits a second (3200, 1300): pitch and spectrum are sent, and no waveform. Its programs
    are LGPL, and run as processes."""
    pcm = to_int16(resample(sound, rate_hz, 8000))
    with tempfile.TemporaryDirectory() as name:
        plain, coded, decoded = (Path(name, kind) for kind in ("plain.raw", "coded.c2", "decoded.raw"))
        plain.write_bytes(pcm.tobytes())
        for command in (["c2enc", mode, str(plain), str(coded)], ["c2dec", mode, str(coded), str(decoded)]):
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        heard = np.frombuffer(decoded.read_bytes(), np.int16)
    return floats(heard)


def _libsndfile(sound: Floats, subtype: str) -> Floats:
    file = io.BytesIO()
    soundfile.write(file, sound.clip(-1, 1), 8000, format="WAV", subtype=subtype)
    file.seek(0)
    decoded: Floats = soundfile.read(file, dtype="float32")[0]
    return decoded[: len(sound)]


def _decoded(file: io.BytesIO, rate_hz: int) -> Floats:
    pieces: list[Floats] = []
    with av.open(file, "r") as container:
        resampler = av.AudioResampler("flt", "mono", rate_hz)
        for frame in container.decode(audio=0):
            pieces += [made.to_ndarray()[0] for made in resampler.resample(frame)]
        pieces += [made.to_ndarray()[0] for made in resampler.resample(None)]
    return np.concatenate(pieces)
