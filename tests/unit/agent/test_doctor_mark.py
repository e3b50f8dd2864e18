"""`twin doctor` about the watermark: it is marked, what that costs, and with which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import doctor_mark
from agent.home import Home
from agent.marking import rotate
from compliance.errors import WatermarkError
from compliance.vault import Vault
from compliance.watermark.keys import KEY_FILE, MarkKeys
from compliance.watermark.stage import Make
from tests.unit.agent.test_doctor import patient


async def started(home: Path) -> None:
    """The keys as the first start leaves them."""
    async with Vault(home) as vault:
        MarkKeys.open(home, vault.master)


async def test_before_the_first_start_it_says_that_the_key_will_be_made(tmp_path: Path) -> None:
    found = await doctor_mark.watermark(patient(tmp_path))
    assert (found.name, found.verdict) == ("watermark", "ok")
    assert "of a core" in found.detail
    assert "made at the first start" in found.detail
    assert not (tmp_path / KEY_FILE).exists()


async def test_it_says_which_key_marks(tmp_path: Path) -> None:
    await started(tmp_path)
    assert await rotate(Home(tmp_path, demo=True)) == 2
    found = await doctor_mark.watermark(patient(tmp_path))
    assert found.verdict == "ok"
    assert "key 2 marks" in found.detail


async def test_a_key_that_does_not_open_fails_and_says_what_to_restore(tmp_path: Path) -> None:
    await started(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(b"not a key")
    found = await doctor_mark.watermark(patient(tmp_path))
    assert found.verdict == "fail"
    assert str(tmp_path / KEY_FILE) in found.mend


async def test_without_a_mark_nothing_is_said_and_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(make: Make, rate_hz: int) -> float:
        raise WatermarkError("The watermark cannot be made (ImportError).")

    monkeypatch.setattr(doctor_mark, "check", broken)
    found = await doctor_mark.watermark(patient(tmp_path))
    assert found.verdict == "fail"
    assert "Nothing is said without it" in found.detail


async def test_a_machine_that_is_too_slow_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await started(tmp_path)
    monkeypatch.setattr(doctor_mark, "check", lambda make, rate_hz: 0.2)
    found = await doctor_mark.watermark(patient(tmp_path))
    assert found.verdict == "warn"
    assert "20.0% of a core" in found.detail
