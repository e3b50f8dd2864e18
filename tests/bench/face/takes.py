"""Takes: the twin talks through its real outlet into a real encoder, and what comes out of the decoder."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from agent.film import Film
from agent.recorded import FilmWire, Recording
from avatar.puppet import Rgb
from avatar.rig import Rig
from avatar.stage import Stage
from channels.spoken import Spoken
from channels.view import Film as Look
from channels.view import View
from tests.doubles.mark import NoMark

RATE_HZ = 24_000
PAUSE_CHUNKS = 30


@dataclass(frozen=True, slots=True)
class Take:
    """What a viewer of the file gets."""

    times_ms: npt.NDArray[np.float64]
    """Of the pictures, by the file."""
    pictures: list[Rgb]
    sound: npt.NDArray[np.int16]
    """At `RATE_HZ`, from the file's time zero."""
    starts_ms: dict[int, float]
    """Where each utterance begins in the decoded sound, found there by correlation."""


def film(rig: Rig, said: Sequence[Spoken], *, fps: int = 25, seed: int = 1) -> Take:
    """Say everything, the first sentence as the disclosure, into an MP4 file, and decode it."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        file = Path(folder) / "take.mp4"
        reel = Film(file, width=rig.width, height=rig.height, fps=fps, rate_hz=RATE_HZ, title="take")
        recording = Recording(FilmWire(reel, RATE_HZ), None, NoMark())
        stage = Stage(rig, rate_hz=RATE_HZ, seed=seed)
        recording.show(View(recording.clock, lambda: stage, pool, Look(fps)), reel)
        recording.pause(PAUSE_CHUNKS)
        recording.disclose(said[0])
        for one in said[1:]:
            recording.say(one)
            recording.pause(PAUSE_CHUNKS)
        recording.pause(PAUSE_CHUNKS)
        reel.close()
        return _decoded(file, said)


def _decoded(file: Path, said: Sequence[Spoken]) -> Take:
    with av.open(str(file)) as container:
        frames = [
            (float(f.time or 0.0) * 1000, np.asarray(f.to_ndarray(format="rgb24"), np.uint8))
            for f in container.decode(video=0)
        ]
    with av.open(str(file)) as container:
        pieces = list(container.decode(audio=0))
    sound = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    begin = round(float(pieces[0].time or 0.0) * RATE_HZ)
    sound = np.concatenate([np.zeros(max(0, begin)), sound[max(0, -begin) :]])
    pcm = np.asarray(np.clip(sound * 32768, -32768, 32767), np.int16)
    return Take(np.array([time for time, _ in frames]), [rgb for _, rgb in frames], pcm, _starts(pcm, said))


def _starts(sound: npt.NDArray[np.int16], said: Sequence[Spoken]) -> dict[int, float]:
    """Each utterance is looked for after the one before it."""
    starts: dict[int, float] = {}
    after = 0
    for one in said:
        wanted = np.frombuffer(one.pcm, np.int16).astype(np.float32)[: RATE_HZ * 2]
        there = sound[after : after + len(wanted) + RATE_HZ * 12].astype(np.float32)
        size = 1 << int(np.ceil(np.log2(len(there) + len(wanted))))
        scores = np.fft.irfft(np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size)), size)
        at = int(np.argmax(scores[: max(1, len(there) - len(wanted) // 2)]))
        starts[one.utterance] = (after + at) * 1000 / RATE_HZ
        after += at + len(one.pcm) // 2 - RATE_HZ // 10
    return starts
