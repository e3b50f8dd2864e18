"""Recording: what the driver gives is kept up to a limit; what is missing is one line."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from compliance.errors import EngineMissing
from persona.voice.microphone import RATE_HZ, Recording


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    # The import system's own way to say that a module is not there.
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(EngineMissing, match="microphone"), Recording():
        pass


def test_without_the_systems_portaudio() -> None:
    try:
        import_module("sounddevice")
    except OSError:
        with pytest.raises(EngineMissing, match="PortAudio"), Recording():
            pass
    except ImportError:
        pytest.skip("sounddevice is not installed")
    else:
        pytest.skip("PortAudio is installed")


def given(recording: Recording, samples: np.ndarray) -> None:
    """As PortAudio calls it: a block whose memory it uses again."""
    take: Any = recording._take
    block = samples[:, None].astype(np.float32)
    take(block, len(block), None, None)
    block[:] = 9.0


def test_blocks_are_kept_in_order() -> None:
    recording = Recording()
    assert recording.sound().seconds == 0.0
    given(recording, np.full(480, 0.1))
    given(recording, np.full(480, 0.2))
    sound = recording.sound()
    assert sound.rate_hz == RATE_HZ
    assert sound.samples == pytest.approx(np.repeat([0.1, 0.2], 480))


def test_a_forgotten_recording_ends_by_itself() -> None:
    recording = Recording(longest_s=1)
    for _ in range(150):
        given(recording, np.zeros(480))
    assert recording.sound().seconds == 1.0
    with pytest.raises(ValueError, match="at most"):
        Recording(longest_s=100_000)
