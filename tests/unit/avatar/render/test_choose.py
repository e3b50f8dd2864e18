"""Which device draws: what is set, or what is faster, and never a failure."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from avatar.controls import Controls
from avatar.picture import Picture
from avatar.puppet import Puppet
from avatar.render import choose as choosing
from avatar.render.choose import choose
from avatar.render.cpu import CpuPuppet
from avatar.render.swift import SwiftPuppet
from avatar.rig import Rig
from tests.unit.avatar.puppets import checker_head


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time on a machine, the kernels have to be compiled."""
    monkeypatch.setattr(choosing, "_PATIENCE_S", 60.0)


@pytest.fixture
def face() -> Puppet:
    return checker_head(64, 64)


class _Other(CpuPuppet):
    """Stands for a face on a card."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, face: Puppet) -> dict[str, float]:
    """A machine with a card that takes so many milliseconds a frame."""
    takes_ms = {"cuda": 1.0, "cpu": 2.0}
    other = _Other(face)
    monkeypatch.setattr(choosing, "_cuda", lambda puppet: (other, ""))
    monkeypatch.setattr(choosing, "measured_ms", lambda rig: takes_ms["cuda" if rig is other else "cpu"])
    return takes_ms


def test_the_faster_device_draws(card: dict[str, float], face: Puppet) -> None:
    assert choose(face).device == "cuda"
    card["cuda"] = 5.0
    chosen = choose(face)
    assert chosen.device == "cpu"
    assert chosen.why == "cpu is faster: 2.0 ms a frame, 5.0 ms on cuda"


def test_what_is_set_draws_even_if_it_is_slower(card: dict[str, float], face: Puppet) -> None:
    card["cuda"] = 5.0
    assert choose(face, "cuda").device == "cuda"
    card["cuda"] = 0.1
    assert choose(face, "cpu").device == "cpu"


def test_without_torch_the_cpu_draws_and_says_why(monkeypatch: pytest.MonkeyPatch, face: Puppet) -> None:
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    for device, why in (("auto", "cpu: torch is not installed"), ("cuda", "cpu: cuda is set, but torch is not")):
        chosen = choose(face, device)  # type: ignore[arg-type]
        assert chosen.device == "cpu"
        assert chosen.why.startswith(why)


@pytest.mark.parametrize("broken", [RuntimeError("driver too old"), OSError("libcudart"), ImportError("torch")])
def test_a_broken_cuda_is_no_failure(broken: Exception, monkeypatch: pytest.MonkeyPatch, face: Puppet) -> None:
    def fails() -> bool:
        raise broken

    monkeypatch.setattr(choosing, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=fails)))
    chosen = choose(face)
    assert chosen.device == "cpu"
    assert type(broken).__name__ in chosen.why


def test_a_device_that_there_is_not_is_refused(face: Puppet) -> None:
    with pytest.raises(ValueError, match="auto, cpu, cuda"):
        choose(face, "gpu")  # type: ignore[arg-type]


def test_it_says_that_the_kernels_are_not_there_yet(monkeypatch: pytest.MonkeyPatch, face: Puppet) -> None:
    monkeypatch.setattr(choosing, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(SwiftPuppet, "lacking", "its kernels are made ready")
    chosen = choose(face, "cpu")
    assert chosen.why.startswith("cpu as set: by OpenCV while its kernels are made ready, ")


def test_the_measurement_draws_frames_that_move() -> None:
    drawn: list[bytes] = []

    class Counted(CpuPuppet):
        def draw(self, controls: Controls, picture: Picture) -> None:
            drawn.append(controls.tobytes())

    rig: Rig = Counted(checker_head(64, 64))
    assert choosing.measured_ms(rig) >= 0
    assert len(set(drawn)) == len(drawn) > 5
