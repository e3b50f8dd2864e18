"""A restored backup is a roll-back until somebody says that it is meant; then it goes on, and says so for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compliance.errors import LedgerError
from compliance.ledger import RESTORED
from compliance.proofs.restore import accept_restored
from compliance.proofs.signing import Signer
from tests.unit.compliance.ledger_helpers import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "home")
    made.fill(3)
    return made


def restore_older(site: Site, tmp_path: Path) -> None:
    """The ledger's folder comes back from a backup; the mirror is on another disk, and is not."""
    shutil.copytree(site.folder, tmp_path / "backup")
    site.fill(2)
    shutil.rmtree(site.folder)
    shutil.copytree(tmp_path / "backup", site.folder)


def test_a_restored_ledger_goes_on_after_it_was_accepted(site: Site, tmp_path: Path) -> None:
    restore_older(site, tmp_path)
    with pytest.raises(LedgerError, match="rolled back"):
        site.ledger().open()
    copy = site.copy.read_bytes()
    lost = accept_restored(site.folder, site.signer, mirror=site.mirror)
    assert lost is not None
    assert lost.size == 21
    site.fill(1)
    report = site.verify()
    assert report.ok
    assert RESTORED in [repair.kind for repair in report.repairs]
    (aside,) = site.mirror.glob("heads.before-*.jsonl")
    assert aside.read_bytes() == copy


def test_heads_that_were_copied_after_the_entries_are_dropped(site: Site, tmp_path: Path) -> None:
    """A backup taken while the twin ran holds heads over entries that it does not hold."""
    entries = site.entries.read_bytes()
    site.fill(2)
    site.entries.write_bytes(entries)
    with pytest.raises(LedgerError, match="missing"):
        site.ledger().open()
    assert accept_restored(site.folder, site.signer, mirror=site.mirror) is not None
    assert site.verify().ok


def test_a_sound_ledger_is_left_alone(site: Site) -> None:
    before = site.entries.read_bytes(), site.heads.read_bytes(), site.copy.read_bytes()
    assert accept_restored(site.folder, site.signer, mirror=site.mirror) is None
    assert (site.entries.read_bytes(), site.heads.read_bytes(), site.copy.read_bytes()) == before


def test_what_does_not_hold_together_is_not_accepted(site: Site, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="not a ledger of this key"):
        accept_restored(site.folder, Signer.open(tmp_path / "other", None), mirror=site.mirror)
    site.entries.write_bytes(site.entries.read_bytes().replace(b"ledger_opened", b"ledger_0pened"))
    with pytest.raises(LedgerError, match="not a ledger of this key"):
        accept_restored(site.folder, site.signer, mirror=site.mirror)
