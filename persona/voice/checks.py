"""Whether recordings are good enough to learn a voice from, and what to do about it, in plain words. Pure.

The limits were set on LibriSpeech (clean), on the same with noise, clipping and simulated rooms added, on a
telephone recording and on meetings; tests/unit/persona/voice/test_checks.py repeats it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from persona.voice import quality
from persona.voice.activity import ANALYSIS_HZ, activity
from persona.voice.sound import Sound
from persona.voice.speakers import two_voices

Verdict = Literal["ok", "warn", "bad"]
Name = Literal["noise", "echo", "clipping", "loudness", "bandwidth", "length", "second voice"]

_LOOKED_AT_S = 300
"""Of all recordings together, for a second voice."""
_TOO_NOISY_FOR_ECHO_DB = 25.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: Name
    verdict: Verdict
    value: float
    unit: str
    advice: str
    """What to do, when the verdict is not "ok"; otherwise empty."""

    def as_json(self) -> dict[str, Any]:
        """For scripts and the metadata."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "value": round(self.value, 2),
            "unit": self.unit,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class _Limit:
    """From `warn` and `bad` on; whether above or below is told by their order."""

    name: Name
    unit: str
    warn: float
    bad: float
    advice: str

    def check(self, value: float) -> Check:
        low = self.warn > self.bad
        verdict: Verdict = "ok"
        for name, limit in (("warn", self.warn), ("bad", self.bad)):
            if value < limit if low else value > limit:
                verdict = "warn" if name == "warn" else "bad"
        return Check(self.name, verdict, value, self.unit, "" if verdict == "ok" else self.advice)


_NOISE = _Limit(
    "noise", "dB", 25.0, 15.0,
    "There is noise: switch off fans and music, close the window, and come closer to the microphone.",
)  # fmt: skip
_ECHO = _Limit(
    "echo", "dB/s", 235.0, 170.0,
    "There is an echo: record in a room with curtains or clothes, the microphone a hand's width away.",
)  # fmt: skip
_ECHO_IN_NOISE = _Limit("echo", "dB/s", 170.0, 0.0, _ECHO.advice)
_CLIPPING = _Limit(
    "clipping", "%", 0.05, 1.0,
    "The microphone was overdriven: turn its level down, or move a little away, and record again.",
)  # fmt: skip
_QUIET = _Limit(
    "loudness", "LUFS", -38.0, -50.0,
    "It is very quiet: turn the microphone's level up, or move closer.",
)  # fmt: skip
_LOUD = _Limit("loudness", "LUFS", -9.0, -3.0, "It is very loud: turn the microphone's level down.")
_BANDWIDTH = _Limit(
    "bandwidth", "Hz", 5_500.0, 2_800.0,
    "It sounds like a telephone: record with a microphone at 24000 Hz or more, not through a call.",
)  # fmt: skip
_LENGTH = _Limit(
    "length", "s of speech", 20.0, 6.0,
    "There is little speech: read aloud for a minute; half a minute of speech serves well.",
)  # fmt: skip
_SECOND_VOICE = _Limit(
    "second voice", "apart", 0.9, 1.2,
    "There seems to be another voice: give recordings in which nobody else speaks.",
)  # fmt: skip


def check_recording(sound: Sound) -> tuple[Check, ...]:
    """What can be said of one recording: noise, echo, clipping, loudness, bandwidth. Takes part of a second."""
    analysed = sound.at(ANALYSIS_HZ).samples
    heard = activity(analysed)
    snr_db = quality.snr_db(heard)
    checks = [_NOISE.check(snr_db)] if heard.active.any() else []
    decay = quality.decay_db_per_s(analysed)
    if decay is not None:
        checks.append((_ECHO if snr_db >= _TOO_NOISY_FOR_ECHO_DB else _ECHO_IN_NOISE).check(decay))
    checks.append(_CLIPPING.check(quality.clipped_percent(sound.samples)))
    lufs = quality.loudness_lufs(sound)
    checks.append((_QUIET if lufs < _LOUD.warn else _LOUD).check(lufs))
    checks.append(_BANDWIDTH.check(quality.bandwidth_hz(sound)))
    return tuple(checks)


def check_together(sounds: Sequence[Sound]) -> tuple[Check, ...]:
    """What can be said of all recordings together: enough speech, and a second voice."""
    pieces = [sound.at(ANALYSIS_HZ).samples for sound in sounds]
    checks = [_LENGTH.check(sum(activity(piece).speech_s for piece in pieces))]
    each = int(_LOOKED_AT_S * ANALYSIS_HZ / max(len(pieces), 1))
    apart = two_voices(np.concatenate([piece[:each] for piece in pieces])) if pieces else None
    if apart is not None:
        checks.append(_SECOND_VOICE.check(apart))
    return tuple(checks)


def worst(checks: Sequence[Check]) -> Verdict:
    """The worst verdict among them."""
    found = {check.verdict for check in checks}
    return "bad" if "bad" in found else "warn" if "warn" in found else "ok"
