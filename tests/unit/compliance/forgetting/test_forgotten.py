"""The erasure ledger: two copies that mend each other, without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.errors import LedgerError
from compliance.forgetting.forgotten import CLOSED, ErasureLedger, Forgotten

ONE = Forgotten("e1", "a" * 64, 1_000, ("s1",), ("c1", "c2"), ("r1",), ("s1", "c1", "c2"))
TWO = Forgotten("e2", "b" * 64, 2_000, ("s2",), ("c3",), (), ("s2", "c3"))


@pytest.fixture
def ledger(tmp_path: Path) -> ErasureLedger:
    return ErasureLedger(tmp_path / "home", tmp_path / "mirror")


def test_what_was_written_is_read_again_by_anybody(ledger: ErasureLedger, tmp_path: Path) -> None:
    assert ledger.entries() == ()
    ledger.opened(ONE)
    ledger.opened(TWO)
    ledger.step("e1", CLOSED, 3_000)
    again = ErasureLedger(tmp_path / "home", tmp_path / "mirror").entries()
    assert [(entry.id, entry.closed) for entry in again] == [("e1", True), ("e2", False)]
    assert again[1] == TWO
    assert (tmp_path / "home" / "erasures.jsonl").stat().st_mode & 0o077 == 0


def test_what_came_later_adds_up(ledger: ErasureLedger) -> None:
    ledger.opened(ONE)
    ledger.more(Forgotten("e1", "", 1_500, ("s1", "s9"), ("c9",), (), ("c9",)))
    (entry,) = ledger.entries()
    assert entry.lookup == ONE.lookup
    assert entry.subject_ids == ("s1", "s9")
    assert set(entry.call_ids) == {"c1", "c2", "c9"}


@pytest.mark.parametrize("lost", ["home", "mirror"])
def test_a_lost_or_older_copy_is_mended_from_the_other(ledger: ErasureLedger, tmp_path: Path, lost: str) -> None:
    ledger.opened(ONE)
    older = (tmp_path / lost / "erasures.jsonl").read_bytes()
    ledger.opened(TWO)
    for state in (older, None):
        path = tmp_path / lost / "erasures.jsonl"
        path.unlink() if state is None else path.write_bytes(state)
        assert [entry.id for entry in ledger.entries()] == ["e1", "e2"]
        assert path.read_bytes().count(b"\n") == 2


def test_half_a_line_of_a_killed_process_is_cut_and_a_damaged_one_is_taken_from_the_copy(
    ledger: ErasureLedger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.opened(ONE)
    path = tmp_path / "home" / "erasures.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])
    ledger.opened(TWO)
    assert path.read_bytes().startswith(whole)
    assert len(ledger.entries()) == 2
    path.write_bytes(path.read_bytes().replace(b"c1", b"c7", 1))
    assert {entry.call_ids for entry in ledger.entries()} == {("c1", "c2"), ("c3",)}
    assert "damaged" in caplog.text


def test_a_mirror_that_is_away_stops_nobody_and_is_mended_later(
    ledger: ErasureLedger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mirror = tmp_path / "mirror"
    mirror.write_text("a file where the folder should be")
    ledger.opened(ONE)
    assert "mirror" in caplog.text
    mirror.unlink()
    assert len(ledger.entries()) == 1
    assert (mirror / "erasures.jsonl").read_bytes() == (tmp_path / "home" / "erasures.jsonl").read_bytes()


def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    with pytest.raises(LedgerError, match="cannot be written"):
        ErasureLedger(home, tmp_path / "mirror").opened(ONE)
