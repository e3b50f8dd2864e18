"""Whatever was changed is found and named; what was not changed is not suspected."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from compliance.errors import LedgerError
from compliance.proofs.audit import verify, verify_home
from compliance.proofs.chain import write_head
from compliance.proofs.merkle import Frontier
from compliance.proofs.signing import Signer
from compliance.settings import StoreSettings
from tests.soak.ledger import MUTATIONS, make_sample, missed, mutations
from tests.unit.compliance.ledger_helpers import Site, commitment

COUNT = int(os.environ.get("TWIN_SOAK_MUTATIONS", "300"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "home")
    made.fill(4, 3)
    return made


def found(site: Site) -> list[tuple[str, str]]:
    report = site.verify()
    assert not report.ok
    return [(problem.where, problem.what) for problem in report.problems]


def test_random_mutations_are_all_found_and_none_opens_silently(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    assert verify(tmp_path / "ledger", tmp_path / "mirror", sample.signer.public).ok
    kinds = set()
    wrong: list[str] = []
    for kind, files in mutations(20, COUNT, sample):
        kinds.add(kind)
        wrong += missed(kind, files, sample, tmp_path)
    assert wrong == []
    assert len(kinds) == len({mutate.__name__ for mutate in MUTATIONS})


def test_every_byte_of_a_line_counts(tmp_path: Path) -> None:
    """Not chance: one bit in each byte of one entry, one head and the mirror's copy of one."""
    site = Site(tmp_path / "home")
    site.fill(2, 1)
    for path, line in ((site.entries, 1), (site.heads, 1), (site.copy, 2)):
        good = path.read_bytes()
        lines = good.splitlines(keepends=True)
        begin = len(b"".join(lines[:line]))
        for at in range(begin, begin + len(lines[line])):
            changed = bytearray(good)
            changed[at] ^= 1 << at % 8
            path.write_bytes(changed)
            report = verify(site.folder, site.mirror, site.signer.public, signatures=False, settle_s=0)
            assert not report.ok, (path.name, at)
        path.write_bytes(good)
    assert site.verify().ok


def test_a_sound_ledger_says_what_holds(site: Site) -> None:
    report = site.verify()
    assert (report.ok, report.entries, report.heads, report.problems) == (True, 13, 5, ())
    assert report.head is not None
    first, second = report.lines
    assert first == "ok: 13 entries under 5 signed heads, the mirror agrees"
    assert f"13:{report.head.root}" in second
    assert json.loads(json.dumps(report.as_json()))["head"]["size"] == 13


def test_a_changed_entry_is_named_by_its_line(site: Site) -> None:
    lines = site.entries.read_bytes().splitlines(keepends=True)
    lines[5] = lines[5].replace(b"viewed", b"erased")
    site.entries.write_bytes(b"".join(lines))
    problems = found(site)
    assert problems[0] == ("entries.jsonl:6", "was changed: the hash does not fit")
    assert {where for where, _ in problems} >= {"entries.jsonl:7"}  # the first head over it


def test_a_removed_entry_is_named_where_it_is_missing(site: Site) -> None:
    lines = site.entries.read_bytes().splitlines(keepends=True)
    site.entries.write_bytes(b"".join(lines[:5] + lines[6:]))
    assert found(site)[0] == ("entries.jsonl:6", "entry 6 stands in the place of entry 5")


def test_a_cut_ledger_says_how_much_is_missing(site: Site) -> None:
    lines = site.entries.read_bytes().splitlines(keepends=True)
    site.entries.write_bytes(b"".join(lines[:-2]))
    assert found(site) == [("entries.jsonl", "2 entries under a signed head are missing")]


def test_a_roll_back_of_both_files_is_seen_in_the_mirror(site: Site) -> None:
    entries, heads = site.entries.read_bytes(), site.heads.read_bytes()
    site.fill(2)
    site.entries.write_bytes(entries)
    site.heads.write_bytes(heads)
    assert found(site) == [
        ("heads.jsonl", "2 signed heads in the mirror are missing here: it was rolled back or cut")
    ]


