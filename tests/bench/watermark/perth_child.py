"""Perth (resemble-perth 1.0.1) for the benchmark; runs in an interpreter that has it and torch, not in ours.

Reads lines of JSON from standard input, each {"op": "put" or "ask", "rate_hz", "path"} with a float32 .npy file,
and answers each with a line: {"path"} of the marked sound, or {"score"} between 0 and 1.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

import numpy as np


def main() -> None:
    import torch

    perth: Any = import_module("perth")
    torch.set_num_threads(1)
    if perth.PerthImplicitWatermarker is None:
        raise SystemExit("resemble-perth turned itself off: torchaudio or pkg_resources is missing")
    # What the library prints may not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    mark: Any = perth.PerthImplicitWatermarker()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        sound = np.load(asked["path"])
        if asked["op"] == "put":
            np.save(asked["path"], mark.apply_watermark(sound, sample_rate=asked["rate_hz"]).astype(np.float32))
            answer: dict[str, object] = {"path": asked["path"]}
        else:
            # Rounded it is Perth's own verdict, at 0.5.
            score = mark.get_watermark(sound, sample_rate=asked["rate_hz"], round=False)
            answer = {"score": float(np.mean(score))}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
