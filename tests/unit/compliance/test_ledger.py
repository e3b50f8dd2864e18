"""The ledger grows, mends what a dead process left, and refuses to go on from what somebody changed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from pathlib import Path

import pytest

from compliance.errors import LedgerError, VaultError
from compliance.ledger import HEADS_REBUILT, MIRROR_REBUILT, OPENED, REPAIRED, Ledger
from compliance.proofs.chain import read_entry, read_head
from compliance.proofs.signing import Signer
from tests.unit.compliance.ledger_helpers import START_S, Site, commitment
from tests.unit.compliance.store_helpers import run_python


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "home")


def test_entries_follow_each_other_under_signed_heads(site: Site) -> None:
    with site.ledger() as ledger:
        first = ledger.append("consent_given", commitment("a"))
        site.now_s += 1.5
        second = ledger.append("viewed", commitment("b"))
        head = ledger.sync()
        assert (head.size, ledger.size) == (3, 3)
    assert [first.seq, second.seq] == [1, 2]
    assert (first.at_ms, second.at_ms) == (START_S * 1000, START_S * 1000 + 1500)
    lines = site.entries.read_bytes().splitlines()
    entries = [read_entry(line) for line in lines]
    assert [entry and entry.kind for entry in entries] == [OPENED, "consent_given", "viewed"]
    assert [json.loads(line)["prev"] for line in lines[1:]] == [json.loads(line)["hash"] for line in lines[:-1]]
    assert all(entry and entry.signed_by(site.signer.public) for entry in entries)
    newest = read_head(site.heads.read_bytes().splitlines()[-1])
    assert newest == head
    assert newest.signed_by(site.signer.public)
    assert site.copy.read_bytes() == site.heads.read_bytes()
    assert site.verify().ok


def test_what_is_in_a_line_is_not_personal(site: Site) -> None:
    site.fill(1, 1)
    line = json.loads(site.entries.read_bytes().splitlines()[-1])
    assert list(line) == ["seq", "at_ms", "kind", "commitment", "prev", "hash", "signature"]
    with site.ledger() as ledger:
        with pytest.raises(VaultError, match="plain words"):
            ledger.append("called by Anna +4930123456", commitment("a"))
        with pytest.raises(ValueError, match="64"):
            ledger.append("viewed", "Anna")
    assert stat.S_IMODE(site.entries.stat().st_mode) == 0o600


def test_it_goes_on_where_it_ended(site: Site) -> None:
    site.fill(2)
    size = len(site.kinds())
    with site.ledger() as ledger:
        assert ledger.head is not None
        assert (ledger.size, ledger.head.size) == (size, size)
        assert ledger.append("erased", commitment("x")).seq == size
    assert site.verify().ok
    assert site.verify().entries == size + 1


def test_opening_and_closing_alone_adds_nothing(site: Site) -> None:
    site.fill(1)
    before = site.entries.read_bytes(), site.heads.read_bytes()
    with site.ledger():
        pass
    assert (site.entries.read_bytes(), site.heads.read_bytes()) == before


def test_a_ledger_that_is_not_open_says_so(site: Site) -> None:
    ledger = site.ledger()
    assert ledger.health() == "the ledger is not open"
    with pytest.raises(LedgerError, match="not open"):
        ledger.append("viewed", commitment("a"))
    with ledger:
        assert ledger.health() is None
    ledger.close()


def test_two_that_are_open_at_once_write_one_chain(site: Site) -> None:
    with site.ledger() as one, site.ledger() as other:
        for number in range(20):
            (one, other)[number % 2].append("viewed", commitment(str(number)))
            if number % 7 == 0:
                (other, one)[number % 2].sync()
    report = site.verify()
    assert report.ok
    assert report.entries == 21


_APPENDER = """
import sys
from pathlib import Path
from tests.unit.compliance.ledger_helpers import Site, commitment
site = Site(Path(sys.argv[1]))
with site.ledger() as ledger:
    for n in range(200):
        ledger.append("viewed", commitment(f"{sys.argv[2]} {n}"))
        if n % 10 == 0:
            ledger.sync()
