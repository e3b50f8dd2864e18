"""Probability of speech, by the Silero model that Pipecat's wheel carries.

Pipecat's own analyser makes a thread-pool round trip for every frame and a model session for every call; here one
session serves all calls, inline, because an inference takes a tenth of a millisecond and a hop takes longer.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW_MS = 32
_QUIET_DBFS = -62.0
"""Below this a window holds no speech on any microphone or line, and the model need not be asked."""
_RESET_WINDOWS = 62
_RESET_QUIET_WINDOWS = 5
_CLEARLY_SILENT = 0.1


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    model = resources.files("pipecat.audio.vad.data").joinpath("silero_vad.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def load() -> None:
    """Load the model now rather than in the first call; about 30 ms."""
    _session()


class Silero:
    """The model's state for one caller, at 8,000 or 16,000 Hz."""

    def __init__(self, rate_hz: int) -> None:
        if rate_hz not in (8_000, 16_000):
            raise ValueError(f"rate_hz must be 8000 or 16000, got {rate_hz}")
        self.window_samples = rate_hz * WINDOW_MS // 1000
        self._context_samples = 64 if rate_hz == 16_000 else 32
        self._rate = np.array(rate_hz, dtype=np.int64)
        self._rest = b""
        self._quiet_power = (10 ** (_QUIET_DBFS / 20)) ** 2
        self._windows = 0
        self._low_windows = 0
        self._reset()

    def _reset(self) -> None:
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._input = np.zeros((1, self._context_samples + self.window_samples), dtype=np.float32)
        self._windows = 0

    def probabilities(self, pcm: bytes) -> Iterator[float]:
        """One probability for each window that `pcm` completes; the rest is kept for the next call."""
        data = self._rest + pcm
        size = self.window_samples * 2
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        for start in range(0, whole, size):
            yield self._probability(np.frombuffer(data, np.int16, self.window_samples, start))

    def _probability(self, window: np.ndarray[Any, np.dtype[np.int16]]) -> float:
        samples = window.astype(np.float32) / 32_768
        if float(samples @ samples) / len(samples) < self._quiet_power:
            # The recurrent state goes stale in silence, so the next sound meets a fresh model.
            if self._windows:
                self._reset()
            return 0.0
        self._input[0, : self._context_samples] = self._input[0, -self._context_samples :]
        self._input[0, self._context_samples :] = samples
        feed = {"input": self._input, "state": self._state, "sr": self._rate}
        output, self._state = _session().run(None, feed)
        probability = float(output[0, 0])
        self._windows += 1
        self._low_windows = self._low_windows + 1 if probability < _CLEARLY_SILENT else 0
        # After a long stretch of noise the state no longer finds the speech that follows; it is renewed only
        # in clear silence, because a reset inside a word ends it.
        if self._windows >= _RESET_WINDOWS and self._low_windows >= _RESET_QUIET_WINDOWS:
            self._reset()
        return probability
