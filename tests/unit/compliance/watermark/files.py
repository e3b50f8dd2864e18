"""Files with sound in them, of every kind that people send, made by PyAV; and broken ones."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

TONE_HZ = 1_000.0


def tone(seconds: float, rate_hz: int, *, hz: float = TONE_HZ, level: float = 0.25) -> NDArray[np.int16]:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * 32_767 * np.sin(2 * np.pi * hz * times)).astype(np.int16)


def voice(seconds: float, rate_hz: int, *, seed: int = 1) -> NDArray[np.int16]:
    """Something that sounds and pauses as a voice does."""
    pick = np.random.default_rng(seed)
    count = round(seconds * rate_hz)
    times = np.arange(count) / rate_hz
    wander = pick.standard_normal(count).cumsum() / np.sqrt(count)
    phase = (
        2 * np.pi * np.cumsum(110 * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * times + seed) + 0.05 * wander)) / rate_hz
    )
    buzz = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 25)) + 0.02 * pick.standard_normal(
        count
    )
    loudness = np.clip(np.sin(2 * np.pi * 2.3 * times + seed) + 0.4, 0, 1)
    loudness *= np.clip(np.sin(2 * np.pi * 0.31 * times + seed) + 0.8, 0, 1)
    sound = buzz * loudness
    return np.asarray(sound / np.max(np.abs(sound)) * 12_000, dtype=np.int16)


def write_wav(path: Path, *channels: NDArray[np.int16], rate_hz: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((len(channels), 2, rate_hz, 0, "NONE", ""))
        file.writeframes(np.stack(channels, axis=1).astype("<i2").tobytes())
    return path


def encode(
    path: Path,
    *tracks: NDArray[np.int16],
    codec: str,
    form: str | None = None,
    rate_hz: int = 16_000,
    options: dict[str, str] | None = None,
) -> Path:
    """One stream for each track; a track is of shape (samples,) or (2, samples)."""
    with av.open(str(path), "w", format=form) as container:
        streams = []
        for track in tracks:
            layout = "mono" if track.ndim == 1 else "stereo"
            streams.append(container.add_stream(codec, rate=rate_hz, layout=layout, options=options or {}))
        for stream, track in zip(streams, tracks, strict=True):
            _encode(container, stream, np.atleast_2d(track), rate_hz)
    return path


def _encode(container: Any, stream: Any, channels: NDArray[np.int16], rate_hz: int) -> None:
    layout = "mono" if len(channels) == 1 else "stereo"
    resampler = av.AudioResampler(
        format=stream.codec_context.format, layout=layout, rate=stream.codec_context.sample_rate
    )
    fifo = av.AudioFifo()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), format="s16p", layout=layout)
    frame.sample_rate = rate_hz
    frame.pts = 0
    for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
        resampled.pts = None
        fifo.write(resampled)
    size = stream.codec_context.frame_size or 1_024
    while (piece := fifo.read(size, partial=True)) is not None:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
