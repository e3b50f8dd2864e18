"""Whether a recording holds a second voice: it is split in two as well as can be, and these are compared. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from persona.voice.activity import HOP_S
from persona.voice.features import Matrix
from persona.voice.sound import Samples
from persona.voice.timbre import Frames, distance, frames_in, octaves, timbre

_BLOCK_S = 1.0
_LEAST_S = 3.0
"""Of a second voice; less is not told from a cough or a laugh."""
_LEAST_BLOCKS = 8
_OCTAVE = 0.12
"""How far one voice's pitch strays from block to block, in octaves."""
_PITCH_WEIGHT = 1.5
_AXES = 3
_ROUNDS = 20


def two_voices(samples: Samples) -> float | None:
    """How far the two most different parts of the sound (at `ANALYSIS_HZ`) are apart, as `timbre.distance`.

    None when there is too little speech to say.
    """
    frames = frames_in(samples)
    size = int(_BLOCK_S / HOP_S)
    count = len(frames.cepstra) // size
    if count < _LEAST_BLOCKS:
        return None
    points = _points(frames, count, size)
    found = [_between(frames, size, labels) for labels in _splits(points)]
    known = [apart for apart in found if apart is not None]
    return max(known, default=None)


def _points(frames: Frames, count: int, size: int) -> Matrix:
    """Each block as a point, in units of what one voice varies by."""
    cepstra = frames.cepstra[: count * size].reshape(count, size, -1)
    means = cepstra.mean(axis=1)
    within = np.cov((cepstra - means[:, None]).reshape(count * size, -1).T) / (size / 10)
    white = np.linalg.solve(np.linalg.cholesky(within + np.eye(len(within)) * 1e-6), means.T).T
    blocks = frames.pitches_hz[: count * size].reshape(count, size)
    pitch = np.array([_octaves(block) for block in blocks])
    middle = np.nanmedian(pitch) if not np.isnan(pitch).all() else 0.0
    pitch = np.where(np.isnan(pitch), middle, pitch)
    points = np.concatenate([white, pitch[:, None] / _OCTAVE * _PITCH_WEIGHT], axis=1)
    return np.asarray(points - points.mean(axis=0))


def _octaves(pitches: Matrix) -> float:
    found = octaves(pitches) if (pitches > 0).sum() > len(pitches) / 10 else None
    return float("nan") if found is None else found


def _splits(points: Matrix) -> Iterator[np.ndarray]:
    """In two by k-means, begun along each of the main axes: its result depends on where it begins."""
    axes = np.linalg.svd(points, full_matrices=False)[0]
    for axis in range(min(_AXES, axes.shape[1])):
        labels = axes[:, axis] > np.median(axes[:, axis])
        for _ in range(_ROUNDS):
            centres = np.array([points[~labels].mean(axis=0), points[labels].mean(axis=0)])
            apart = np.square(points[:, None] - centres[None]).sum(axis=2)
            better = apart[:, 1] < apart[:, 0]
            if better.all() or not better.any() or (better == labels).all():
                break
            labels = better
        yield labels


def _between(frames: Frames, size: int, labels: np.ndarray) -> float | None:
    fewest = min(int(labels.sum()), int((~labels).sum()))
    if fewest * size * HOP_S < _LEAST_S:
        return None
    by_frame = np.repeat(labels, size)
    whole = frames[: len(by_frame)]
    one, other = timbre(whole[by_frame]), timbre(whole[~by_frame])
    return None if one is None or other is None else distance(one, other)
