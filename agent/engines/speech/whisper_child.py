"""Whisper in a process of its own: a decode takes a second and may crash natively.

    python -m agent.engines.speech.whisper_child MODEL_FOLDER DEVICE COMPUTE_TYPE THREADS

One job, `decode`: int16 mono at `rate_hz` in, the segments with their times and Whisper's own doubts out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from agent.engines.child import Job, Message, serve
from compliance.errors import EngineFailed, EngineMissing

WHISPER_HZ = 16000
TOKENS_PER_S = 12
"""Twice what the fastest speaker needs; a decode that loops on noise stops here."""


class _Model:
    def __init__(self, folder: str, device: str, compute_type: str, threads: str) -> None:
        self._folder = folder
        self._device = device
        self._compute_type = compute_type
        self._threads = int(threads)
        self._model: Any = None

    def setup(self) -> Mapping[str, Any]:
        try:
            from faster_whisper import WhisperModel
        except ImportError:
            raise EngineMissing("whisper needs faster-whisper: run `pip install faster-whisper`") from None
        try:
            self._model = WhisperModel(
                self._folder,
                device=self._device,
                compute_type=self._compute_type,
                cpu_threads=self._threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineFailed(
                f"the Whisper model cannot be loaded ({type(error).__name__}): "
                "fetch it again, or check device and compute_type"
            ) from None
        self._decode(bytes(WHISPER_HZ), WHISPER_HZ, "en", 1)  # the first decode is slow: not a caller's
        return {"multilingual": bool(self._model.model.is_multilingual)}

    def handle(self, job: Job) -> Iterator[Message]:
        fields = job.fields
        segments = self._decode(job.payload, fields["rate_hz"], fields["language"], fields["beam"])
        yield Message({"segments": segments})

    def _decode(self, pcm: bytes, rate_hz: int, language: str, beam: int) -> list[dict[str, Any]]:
        import numpy as np
        import soxr

        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
        if rate_hz != WHISPER_HZ:
            samples = soxr.resample(samples, rate_hz, WHISPER_HZ)
        seconds = len(samples) / WHISPER_HZ
        # Its thresholds would decode again at higher temperatures: late, and no better. Ours are in agreement.py.
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=beam,
            temperature=0.0,
            condition_on_previous_text=False,
            vad_filter=False,
            compression_ratio_threshold=None,
            log_prob_threshold=None,
            no_speech_threshold=None,
            max_new_tokens=min(200, 20 + int(TOKENS_PER_S * seconds)),
        )
        return [
            {
                "text": segment.text,
                "end_s": segment.end,
                "no_speech": segment.no_speech_prob,
                "logprob": segment.avg_logprob,
            }
            for segment in segments
        ]


def main() -> None:
    """Serve until the parent is gone."""
    model = _Model(*sys.argv[1:5])
    serve(model.handle, setup=model.setup)


if __name__ == "__main__":
    main()
