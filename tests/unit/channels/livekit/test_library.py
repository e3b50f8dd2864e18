from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from channels.livekit import library
from compliance.errors import EngineMissing


async def test_without_the_extra_one_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(EngineMissing, match=r"rooms: pip install .*\[livekit\]"):
        await library.load()


def test_the_channel_is_imported_without_the_sdk() -> None:
    code = "import sys, channels.livekit.session; sys.exit('livekit.rtc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
