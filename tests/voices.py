"""The interpreter that has torch, coqui-tts and pocket-tts, for the tests that run the real models' code."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = "TWIN_VOICES_PYTHON"
_LIMIT_S = 240


def need_voices() -> str:
    """The path of an interpreter with `TTS`: the one that is named, this one, or the one `make voices` made.

    Without any the test is skipped; under `CI=true` it fails.
    """
    named = os.environ.get(PYTHON) or (
        sys.executable if find_spec("TTS") else str(ROOT / ".venv-voices/bin/python")
    )
    if Path(named).exists():
        return named
    missing = f"needs the voices' libraries: make voices, or {PYTHON}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def in_voices(module: str, *arguments: str) -> str:
    """What a module of ours prints when that interpreter runs it."""
    run = subprocess.run(
        [need_voices(), "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout
