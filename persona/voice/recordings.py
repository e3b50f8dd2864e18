"""The owner's recordings, read and looked at: checks of each and of all, and the clips they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.voice.activity import ANALYSIS_HZ
from persona.voice.checks import Check, check_recording, check_together
from persona.voice.sound import Sound, UnfitSound, read
from persona.voice.splitting import split

MOST_FILES = 500
MOST_S = 3_600
_LOOKED_AT_S = 300


@dataclass(frozen=True, slots=True)
class Recording:
    """One of them."""

    path: Path
    seconds: float
    checks: tuple[Check, ...]
    clips: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class Recordings:
    """All of them."""

    each: tuple[Recording, ...]
    together: tuple[Check, ...]

    @property
    def bad(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        checks = [*(check for recording in self.each for check in recording.checks), *self.together]
        return tuple(dict.fromkeys(check.name for check in checks if check.verdict == "bad"))

    @property
    def clips(self) -> tuple[Sound, ...]:
        return tuple(clip for recording in self.each for clip in recording.clips)


def examine(sounds: Sequence[tuple[Path, Sound | None]]) -> Recordings:
    """Look at files, or at sounds that are there already. Blocks, for about a second per minute of sound.

    Raises `UnfitSound` for what cannot be used at all.
    """
    if not sounds:
        raise UnfitSound("give recordings of the owner's voice, or --record")
    if len(sounds) > MOST_FILES:
        raise UnfitSound(f"these are more than {MOST_FILES} files; join them, or give the best")
    each, pieces, total_s = [], [], 0.0
    for path, given in sounds:
        # One at a time: only its clips and what is compared stay in memory.
        sound = read(path) if given is None else given
        total_s += sound.seconds
        if total_s > MOST_S:
            raise UnfitSound(f"{path}: together longer than {MOST_S // 60} minutes; give the best recordings")
        each.append(Recording(path, sound.seconds, check_recording(sound), split(sound)))
        most = _LOOKED_AT_S * sound.rate_hz
        pieces.append(Sound(sound.samples[:most], sound.rate_hz).at(ANALYSIS_HZ))
    if not any(recording.clips for recording in each):
        raise UnfitSound("nobody speaks in these recordings for long enough; read aloud for a minute")
    return Recordings(tuple(each), check_together(pieces))