def test_a_roll_back_of_everything_is_seen_by_a_head_noted_elsewhere(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.home, tmp_path / "backup")
    site.fill(1)
    head = site.verify().head
    assert head is not None
    noted = f"{head.size}:{head.root}"
    assert site.verify(known=noted).ok
    shutil.rmtree(site.home)
    shutil.copytree(tmp_path / "backup", site.home)
    assert site.verify().ok
    report = site.verify(known=noted)
    assert [problem.what for problem in report.problems] == [
        "4 entries under the head that was noted down are missing"
    ]
    with pytest.raises(LedgerError, match="SIZE:ROOT"):
        site.verify(known="yesterday")


def test_another_past_of_the_same_length_is_seen_by_a_noted_head(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.home, tmp_path / "fork")
    site.fill(1)
    head = site.verify().head
    assert head is not None
    fork = Site(tmp_path / "fork")
    fork.now_s += 1000
    fork.fill(1)
    assert fork.verify().ok
    report = fork.verify(known=f"{head.size}:{head.root}")
    assert [problem.what for problem in report.problems] == [
        "the entries up to here are not those of the head that was noted down"
    ]


def test_a_missing_mirror_and_a_missing_ledger_are_problems(site: Site) -> None:
    data = site.copy.read_bytes()
    site.copy.unlink()
    assert found(site) == [("mirror/heads.jsonl", "is missing or empty")]
    site.copy.write_bytes(data)
    shutil.rmtree(site.folder)
    assert {where for where, _ in found(site)} == {"heads.jsonl", "entries.jsonl"}


def test_a_ledger_of_another_key_is_none_of_this_twin(site: Site, tmp_path: Path) -> None:
    other = Signer.open(tmp_path / "other", None)
    report = verify(site.folder, site.mirror, other.public, settle_s=0)
    what = [problem.what for problem in report.problems]
    assert f"signed by another key ({site.signer.key_id})" in what
    assert "the ledger does not begin with this key" in what


def test_a_hundred_problems_are_enough(tmp_path: Path) -> None:
    site = Site(tmp_path / "home")
    site.fill(1, 150)
    site.entries.write_bytes(site.entries.read_bytes().replace(b"viewed", b"erased"))
    report = site.verify()
    assert len(report.problems) == 101
    assert report.problems[-1].what.endswith("more problems")


def test_a_ledger_in_use_is_not_suspected(tmp_path: Path) -> None:
    """Verified again and again while another thread appends and signs."""
    site = Site(tmp_path / "home")
    stop = threading.Event()
    with site.ledger() as ledger:

        def grow() -> None:
            number = 0
            while not stop.wait(0.003):
                ledger.append("viewed", commitment(str(number)))
                number += 1
                if number % 3 == 0:
                    ledger.sync()

        thread = threading.Thread(target=grow, name="grow")
        thread.start()
        try:
            reports = [site.verify(settle_s=20)]
            while reports[-1].entries < 40:
                reports.append(site.verify(settle_s=20))
        finally:
            stop.set()
            thread.join()
    assert [report.problems for report in reports if not report.ok] == []


def test_entries_under_no_head_are_told_when_nobody_signs_them(site: Site) -> None:
    heads, copy = site.heads.read_bytes(), site.copy.read_bytes()
    site.fill(1, 2)
    site.heads.write_bytes(heads)
    site.copy.write_bytes(copy)
    ((where, what),) = found(site)
    assert where == "entries.jsonl"
    assert what.startswith("2 entries stand after the last signed head")


def test_a_head_that_covers_no_more_than_the_one_before_is_none_of_ours(site: Site) -> None:
    last = site.heads.read_bytes().splitlines()[-1]
    root = Frontier().root()
    line = write_head(site.signer, size=1, at_ms=1, root=root, prev="0" * 64)
    assert last != line
    for path in (site.heads, site.copy):
        path.write_bytes(path.read_bytes() + line + b"\n")
    assert found(site)[0] == ("heads.jsonl:6", "does not follow the head before it")


def test_the_ledger_of_a_home_is_found_and_its_mirror_too(site: Site, tmp_path: Path) -> None:
    assert verify_home(site.home, StoreSettings()).ok
    elsewhere = tmp_path / "disk"
    site.mirror.rename(elsewhere)
    assert verify_home(site.home, StoreSettings(mirror=str(elsewhere))).ok
    with pytest.raises(LedgerError, match="signed nothing yet"):
        verify_home(tmp_path / "nothing", StoreSettings())
