"""Whether two pieces of sound are one person's: by a speaker model where one is named, else by timbre and pitch.

Both implement `compliance.clone.Matcher`. Neither is proof of a person: the model-free one tells voices apart that
differ, in similar conditions, and a model is as good as what it was trained on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from compliance.errors import EngineFailed, EngineMissing
from persona.voice.activity import ANALYSIS_HZ, HOP_S, activity
from persona.voice.features import Matrix, cepstrum, mel_db
from persona.voice.sound import Samples, from_pcm
from persona.voice.timbre import distance, frames_in, timbre

MODEL_THRESHOLD = 0.75
"""Cosine of two embeddings."""
_COEFFICIENTS, _FRAMES, _STEP = 40, 100, 50
_LOOKED_AT_S = 120


class Matcher(Protocol):
    """`compliance.clone.Matcher`."""

    @property
    def threshold(self) -> float: ...

    async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float: ...


def matcher(model: str = "", threshold: float | None = None) -> Matcher:
    """The one to use: `model` is a speaker model's file, or nothing. Raises `EngineMissing` for a missing one."""
    if not model:
        return TimbreMatcher()
    path = Path(model).expanduser()
    if not path.is_file():
        raise EngineMissing(
            f"[voice] speaker_model = {model!r}: there is no such file; name an .onnx file, or none"
        )
    return ModelMatcher(path, MODEL_THRESHOLD if threshold is None else threshold)


class TimbreMatcher:
    """Without a model; see `timbre`."""

    threshold = 0.5

    async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        """Between 0 and 1; 0 when there is too little speech to say."""
        return await asyncio.to_thread(self._similarity, statement, training, rate_hz)

    def _similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        one, other = (timbre(frames_in(_samples(pcm, rate_hz))) for pcm in (statement, training))
        if one is None or other is None:
            return 0.0
        return float(min(1.0, 2.0 ** -distance(one, other)))


class ModelMatcher:
    """An ONNX speaker model that takes (pieces, 100 frames, 40 MFCC) and gives an embedding for each.

    The front end is librosa's default at 16 kHz (hop 512, 128 mel bands), which such models were trained with.
    """

    def __init__(self, path: Path, threshold: float) -> None:
        """Nothing is loaded before it is asked."""
        self._path = path
        self._threshold = threshold
        self._session: Any = None

    @property
    def threshold(self) -> float:
        return self._threshold

    async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        """The cosine of the two embeddings; -1 when there is too little speech to say. Raises `EngineFailed`."""
        return await asyncio.to_thread(self._similarity, statement, training, rate_hz)

    def _similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        embeddings = [self._embedding(_spoken(_samples(pcm, rate_hz))) for pcm in (statement, training)]
        one, other = embeddings
        return -1.0 if one is None or other is None else float(one @ other)

    def _embedding(self, samples: Samples) -> Matrix | None:
        mel = mel_db(samples, fft=2_048, window=2_048, hop=512, bands=128, top_hz=ANALYSIS_HZ / 2)
        features = cepstrum(mel, _COEFFICIENTS).astype(np.float32)
        if len(features) < _FRAMES:
            return None
        pieces = np.stack([features[at : at + _FRAMES] for at in range(0, len(features) - _FRAMES + 1, _STEP)])
        session = self._loaded()
        try:
            (found,) = session.run(None, {session.get_inputs()[0].name: pieces})
            mean = np.asarray(found, np.float64).reshape(len(pieces), -1).mean(axis=0)
        except Exception as error:  # noqa: BLE001 - the runtime raises its own errors, which are not exported
            raise EngineFailed(f"[voice] speaker_model: it cannot be used ({type(error).__name__})") from None
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))

    def _loaded(self) -> Any:
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.inter_op_num_threads = options.intra_op_num_threads = 1
            try:
                self._session = onnxruntime.InferenceSession(
                    str(self._path), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # noqa: BLE001 - the runtime raises its own errors, which are not exported
                raise EngineFailed(
                    f"[voice] speaker_model: {self._path.name} cannot be loaded ({type(error).__name__})"
                ) from None
        return self._session


def _samples(pcm: bytes, rate_hz: int) -> Samples:
    return from_pcm(pcm, rate_hz).at(ANALYSIS_HZ).samples[: _LOOKED_AT_S * ANALYSIS_HZ]


def _spoken(samples: Samples) -> Samples:
    """Without its pauses: a model would compare the rooms in them."""
    mask = np.repeat(activity(samples).active, int(HOP_S * ANALYSIS_HZ))[: len(samples)]
    return samples[: len(mask)][mask]
