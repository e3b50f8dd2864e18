"""What the server did, for `/metrics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from persona.voice.server.job import Job


@dataclass(slots=True)
class Counts:
    """Sums since the start. The model's thread writes `model_s`, the event loop the rest."""

    outcomes: Counter[str] = field(default_factory=Counter)
    sound_s: float = 0.0
    model_s: float = 0.0
    first_sound_s: float = 0.0
    """From the question to the first sound, summed over `first_sounds` sentences."""
    first_sounds: int = 0

    def ended(self, job: Job) -> None:
        """A job is over."""
        self.outcomes[job.reason or "said"] += 1
        self.sound_s += job.sound_s
        if job.first_s is not None:
            self.first_sounds += 1
            self.first_sound_s += job.first_s - job.asked_s

    def text(self, *, waiting: int, speaking: int, ready: bool) -> str:
        """In Prometheus' format."""
        return "\n".join([*self._lines(waiting, speaking, ready), ""])

    def _lines(self, waiting: int, speaking: int, ready: bool) -> Iterator[str]:
        for outcome, number in sorted(self.outcomes.items()):
            yield f'twin_voice_sentences_total{{outcome="{outcome}"}} {number}'
        yield f"twin_voice_sound_seconds_total {self.sound_s:.3f}"
        yield f"twin_voice_model_seconds_total {self.model_s:.3f}"
        yield f"twin_voice_first_sound_seconds_sum {self.first_sound_s:.3f}"
        yield f"twin_voice_first_sound_seconds_count {self.first_sounds}"
        yield f"twin_voice_waiting {waiting}"
        yield f"twin_voice_speaking {speaking}"
        yield f"twin_voice_ready {int(ready)}"
