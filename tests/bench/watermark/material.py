"""What the network that listens for the mark is taught with: marked speech after something happened to it.

    python -m tests.bench.watermark.material FILE.npz

Of the tuning voices only: the table is about others.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compliance.watermark import ear
from compliance.watermark.embedder import Embedder
from compliance.watermark.layout import PERIOD_SLOTS, slot_samples
from compliance.watermark.pattern import whole
from tests.bench.watermark import corpus
from tests.bench.watermark.codecs import resample
from tests.bench.watermark.conditions import CONDITIONS

MINUTES = 2
HEARD_THROUGH = (
    "unchanged", "mu-law", "phone chain", "mu-law, Opus 16k", "GSM-FR", "AMR-NB 12.2", "AMR-NB 4.75", "Opus 12k",
    "white noise 10 dB", "white noise 20 dB", "babble 10 dB", "both sides, talking over",
)  # fmt: skip
DARK_HEARD_THROUGH = (
    "mu-law", "phone chain", "AMR-NB 4.75", "white noise 10 dB", "white noise 10 dB", "white noise 20 dB",
    "babble 10 dB",
)  # fmt: skip
DARKER_DB = 6.0
"""By the octave above 500 Hz: people are darker than most synthetic voices, and noise covers more of them."""


def material() -> Iterator[tuple[NDArray[np.int16], NDArray[np.int8], int]]:
    """Every tuning voice through every condition: the sound, its pattern, and the position of its first sample."""
    random = np.random.default_rng(5)
    for number, (_, samples, rate_hz) in enumerate(corpus.tuning(minutes=MINUTES)):
        speech = corpus.resampled(samples, rate_hz, ear.RATE_HZ)
        for sound, through in ((speech, HEARD_THROUGH), (_darker(speech), DARK_HEARD_THROUGH)):
            key, token = random.bytes(32), int(random.integers(1 << 32))
            start = int(random.integers(PERIOD_SLOTS * slot_samples(ear.RATE_HZ)))
            mark = Embedder(key, token, ear.RATE_HZ)
            marked = (mark.process(sound, start) / 32_768).astype(np.float32)
            for drawn, name in enumerate(through):
                heard = CONDITIONS[name].apply(marked, ear.RATE_HZ, 100 * number + drawn)
                told = _in_step(marked, resample(heard.samples, heard.rate_hz, ear.RATE_HZ))
                yield np.clip(np.rint(told * 32_768), -32_768, 32_767).astype(np.int16), whole(key, token), start


def _darker(speech: NDArray[np.int16]) -> NDArray[np.int16]:
    spectrum = np.fft.rfft(speech)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(speech), 1 / ear.RATE_HZ), 500) / 500)
    darker = np.fft.irfft(spectrum * 10 ** (-DARKER_DB * octaves / 20), len(speech))
    return np.clip(np.rint(darker), -32_768, 32_767).astype(np.int16)


def _in_step(marked: NDArray[np.float32], heard: NDArray[np.float32], reach: int = 800) -> NDArray[np.float32]:
    """What was heard, without the delay of a codec."""
    size = min(len(marked), len(heard), 80_000)
    spectrum = np.fft.rfft(heard[:size], 2 * size) * np.conj(np.fft.rfft(marked[:size], 2 * size))
    likeness = np.abs(np.fft.irfft(spectrum))
    delay = int(np.argmax(np.concatenate((likeness[-reach:], likeness[:reach])))) - reach
    return heard[delay:] if delay >= 0 else np.concatenate((np.zeros(-delay, np.float32), heard))


def write(file: Path) -> None:
    """For `teach`, which needs another environment."""
    parts: dict[str, NDArray[np.generic]] = {}
    for number, (sound, signs, start) in enumerate(material()):
        parts |= {f"sound{number}": sound, f"signs{number}": signs, f"start{number}": np.array(start)}
    np.savez(file, allow_pickle=False, **parts)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
