"""Other people's watermarks, on the same clips through the same conditions, where they can run here.

- Perth: an interpreter that has `resemble-perth` and torch (`WATERMARK_PERTH`, else the one of `make voices`).
- audiowmark: the program, on the PATH. It is GPL, and runs as a process.
- AudioSeal: its weights are in no package, so there is nothing to run without them.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.bench.watermark.corpus import Floats, Samples, floats, to_int16
from tests.bench.watermark.marks import Mark, Told
from tests.voices import ROOT

PERTH = "WATERMARK_PERTH"
PERTH_FROM = 0.5
"""Perth's own verdict rounds its score."""
_LIMIT_S = 120.0


class Perth:
    """It says yes or no, has no key and carries no token."""

    name = "Perth"

    def put(self, samples: Samples, rate_hz: int, seed: int) -> Samples:
        with _Kept(floats(samples)) as path:
            _perth({"op": "put", "rate_hz": rate_hz, "path": path})
            return to_int16(np.load(path)[: len(samples)])

    def ask(self, heard: Floats, rate_hz: int, seed: int) -> Told:
        with _Kept(heard) as path:
            score = _perth({"op": "ask", "rate_hz": rate_hz, "path": path})["score"]
        return Told(found=score >= PERTH_FROM)


class Audiowmark:
    """Its 128 bits count as found when all are right."""

    name = "audiowmark"

    def put(self, samples: Samples, rate_hz: int, seed: int) -> Samples:
        with tempfile.TemporaryDirectory() as name:
            plain, marked = Path(name, "plain.wav"), Path(name, "marked.wav")
            soundfile.write(plain, samples, rate_hz)
            _audiowmark("add", str(plain), str(marked), _bits(seed))
            sound: Samples = soundfile.read(marked, dtype="int16")[0]
        return sound

    def ask(self, heard: Floats, rate_hz: int, seed: int) -> Told:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name, "heard.wav")
            soundfile.write(path, heard, rate_hz)
            return Told(found=_bits(seed) in _audiowmark("get", str(path)))


def at_hand() -> tuple[list[Mark], dict[str, str]]:
    """Those that run here, and of the others why they do not."""
    marks: list[Mark] = []
    why = {"AudioSeal": "its weights are not in its package"}
    if shutil.which("audiowmark"):
        marks.append(Audiowmark())
    else:
        why["audiowmark"] = "it is not on the PATH"
    if _perth_python():
        marks.append(Perth())
    else:
        why["Perth"] = f"no interpreter here imports perth and torch (name one with {PERTH})"
    return marks, why


class _Kept:
    """A float32 sound in a file, while it is needed."""

    def __init__(self, sound: Floats) -> None:
        self._sound = sound

    def __enter__(self) -> str:
        handle, self._path = tempfile.mkstemp(suffix=".npy")
        os.close(handle)
        np.save(self._path, self._sound)
        return self._path

    def __exit__(self, *_: object) -> None:
        Path(self._path).unlink()


@cache
def _perth_python() -> str | None:
    python = os.environ.get(PERTH) or str(ROOT / ".venv-voices/bin/python")
    if not Path(python).exists():
        return None
    code = "import perth, torch; assert perth.PerthImplicitWatermarker is not None"
    imported = subprocess.run([python, "-c", code], capture_output=True, timeout=_LIMIT_S, check=False)
    return python if imported.returncode == 0 else None


def _perth(asked: dict[str, Any]) -> dict[str, Any]:
    child = _perth_child()
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(asked) + "\n")
    child.stdin.flush()
    answer: dict[str, Any] = json.loads(child.stdout.readline())
    return answer


@cache
def _perth_child() -> subprocess.Popen[str]:
    """One for each process of the benchmark: loading it takes seconds."""
    python = _perth_python()
    assert python is not None
    child = subprocess.Popen(
        [python, str(Path(__file__).with_name("perth_child.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    atexit.register(child.kill)
    assert child.stdout is not None
    if child.stdout.readline().strip() != "ready":
        raise RuntimeError("Perth did not start")
    return child


def _bits(seed: int) -> str:
    return hashlib.sha256(f"audiowmark {seed}".encode()).hexdigest()[:32]


def _audiowmark(*arguments: str) -> str:
    run = subprocess.run(["audiowmark", *arguments], capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    return run.stdout
