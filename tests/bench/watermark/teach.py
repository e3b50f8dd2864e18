"""Teaches the network that listens for the mark, and writes `compliance/watermark/ear.npz`.

    python -m tests.bench.watermark.material material.npz
    .venv-voices/bin/python -m tests.bench.watermark.teach material.npz [SECONDS]

It needs torch. The network is taught to make the correlation with the right pattern large in every 3 s, those that
are hard first, whatever the key: keys are drawn anew for every voice, so there is no pattern it could learn.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from compliance.watermark import ear
from compliance.watermark.embedder import FADE_MS
from compliance.watermark.layout import PERIOD_SLOTS, slot_samples

KERNELS = ((9, 5), (5, 3), (5, 3))
MAPS = 14
FRAMES = 378
BATCH = 24
RATE = 3e-3
ENOUGH = 9.0
"""Beyond this z a stretch is found anyway, and the others matter more."""


@dataclass(frozen=True, slots=True)
class Material:
    """Marked speech after something happened to it, in step with its pattern."""

    sound: NDArray[np.float32]
    signs: NDArray[np.int8]
    start: int
    """The position of its first sample in the stream."""


def read(file: Path) -> list[Material]:
    """What `material` wrote."""
    with np.load(file, allow_pickle=False) as parts:
        return [
            Material((parts[f"sound{n}"] / 32_768).astype(np.float32), parts[f"signs{n}"], int(parts[f"start{n}"]))
            for n in range(len(parts.files) // 3)
        ]


def lesson(material: list[Material], random: np.random.Generator) -> tuple[Any, Any, Any]:
    """Stretches of 3 s: what the network is given, the signs, and which slot of the stretch a frame is in."""
    maps: list[NDArray[np.float32]] = []
    signs: list[NDArray[np.float32]] = []
    slots: list[NDArray[np.int64]] = []
    samples = ear.WINDOW + ear.HOP * (FRAMES - 1)
    while len(maps) < BATCH:
        piece = material[random.integers(len(material))]
        first = int(random.integers(0, len(piece.sound) - samples))
        sound = piece.sound[first : first + samples]
        if not sound.any():
            continue
        maps.append(ear.maps(ear.spectra(sound, 0, FRAMES), 1.0).transpose(2, 0, 1))
        # A slot is heard from the middle of its fade to the middle of the next one's.
        middles = piece.start + first + np.arange(FRAMES) * ear.HOP + ear.WINDOW // 2
        slot = (middles - ear.RATE_HZ * FADE_MS // 2000) // slot_samples(ear.RATE_HZ)
        signs.append(piece.signs[slot % PERIOD_SLOTS].astype(np.float32))
        slots.append(slot - slot[0])
    return torch.tensor(np.array(maps)), torch.tensor(np.array(signs)), torch.tensor(np.array(slots))


def answered(maps: Any, layers: list[tuple[Any, Any]]) -> Any:
    """The network, as `ear` runs it."""
    sounds = (maps[:, 1].amax(2, keepdim=True) > ear.QUIET).float()
    for number, (weights, biases) in enumerate(layers):
        maps = functional.conv2d(maps, weights, biases, padding=(weights.shape[2] // 2, weights.shape[3] // 2))
        if number < len(layers) - 1:
            maps = functional.relu(maps)
    return maps[:, 0] * sounds


def scores(evidence: Any, signs: Any, slots: Any) -> Any:
    """The z of every stretch, as `search` computes it."""
    belongs = functional.one_hot(slots.long(), int(slots.max()) + 1).float()
    told = torch.einsum("nfb,nfs->nsb", evidence, belongs)
    right = torch.sign(torch.einsum("nfb,nfs->nsb", signs, belongs))
    return (told * right).sum((1, 2)) / torch.sqrt((told**2).sum((1, 2)) + 1e-9)


def taught(material: list[Material], seconds: float) -> list[tuple[Any, Any]]:
    """The layers after so many seconds of one core."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    random = np.random.default_rng(1)
    sizes = (3 + ear.QUARTERS, *[MAPS] * (len(KERNELS) - 1), 1)
    layers = []
    for entering, leaving, kernel in zip(sizes, sizes[1:], KERNELS, strict=False):
        layer = torch.nn.Conv2d(entering, leaving, kernel)
        layers.append((layer.weight, layer.bias))
    weights = [one for layer in layers for one in layer]
    optimiser = torch.optim.Adam(weights, RATE)
    recent: list[float] = []
    began, step = time.process_time(), 0
    while (spent := (time.process_time() - began) / seconds) < 1:
        optimiser.param_groups[0]["lr"] = RATE * max(0.01, 1 - spent)
        maps, signs, slots = lesson(material, random)
        z = scores(answered(maps, layers), signs, slots)
        loss = functional.softplus((ENOUGH - z) / 1.5).mean() - 0.05 * z.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        recent = [*recent[-99:], float(z.detach().mean())]
        if step % 100 == 0:
            sys.stdout.write(f"step {step}: z of 3 s {np.mean(recent):.2f}\n")
            sys.stdout.flush()
    return layers


def write(layers: list[tuple[Any, Any]], file: Path) -> None:
    """As `ear` reads it."""
    named = {}
    for number, (weights, biases) in enumerate(layers):
        named[f"w{number}"] = weights.detach().numpy()
        named[f"b{number}"] = biases.detach().numpy()
    np.savez(file, **named)


if __name__ == "__main__":
    write(taught(read(Path(sys.argv[1])), float(sys.argv[2]) if len(sys.argv) > 2 else 600.0), ear.WEIGHTS)
