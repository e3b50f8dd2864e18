"""Several recordings together: what is bad of each and of all, and how much is too much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from persona.voice import recordings as module
from persona.voice.recordings import examine
from persona.voice.sound import Sound, UnfitSound
from tests.unit.persona.voice.voices import RATE_HZ, another, overdriven, owner, part


def test_each_is_checked_and_all_together(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(owner().wav())
    found = examine([(file, None), (Path("microphone"), overdriven(owner(), share=0.05))])
    assert [recording.path.name for recording in found.each] == ["a.wav", "microphone"]
    assert found.bad == ("clipping",)
    assert len(found.clips) == sum(len(recording.clips) for recording in found.each) > 4
    assert {check.name for check in found.together} == {"length", "second voice"}


def test_another_person_in_another_file() -> None:
    assert "second voice" in examine([(Path("a"), owner()), (Path("b"), another())]).bad


def test_nothing_too_much_or_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnfitSound, match="--record"):
        examine([])
    with pytest.raises(UnfitSound, match="500 files"):
        examine([(Path("a"), owner())] * 501)
    monkeypatch.setattr(module, "MOST_S", 60)
    with pytest.raises(UnfitSound, match="together longer than 1 minutes"):
        examine([(Path("a"), owner())] * 3)
    noise = np.random.default_rng(1).standard_normal(RATE_HZ * 10).astype(np.float32) * 0.05
    for nobody in (Sound(noise, RATE_HZ), part(owner(), 0, 1.2)):
        with pytest.raises(UnfitSound, match="nobody speaks"):
            examine([(Path("a"), nobody)])
