"""How many faces one GPU draws at once, and what bounds it.

`python -m tests.bench.face.gpu` prints JSON; it needs torch and a CUDA device, and says so where there is none.
"""

from __future__ import annotations

import json
import time
from importlib.util import find_spec
from typing import Any

from tests.bench.face.rows import Row

GOAL = 1_000
FPS = 25
BATCH = 256
SECONDS = 3.0
NAMES = ("Ada", "Ben", "Chen", "Dana")


def row(found: dict[str, Any]) -> Row:
    what, goal = "faces per GPU, 512x512 at 25 fps", f">= {GOAL}, and what bounds it"
    if "faces" not in found:
        return Row(what, goal, f"no GPU here ({found['lacking']})")
    measured = (
        f"{found['faces']} on {found['device']}; {found['kept']} when each is copied to memory for an encoder: "
        f"{found['bound']} bounds it"
    )
    return Row(what, goal, measured, f"batches of {BATCH}, {len(NAMES)} faces", found["faces"] >= GOAL)


def measured() -> dict[str, Any]:
    """Faces that a device draws at 25 fps, without and with the copy to the computer's own memory."""
    if find_spec("torch") is None:
        return {"lacking": "torch is not installed"}
    import torch

    if not torch.cuda.is_available():
        return {"lacking": "torch finds no CUDA device"}
    from avatar.illustrated.look import Look
    from avatar.illustrated.person import illustrated
    from avatar.render.torch import TorchPuppets
    from tests.bench.face_render import moving

    puppets = TorchPuppets([illustrated(Look.of(name), 512, 512) for name in NAMES], "cuda")
    told = moving(BATCH)
    which = [number % len(NAMES) for number in range(BATCH)]

    def drawn_per_s(*, copied: bool) -> float:
        host = torch.empty((BATCH, 768, 512), dtype=torch.uint8, pin_memory=True)
        for warm in (True, False):
            frames, began = 0, time.perf_counter()
            while time.perf_counter() - began < (0.5 if warm else SECONDS):
                drawn = puppets.draw(told, which)
                if copied:
                    host.copy_(drawn, non_blocking=True)
                torch.cuda.synchronize()
                frames += BATCH
        return frames / (time.perf_counter() - began)

    there, here = drawn_per_s(copied=False), drawn_per_s(copied=True)
    return {
        "device": torch.cuda.get_device_name(),
        "faces": int(there / FPS),
        "kept": int(here / FPS),
        "bound": "the copy" if here < 0.8 * there else "drawing",
    }


if __name__ == "__main__":
    print(json.dumps(measured()))
