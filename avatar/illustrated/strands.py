"""Hair as it is painted: a mass that is lit as one, locks in it, and strands along its flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar.illustrated.canvas import Colour, Field, Frame, Layer, Stencil, blurred, filled, mix, times
from avatar.illustrated.curve import Line, between, line, resample, shifted, smooth, stroke
from avatar.illustrated.palette import Ramp, Tones, darkness
from avatar.illustrated.relief import LIGHT

POINTS = 24
"""Points of each line that strands follow."""

_BEND = np.linspace(-1, 1, POINTS)[:, None]


@dataclass(frozen=True, slots=True)
class Mass:
    """A piece of hair that is drawn at once."""

    outline: Line
    """Closed; strands may reach a little over it."""
    flows: tuple[tuple[Line, ...], ...]
    """Groups of lines from root to tip; strands lie between neighbours of a group."""
    strands: int = 420
    """How many."""
    shine: float = 1.0
    gloss: tuple[float, float] = (0.2, 0.5)
    """Where along the strands they shine."""
    loose: float = 0.02
    """How far strands stray, in face units."""
    depth: float = 0.14
    """How round the mass looks, in face units."""
    locks: int = 6
    """How many per group of flows."""
    rough: float = 0.01
    """How soft the edge of the mass is, in face units."""
    curl: float = 0.0
    """The radius of curls, which take the place of strands along the flows."""
    wisps: int = 0
    """Strands that reach over the ends of the flows."""
    darker: float = 0.0
    """Taken from its light: for what lies in shadow."""


def hair_ramp(base: Colour) -> Ramp:
    dark = darkness(base)
    deep = times(base, (0.36, 0.33, 0.36))
    shadow = times(base, (0.66, 0.63, 0.64))
    light = mix(base, (1.0, 0.86, 0.70), 0.17 + 0.05 * dark)
    high = mix(base, (1.0, 0.92, 0.82), 0.38 - 0.06 * dark)
    return [0.05, 0.3, 0.55, 0.8, 1.05], [deep, shadow, base, light, high]


def flow(*points: tuple[float, float]) -> Line:
    return resample(smooth(line(*points)), POINTS)


def paint(layer: Layer, mass: Mass, base: Colour, seed: int) -> None:
    frame = layer.frame
    chance = np.random.default_rng(seed)
    body = filled(frame, mass.outline)
    inside = body.whole()
    light = _light(inside, mass, frame)
    ramp = hair_ramp(base)
    layer.paint(body.soft(mass.rough * 0.6), Tones(light, ramp))
    # Strands lie within the mass and a little over its edge, where the edge would else be cut with scissors.
    room = np.clip(blurred(inside, 0.03 * frame.unit_px) * 3, 0, 1)
    if mass.curl:
        _curls(layer, mass, light, ramp, chance)
        return
    _partings(layer, mass, light, ramp, inside, chance)
    lines = [_strand(mass, chance, mass.loose) for _ in range(mass.strands)]
    looks = ((-0.17, 0.5, 0.024), (0.1, 0.4, 0.02), (0.2, 0.36, 0.011), (-0.26, 0.5, 0.009))
    for i, (change, opacity, width) in enumerate(looks):
        strokes = [
            stroke(path, (0.0, width * chance.uniform(0.7, 1.2), width, 0.0)) for path in lines[i :: len(looks)]
        ]
        layer.paint(filled(frame, *strokes).within(room), Tones(light, ramp, change), opacity)
    astray = [_strand(mass, chance, mass.loose * 1.4 + 0.003) for _ in range(mass.strands // 5)]
    strokes = [stroke(path[len(path) // 3 :], (0.0, 0.007, 0.006, 0.0)) for path in astray]
    layer.paint(filled(frame, *strokes), Tones(light, ramp, 0.03), 0.4)
    if mass.wisps:
        _wisps(layer, mass, light, ramp, chance)
    _gloss(layer, mass, light, ramp, room, chance)


def _wisps(layer: Layer, mass: Mass, light: Field, ramp: Ramp, chance: np.random.Generator) -> None:
    """The ends of the hair: thin locks of unequal length that lean to one another."""
    # Outside of the mass there is no light of its own: that of the ends goes on.
    near = blurred(light, 0.1 * layer.frame.unit_px)
    groups: list[list[Line]] = [[], [], []]
    for k in range(mass.wisps):
        group = mass.flows[k % len(mass.flows)]
        path = _between(group, chance)[-6:]
        middle = np.mean([line[-1] for line in group], axis=0)
        reach = (path[-1] - path[-4]) * chance.uniform(-0.25, 0.4) + (middle - path[-1]) * chance.uniform(
            0.05, 0.3
        )
        run = np.linspace(0, 1, 6)[:, None]
        groups[k % 3].append(
            stroke(path + run**2 * (reach + chance.normal(0, 0.012, 2)), (0.0, 0.04, 0.045, 0.03, 0.0))
        )
    for hairs, change, opacity in zip(groups, (-0.14, 0.0, 0.1), (0.7, 0.7, 0.4), strict=True):
        layer.paint(filled(layer.frame, *hairs), Tones(near, ramp, change), opacity)


def _between(group: tuple[Line, ...], chance: np.random.Generator) -> Line:
    """A line at a random place among those of a group."""
    at = chance.random() * (len(group) - 1)
    low = min(int(at), max(len(group) - 2, 0))
    return between(group[low], group[min(low + 1, len(group) - 1)], at - low)


def _curls(layer: Layer, mass: Mass, light: Field, ramp: Ramp, chance: np.random.Generator) -> None:
    """Rings, back to front from top to bottom: each throws a little shadow and catches a little light."""
    low, high = mass.outline.min(axis=0), mass.outline.max(axis=0)
    grown = filled(layer.frame, mass.outline)
    inside = grown.whole()
    turn = np.linspace(0, 1, 14)
    spots = chance.uniform(low, high, (mass.strands * 2, 2))
    pixels = layer.frame.pixels(spots).astype(int)
    batches: list[tuple[list[Line], list[Line], list[Line]]] = [([], [], []) for _ in range(5)]
    for k, (spot, (column, row)) in enumerate(zip(spots, pixels, strict=True)):
        if not (0 <= row < inside.shape[0] and 0 <= column < inside.shape[1]) or inside[row, column] < 0.5:
            continue
        radius = mass.curl * chance.uniform(0.65, 1.15)
        begin, way = chance.uniform(0, 2 * np.pi), chance.choice((-1.0, 1.0))
        angle = begin + way * turn * chance.uniform(3.6, 5.4)
        shrink = radius * (1 - 0.45 * turn)
        ring = spot + np.stack((np.cos(angle) * shrink, np.sin(angle) * shrink * 1.1), axis=1)
        shadow, lock, shine = batches[k % 5]
        wide = radius * 0.62
        shadow.append(stroke(shifted(ring, radius * 0.12, radius * 0.16), (wide * 0.3, wide * 1.2, wide)))
        lock.append(stroke(ring, (wide * 0.3, wide, wide * 0.8, wide * 0.2)))
        bright = ring[(ring @ (-0.6, -0.8)) > (spot @ (-0.6, -0.8)) + radius * 0.15]
        if len(bright) > 2:
            shine.append(stroke(bright, (0.0, wide * 0.42, 0.0)))
    for shadow, lock, shine in batches:
        layer.paint(
            filled(layer.frame, *shadow).soft(mass.curl * 0.1).within(inside),
            Tones(light, ramp, -0.3),
            0.6,
        )
        layer.paint(filled(layer.frame, *lock), Tones(light, ramp, 0.02), 0.85)
        if shine:
            layer.paint(
                filled(layer.frame, *shine).soft(mass.curl * 0.04),
                Tones(light, ramp, 0.26),
                0.55 * mass.shine,
            )


def shorn(layer: Layer, area: Line, base: Colour, skin: Colour) -> None:
    """Hair of a millimetre on the skull: the skin shows through."""
    frame = layer.frame
    chance = np.random.default_rng(17)
    soft = filled(frame, area).soft(0.03).within(layer.alpha)
    layer.tint(soft, mix(times(base, 0.95), skin, 0.2), 0.72)
    inside = soft.whole()
    x, y = chance.uniform(-1.05, 1.05, 4200), chance.uniform(-1.7, 0.05, 4200)
    spots: list[list[Line]] = [[], []]
    for k, root in enumerate(np.stack((x, y), axis=1)):
        way = np.array((root[0] * 0.5, 0.6)) * 0.035
        spots[k % 2].append(stroke(np.stack((root, root + way * 0.5, root + way)), (0.004, 0.012, 0.0)))
    layer.tint(filled(frame, *spots[0]).within(inside), times(base, 0.55), 0.5)
    layer.tint(filled(frame, *spots[1]).within(inside), mix(base, (1.0, 0.9, 0.8), 0.25), 0.22)


def _light(inside: Field, mass: Mass, frame: Frame) -> Field:
    """The mass as a cushion: its edges turn away."""
    z = (
        mass.depth
        * (blurred(inside, 0.07 * frame.unit_px) + 1.4 * blurred(inside, 0.2 * frame.unit_px))
        * frame.unit_px
    )
    down, across = np.gradient(z)
    facing = (LIGHT[2] - LIGHT[0] * across - LIGHT[1] * down) / np.sqrt(1 + across**2 + down**2)
    return np.asarray(0.02 + 0.66 * facing - mass.darker, np.float32)


def _strand(mass: Mass, chance: np.random.Generator, loose: float) -> Line:
    path = _between(mass.flows[int(chance.integers(len(mass.flows)))], chance)
    start, end = sorted(chance.random(2) * 0.45 + np.array((0.0, 0.55)))
    first, last = int(start * (POINTS - 1)), max(int(end * (POINTS - 1)), int(start * (POINTS - 1)) + 5)
    bend = _BEND * chance.normal(0, loose, 2) + chance.normal(0, loose * 0.5, 2)
    return (path + bend)[first : last + 1]


def _partings(
    layer: Layer,
    mass: Mass,
    light: Field,
    ramp: Ramp,
    inside: Field,
    chance: np.random.Generator,
) -> None:
    """Locks: dark lines along the whole flow, with light on the side towards the lamp."""
    dark, bright = [], []
    for group in mass.flows:
        for k in range(mass.locks):
            at = (k + chance.uniform(0.2, 0.8)) / mass.locks * (len(group) - 1)
            low = min(int(at), max(len(group) - 2, 0))
            path = between(group[low], group[min(low + 1, len(group) - 1)], at - low)
            path = path + np.sin(np.linspace(0, chance.uniform(3, 6), POINTS) + chance.uniform(0, 6))[
                :, None
            ] * mass.loose * (0.9, 0.4)
            first, last = int(chance.uniform(0, 0.25) * POINTS), int(chance.uniform(0.75, 1) * POINTS)
            dark.append(stroke(path[first:last], (0.0, 0.03, 0.035, 0.02, 0.0)))
            bright.append(stroke(shifted(path[first:last], 0.03, -0.02), (0.0, 0.03, 0.035, 0.0)))
    layer.paint(filled(layer.frame, *bright).soft(0.012).within(inside), Tones(light, ramp, 0.16), 0.4)
    layer.paint(filled(layer.frame, *dark).soft(0.007).within(inside), Tones(light, ramp, -0.3), 0.5)


def _gloss(
    layer: Layer,
    mass: Mass,
    light: Field,
    ramp: Ramp,
    room: Field,
    chance: np.random.Generator,
) -> None:
    """Short bright strokes side by side where the flow bends towards the lamp."""
    strokes: list[Line] = []
    fine: list[Line] = []
    low, high = mass.gloss
    for group in mass.flows:
        if len(group) < 2:
            continue
        for k in range(int(mass.strands * 0.32 / len(mass.flows))):
            at = chance.random() * (len(group) - 1)
            one = min(int(at), len(group) - 2)
            path = between(group[one], group[one + 1], at - one)
            middle = (low + high) / 2 + chance.normal(0, 0.035)
            reach = (high - low) / 2 * chance.uniform(0.4, 1.0)
            first = int(np.clip(middle - reach, 0, 0.94) * (POINTS - 1))
            last = max(int(np.clip(middle + reach, 0, 1) * (POINTS - 1)), first + 3)
            (strokes if k % 3 else fine).append(stroke(path[first : last + 1], (0.0, 0.017, 0.0)))
    if strokes:
        stencil: Stencil = filled(layer.frame, *strokes).soft(0.004).within(room)
        layer.paint(stencil, Tones(light, ramp, 0.24), 0.36 * mass.shine)
        layer.paint(filled(layer.frame, *fine).within(room), Tones(light, ramp, 0.42), 0.34 * mass.shine)
