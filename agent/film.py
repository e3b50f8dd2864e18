"""A video file: pictures and sound on one clock, as H.264 and AAC in MP4.

The encoder is x264, which PyAV's wheel brings and which is GPL; it runs in `twin say`, and in no call.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

from avatar.picture import Picture

CRF = "20"
"""x264's constant quality: no difference that a viewer sees at arm's length."""
PRESET = "veryfast"
AUDIO_BITS_PER_S = 96_000


class Film:
    """One MP4 file, readable by its owner alone. `close` finishes it; before that no player can read it."""

    def __init__(self, file: Path, *, width: int, height: int, fps: int, rate_hz: int, title: str) -> None:
        """`title` goes into the file for players to show. Raises `OSError`."""
        self.frames = 0
        self.samples = 0
        self._fps = fps
        self._closed = False
        # Made by hand first: FFmpeg would leave the file to the mode of the process.
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        self._container: OutputContainer = av.open(
            str(file), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._container.metadata["title"] = title
        self._video = self._container.add_stream("libx264", rate=fps, options={"crf": CRF, "preset": PRESET})
        self._video.width, self._video.height = width, height
        self._video.pix_fmt = "yuv420p"
        self._video.time_base = Fraction(1, fps)
        # Said in the file, because a player that guesses takes another matrix for larger pictures.
        self._video.codec_context.colorspace = 5  # BT.470BG, which has BT.601's matrix
        self._video.codec_context.color_range = 1  # limited
        self._audio = self._container.add_stream("aac", rate=rate_hz, layout="mono")
        self._audio.bit_rate = AUDIO_BITS_PER_S
        self._audio.time_base = Fraction(1, rate_hz)

    @property
    def due(self) -> Fraction:
        """The time of the next picture, in seconds."""
        return Fraction(self.frames, self._fps)

    def show(self, picture: Picture) -> None:
        """The next picture, shown from `due` on."""
        frame = av.VideoFrame.from_ndarray(picture.i420, format="yuv420p")
        frame.pts = self.frames
        frame.time_base = Fraction(1, self._fps)
        self.frames += 1
        self._container.mux(self._video.encode(frame))

    def sound(self, pcm: bytes) -> None:
        """The next samples: int16 mono."""
        samples = np.frombuffer(pcm, np.int16)
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._audio.rate
        frame.time_base = Fraction(1, self._audio.rate)
        frame.pts = self.samples
        self.samples += len(samples)
        self._container.mux(self._audio.encode(frame))

    def close(self) -> None:
        """Finish the file. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for stream in (self._video, self._audio):
            self._container.mux(stream.encode(None))
        self._container.close()
