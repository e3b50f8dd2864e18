"""Comparing what was heard with what was said."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def contains(heard: bytes, said: bytes, *, at_least: float = 0.93) -> bool:
    """True when `said` sounds in `heard` whole and in one piece, at one rate: correlation over its full length.

    mu-law, Opus and the watermark change every sample a little, so bytes cannot be compared. What was not said has
    less than 0.3.
    """
    return similarity(heard, said) >= at_least


def similarity(heard: bytes, said: bytes) -> float:
    """The best normalised correlation of `said` at any place of `heard`; 0 when it does not fit in."""
    long, short = _samples(heard), _samples(said)
    if len(short) == 0 or len(long) < len(short):
        return 0.0
    return _best(long, short)[1]


def _best(long: Float, short: Float) -> tuple[int, float]:
    size = 1 << (len(long) + len(short)).bit_length()
    product = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)
    places = len(long) - len(short) + 1
    power = np.concatenate(([0.0], np.cumsum(long**2)))
    norms = np.sqrt((power[len(short) :] - power[:places]) * float(short @ short))
    # Where the long one is all but silent, rounding errors of the transform would look like a likeness.
    likeness = product[:places] / np.maximum(norms, 1e-3 * float(short @ short))
    at = int(np.argmax(likeness))
    return at, float(likeness[at])


def first_ms(recording: bytes, milliseconds: int) -> bytes:
    """The first speech of a WAV file, as a WAV file: from where it gets loud, so long."""
    with wave.open(io.BytesIO(recording)) as file:
        rate_hz = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    start = int(np.flatnonzero(np.abs(samples.astype(np.int32)) > 1_500)[0])
    out = io.BytesIO()
    with wave.open(out, "wb") as cut:
        cut.setnchannels(1)
        cut.setsampwidth(2)
        cut.setframerate(rate_hz)
        cut.writeframes(samples[start : start + rate_hz * milliseconds // 1000].tobytes())
    return out.getvalue()


def recording(path: Path, *said: tuple[float, bytes], rate_hz: int = 16_000) -> Path:
    """Write a WAV file for a microphone: at each time, in seconds, somebody begins to say this (int16 mono)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        whole = bytearray()
        for at_s, pcm in said:
            whole = whole.ljust(round(at_s * rate_hz) * 2, b"\0") + pcm
        file.writeframes(bytes(whole) + bytes(rate_hz * 2))
    return path


def share_heard(heard: bytes, said: bytes, rate_hz: int, *, alike: float = 0.7) -> float:
    """How much of `said`, piece by piece and in its order, sounds in `heard`: 0 to 1.

    A browser stretches and squeezes sound by some milliseconds to fit its buffer, so the whole cannot be compared
    at once. Each piece of 100 ms has to be within 60 ms of where the one before it puts it, and 60 ms more for
    each that was not found in between; silent ones do not count. The watermark alone makes pieces of 100 ms as
    unlike as 0.75.
    """
    piece, slack = rate_hz // 10, rate_hz * 60 // 1000
    long, short = _samples(heard), _samples(said)
    starts = range(0, min(len(short) // 2, 20 * piece), piece)
    clearest = {at: _best(long, short[at : at + 2 * piece]) for at in starts}
    first = max(clearest, key=lambda at: clearest[at][1])
    shift = clearest[first][0] - first
    found = loud = missed = 0
    for at in range(0, len(short) - piece + 1, piece):
        part = short[at : at + piece]
        if float(part @ part) / piece < 1e-5:
            continue
        loud += 1
        reach = slack * (1 + missed)
        begin = max(0, at + shift - reach)
        window = long[begin : max(0, at + shift + piece + reach)]
        missed += 1
        if len(window) < piece:
            continue
        place, likeness = _best(window, part)
        if likeness >= alike:
            found += 1
            missed = 0
            shift = begin + place - at
    return found / loud if loud else 0.0


def place(heard: bytes, said: bytes) -> int:
    """The sample of `heard` at which `said` sounds, as far as it sounds there at all (see `similarity`)."""
    return _best(_samples(heard), _samples(said))[0]


def level_dbfs(pcm: bytes) -> float:
    """RMS of the whole; -120 for digital silence."""
    samples = _samples(pcm)
    rms = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    return 20 * float(np.log10(max(rms, 1e-6)))


def _samples(pcm: bytes) -> Float:
    return np.frombuffer(pcm, np.int16).astype(np.float64) / 32_768
