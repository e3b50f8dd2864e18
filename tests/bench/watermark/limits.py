"""Where the mark ends: conditions beyond those of the table, 10 s of every scoring voice.

python -m tests.bench.watermark.limits
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from compliance.watermark.detector import Detector
from compliance.watermark.ear import RATE_HZ
from compliance.watermark.embedder import Embedder
from tests.bench import report
from tests.bench.watermark import air, codecs, corpus, warps
from tests.bench.watermark.conditions import CONDITIONS, Heard
from tests.bench.watermark.intervals import Share
from tests.bench.watermark.marks import day_key, token

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

SECONDS = 10
CLIPS = 2
"""Of each voice."""
KEY = day_key("limits")


def _noisy(snr_db: float) -> Callable[[Floats, int], Heard]:
    return lambda sound, seed: Heard(air.with_noise(sound, air.white(len(sound), seed), snr_db, RATE_HZ), RATE_HZ)


def _room(reverberation_s: float, direct_db: float) -> Callable[[Floats, int], Heard]:
    return lambda sound, seed: Heard(air.in_a_room(sound, RATE_HZ, seed, reverberation_s, direct_db), RATE_HZ)


def _short(seconds: float) -> Callable[[Floats, int], Heard]:
    begin, end = 2 * RATE_HZ, round((2 + seconds) * RATE_HZ)
    return lambda sound, seed: CONDITIONS["mu-law"].apply(sound[begin:end], RATE_HZ, seed)


def _vocoder(mode: str) -> Callable[[Floats, int], Heard]:
    return lambda sound, seed: Heard(codecs.codec2(sound, RATE_HZ, mode), RATE_HZ)


LIMITS: dict[str, Callable[[Floats, int], Heard]] = {
    "white noise 5 dB": _noisy(5),
    "white noise 0 dB": _noisy(0),
    "room, 60 dB in 0.6 s, as loud as the voice": _room(0.6, 0),
    "room, 60 dB in 1 s, 3 dB louder": _room(1.0, -3),
    "speed +8 %": lambda sound, seed: Heard(warps.sped(sound, RATE_HZ, 1.08), RATE_HZ),
    "tempo +6 %": lambda sound, seed: Heard(warps.at_tempo(sound, RATE_HZ, 1.06), RATE_HZ),
    "2 s after mu-law": _short(2),
    "1.5 s after mu-law": _short(1.5),
    "from 80 mel bands": lambda sound, seed: CONDITIONS["from 80 mel bands"].apply(sound, RATE_HZ, seed),
}
if codecs.has_codec2():
    LIMITS |= {f"Codec2 at {mode} bit/s": _vocoder(mode) for mode in ("3200", "1300")}


def main() -> int:
    detector = Detector([KEY])
    clips = list(_clips())
    rows = []
    for name, change in LIMITS.items():
        found = 0
        for seed, clip in enumerate(clips):
            heard = change(clip, seed)
            found += detector.detect(heard.samples, heard.rate_hz).found
        share = Share(found, len(clips))
        rows.append({"10 s": name, "found": f"{found} of {len(clips)}", "interval": share.interval()})
        print(rows[-1], flush=True)
    report.show("Watermark: its limits", rows)
    print(f"saved {report.save('watermark_limits', {'rows': rows})}")
    return 0


def _clips() -> list[Floats]:
    """Marked, at 8 kHz, from anywhere in a call."""
    places = np.random.default_rng(3)
    found = []
    for number, clip in enumerate(corpus.scoring(minutes=1)):
        speech = corpus.resampled(clip.samples, clip.rate_hz, RATE_HZ)
        for piece in corpus.pieces(speech, SECONDS * RATE_HZ, CLIPS):
            marked = Embedder(KEY.key, token(number), RATE_HZ).process(piece, int(places.integers(300 * RATE_HZ)))
            found.append(corpus.floats(marked))
    return found


if __name__ == "__main__":
    sys.exit(main())
