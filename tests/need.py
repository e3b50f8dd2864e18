"""What a test needs of the machine."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest


def need(*tools: str) -> str:
    """The path of the first of `tools` that is installed.

    Without any the test is skipped; under `CI=true` it fails, because a suite that skips what it should show says
    nothing.
    """
    for tool in tools:
        path = shutil.which(tool)
        if path is not None:
            return path
    missing = f"needs {' or '.join(tools)} on the PATH"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def need_module(name: str) -> None:
    """For a whole file of tests: whether a library is installed, without importing it; else as `need`."""
    if find_spec(name) is not None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs the library {name}")
    pytest.skip(f"needs the library {name}", allow_module_level=True)
