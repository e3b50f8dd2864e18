"""A recording as clips to learn from: silence trimmed, one loudness, cut at pauses into 3 to 12 s. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from persona.voice.activity import ANALYSIS_HZ, HOP_S, Activity, activity
from persona.voice.quality import loudness_lufs
from persona.voice.sound import Samples, Sound, joined

CLIP_HZ = 24_000
SHORTEST_S, LONGEST_S = 3.0, 12.0
REFERENCE_S = 60.0
LOUDNESS_LUFS = -23.0
_PEAK = 10 ** (-1 / 20)
_FULL_S = 8.0
"""From here on a clip ends at the next pause."""
_PAUSE_S = 0.3
_MARGIN_S = 0.2
"""Kept around a phrase: breath, and the soft end of a word. Longer pauses become twice this."""
_FADE_S = 0.005

Span = tuple[float, float]


def normalised(sound: Sound) -> Sound:
    """At `LOUDNESS_LUFS`, or as near to it as its peaks allow without clipping."""
    peak = float(np.abs(sound.samples).max(initial=0.0))
    if peak == 0.0:
        return sound
    gain = min(10 ** ((LOUDNESS_LUFS - loudness_lufs(sound)) / 20), _PEAK / peak)
    return Sound((sound.samples * gain).astype(np.float32), sound.rate_hz)


def split(sound: Sound) -> tuple[Sound, ...]:
    """Clips at `CLIP_HZ`, in order; none when there is no phrase that is long enough."""
    spans = phrases(sound, LONGEST_S)
    clean = normalised(sound.at(CLIP_HZ))
    return tuple(_clip(clean, group) for group in grouped(spans))


def phrases(sound: Sound, longest_s: float) -> list[Span]:
    """What is said between pauses, from and to in seconds, each at most so long."""
    analysed = sound.at(ANALYSIS_HZ)
    heard = activity(analysed.samples)
    spans = _phrases(heard, analysed.seconds)
    return [part for span in spans for part in _short_enough(span, heard, longest_s)]


def reference(clips: Sequence[Sound]) -> Sound:
    """The first of the clips in one piece, at most `REFERENCE_S`; what voices are shaped and cloned by."""
    chosen: list[Sound] = []
    for clip in clips:
        if chosen and sum(each.seconds for each in chosen) + clip.seconds > REFERENCE_S:
            break
        chosen.append(clip)
    return joined(chosen, CLIP_HZ)


def grouped(spans: Sequence[Span]) -> list[list[Span]]:
    """Phrases, in order, put together to clips of an allowed length; a rest that is too short is dropped."""
    groups: list[list[Span]] = []
    for span in spans:
        last = groups[-1] if groups else []
        if last and _length(last) < _FULL_S and _length([*last, span]) <= LONGEST_S:
            last.append(span)
        else:
            groups.append([span])
    # A short rest belongs to the clip before it, if there is room.
    if len(groups) > 1 and _length(groups[-1]) < SHORTEST_S and _length([*groups[-2], *groups[-1]]) <= LONGEST_S:
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    return [group for group in groups if _length(group) >= SHORTEST_S]


def _length(spans: Sequence[Span]) -> float:
    return sum(after - first for first, after in spans)


def _phrases(heard: Activity, seconds: float) -> list[Span]:
    """What is said between pauses, with a margin that reaches at most into the middle of the pause."""
    joined_up: list[Span] = []
    for begin, end in heard.stretches():
        if joined_up and begin * HOP_S - joined_up[-1][1] < _PAUSE_S:
            joined_up[-1] = (joined_up[-1][0], end * HOP_S)
        else:
            joined_up.append((begin * HOP_S, end * HOP_S))
    phrases = []
    for index, (first, after) in enumerate(joined_up):
        before = joined_up[index - 1][1] if index else -first
        behind = joined_up[index + 1][0] if index + 1 < len(joined_up) else seconds * 2 - after
        start = max(0.0, first - _MARGIN_S, (before + first) / 2)
        phrases.append((start, min(seconds, after + _MARGIN_S, (after + behind) / 2)))
    return phrases


def _short_enough(span: Span, heard: Activity, longest_s: float) -> list[Span]:
    """The span, or its parts where somebody spoke without a pause: cut where it is quietest."""
    first, after = span
    if after - first <= longest_s:
        return [span]
    least_s = longest_s / 4
    begin, end = int((first + least_s) / HOP_S), int(min(after - least_s, first + longest_s) / HOP_S)
    cut = (begin + int(np.argmin(heard.level_db[begin:end]))) * HOP_S
    return [(first, cut), *_short_enough((cut, after), heard, longest_s)]


def _clip(sound: Sound, spans: Sequence[Span]) -> Sound:
    parts = [_faded(sound.samples[int(a * CLIP_HZ) : int(b * CLIP_HZ)]) for a, b in spans]
    return Sound(np.concatenate(parts), CLIP_HZ)


def _faded(samples: Samples) -> Samples:
    """Without a click at its ends."""
    size = min(int(_FADE_S * CLIP_HZ), len(samples) // 2)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    faded = samples.copy()
    faded[:size] *= ramp
    faded[len(faded) - size :] *= ramp[::-1]
    return faded