"""


async def test_several_processes_begin_and_write_one_ledger(tmp_path: Path) -> None:
    home = tmp_path / "home"
    processes = [run_python(_APPENDER, home, name) for name in ("a", "b", "c")]
    for process in processes:
        await asyncio.to_thread(process.communicate, timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]
    report = Site(home).verify()
    assert report.lines[0].startswith("ok: 601 entries")


_KILLED = """
import itertools, sys
from pathlib import Path
from tests.unit.compliance.ledger_helpers import Site, commitment
site = Site(Path(sys.argv[1]))
ledger = site.ledger()
ledger.open()
for n in itertools.count():
    ledger.append("viewed", commitment(str(n)))
    if n % 50 == 0:
        ledger.sync()
    print(n, flush=True)
"""


async def test_what_was_appended_survives_kill_9(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = run_python(_KILLED, home)
    assert process.stdout is not None
    last = -1
    while last < 120:
        last = int(await asyncio.to_thread(process.stdout.readline))
    process.send_signal(signal.SIGKILL)
    output, _ = await asyncio.to_thread(process.communicate, timeout=30)
    last = max([last, *(int(line) for line in output.splitlines() if line)])
    site = Site(home)
    with site.ledger() as ledger:
        assert ledger.size >= last + 2
    assert site.verify().ok


def test_half_a_line_of_a_dead_process_is_cut_off_and_noted(site: Site) -> None:
    site.fill(1)
    size = len(site.kinds())
    with site.entries.open("ab") as file:
        file.write(b'{"seq":5,"at_ms":17')
    assert not site.verify().ok
    with site.ledger():
        pass
    report = site.verify()
    assert report.ok
    assert [(repair.kind, repair.seq) for repair in report.repairs] == [(REPAIRED, size)]
    assert any(line.startswith(f"note: entry {size}") for line in report.lines)


def test_half_a_line_of_another_process_is_cut_off_while_running(site: Site) -> None:
    with site.ledger() as ledger:
        ledger.append("viewed", commitment("a"))
        with site.entries.open("ab") as file:
            file.write(b'{"seq":')
        ledger.append("viewed", commitment("b"))
    assert site.kinds() == [OPENED, "viewed", REPAIRED, "viewed"]
    assert site.verify().ok


def test_what_a_loss_of_power_left_under_no_head_is_cut_off(site: Site) -> None:
    site.fill(1)
    good = site.entries.read_bytes()
    with site.entries.open("ab") as file:
        file.write(b"\x00" * 300 + b"\n" + b'{"seq":7}\n' + b"\x00" * 20)
    with site.ledger() as ledger:
        ledger.append("viewed", commitment("after"))
    assert site.entries.read_bytes().startswith(good)
    assert site.kinds()[-2:] == [REPAIRED, "viewed"]
    assert site.verify().ok


def test_entries_that_came_under_no_head_are_kept(site: Site) -> None:
    site.fill(1)
    heads, copy = site.heads.read_bytes(), site.copy.read_bytes()
    site.fill(1)
    site.heads.write_bytes(heads)
    site.copy.write_bytes(copy)
    kinds = site.kinds()
    with site.ledger() as ledger:
        assert ledger.size == len(kinds)
    assert site.kinds() == kinds
    assert site.verify().ok


def rolled_back(site: Site) -> None:
    entries, heads = site.entries.read_bytes(), site.heads.read_bytes()
    site.fill(2)
    site.entries.write_bytes(entries)
    site.heads.write_bytes(heads)


def cut(site: Site) -> None:
    site.entries.write_bytes(b"".join(site.entries.read_bytes().splitlines(keepends=True)[:-1]))


def edited(site: Site) -> None:
    site.entries.write_bytes(site.entries.read_bytes().replace(b'"viewed"', b'"erased"', 1))


def without_heads(site: Site) -> None:
    site.heads.unlink()


def foreign_mirror(site: Site) -> None:
    site.copy.write_bytes(site.copy.read_bytes().replace(b"1", b"2", 1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (rolled_back, "rolled back"),
        (cut, "1 entries under the last signed head are missing"),
        (edited, "not those under the last signed head"),
        (without_heads, "rolled back"),
        (foreign_mirror, "differ"),
    ],
)
def test_a_changed_ledger_does_not_open(site: Site, change: object, says: str) -> None:
    site.fill(2)
    assert callable(change)
    change(site)
    before = site.entries.read_bytes()
    ledger = site.ledger()
    with pytest.raises(LedgerError, match=says):
        ledger.open()
    assert site.entries.read_bytes() == before
    assert ledger.health() is not None


def test_a_ledger_of_another_key_does_not_open(site: Site, tmp_path: Path) -> None:
    site.fill(1)
    other = Ledger(site.folder, Signer.open(tmp_path / "other", None), mirror=site.mirror)
    with pytest.raises(LedgerError, match="another key"):
        other.open()


def test_a_mirror_that_is_gone_is_made_again_and_noted(site: Site) -> None:
    site.fill(2)
    site.copy.unlink()
    site.fill(1)
    assert site.copy.read_bytes() == site.heads.read_bytes()
    assert site.kinds().count(MIRROR_REBUILT) == 1
    assert site.verify().ok


def test_a_mirror_that_is_behind_catches_up(site: Site) -> None:
    site.fill(2)
    copy = site.copy.read_bytes()
    site.fill(2)
    site.copy.write_bytes(copy + b'{"size"')
    site.fill(1)
    assert site.copy.read_bytes() == site.heads.read_bytes()
    assert MIRROR_REBUILT not in site.kinds()
    assert site.verify().ok


def test_heads_that_are_gone_everywhere_are_made_again_and_noted(site: Site) -> None:
    site.fill(2)
    site.heads.unlink()
    site.copy.unlink()
    site.fill(1)
    assert site.kinds().count(HEADS_REBUILT) == 1
    assert site.verify().ok


def test_a_mirror_that_cannot_be_written_is_told_and_caught_up_later(site: Site) -> None:
    with site.ledger() as ledger:
        site.mirror.rename(site.home / "away")
        ledger.append("viewed", commitment("a"))
        ledger.sync()
        ledger.append("viewed", commitment("b"))
        ledger.sync()
        assert "mirror cannot be written" in (ledger.health() or "")
        assert not site.verify().ok
        (site.home / "away").rename(site.mirror)
        ledger.sync()
        assert ledger.health() is None
    assert site.copy.read_bytes() == site.heads.read_bytes()
    assert site.kinds().count(MIRROR_REBUILT) == 1
    assert site.verify().ok


def test_a_ledger_changed_while_it_runs_is_not_continued(site: Site) -> None:
    site.fill(1)
    ledger = site.ledger()
    with ledger:
        with site.entries.open("ab") as file:
            file.write(b'{"forged":1}\n')
        with pytest.raises(LedgerError, match="changed while it was in use"):
            ledger.append("viewed", commitment("a"))
        with pytest.raises(LedgerError, match="changed while it was in use"):
            ledger.sync()
        assert "changed" in (ledger.health() or "")


@pytest.mark.parametrize("name", ["entries", "heads"])
def test_files_replaced_or_cut_while_it_runs_are_noticed(site: Site, name: str) -> None:
    site.fill(2)
    path: Path = getattr(site, name)
    ledger = site.ledger()
    ledger.open()
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="replaced or cut"):
        ledger.append("viewed", commitment("a"))
    with pytest.raises(LedgerError, match="replaced or cut"):
        ledger.close()


def test_a_full_disk_leaves_no_half_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.ledger() as ledger:
        ledger.append("viewed", commitment("a"))
        write = os.write

        def full(handle: int, data: bytes) -> int:
            monkeypatch.setattr(os, "write", no_space)
            return write(handle, data[:50])

        def no_space(handle: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(LedgerError, match="No space left"):
            ledger.append("viewed", commitment("b"))
        monkeypatch.setattr(os, "write", write)
        ledger.append("viewed", commitment("c"))
    assert site.verify().ok
    assert site.kinds() == [OPENED, "viewed", "viewed"]


def test_a_folder_that_cannot_be_used_is_one_clear_line(site: Site) -> None:
    site.home.joinpath("ledger").write_text("a file")
    with pytest.raises(LedgerError, match="check its owner and rights"):
        site.ledger().open()
