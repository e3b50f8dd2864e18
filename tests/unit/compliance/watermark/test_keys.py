"""The keys of the watermark: made once, sealed, another for every day, and none ever lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from compliance.errors import VaultError
from compliance.store.master import SecretMaster
from compliance.watermark.keys import KEY_FILE, OWN_FILE, DayKey, MarkKeys
from tests.unit.compliance.store_helpers import run_python

MASTER = SecretMaster(bytes(range(32)), source="a test")
TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400.0
OPEN = """
import sys
from datetime import date
from pathlib import Path
from compliance.store.master import SecretMaster
from compliance.watermark.keys import MarkKeys
print("ready", flush=True)
sys.stdin.readline()
master = SecretMaster(bytes(range(32)), source="a test")
print(MarkKeys.open(Path(sys.argv[1]), master).of(date(2026, 11, 22)).key.hex())
"""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def names(keys: list[DayKey]) -> list[tuple[str, int]]:
    return [(key.day.isoformat(), key.generation) for key in keys]


def secret_in(home: Path) -> bytes:
    """The first generation's, from the opened file."""
    body = (home / KEY_FILE).read_bytes().partition(b"\n")[2]
    return bytes.fromhex(MASTER.unwrap(base64.b64decode(body)).split()[2].decode())


def test_the_key_is_made_once_and_is_the_same_from_then_on(home: Path) -> None:
    first = MarkKeys.open(home, MASTER).of(TODAY)
    assert len(first.key) == 32
    assert MarkKeys.open(home, MASTER).of(TODAY) == first
    assert first.generation == 1


def test_its_file_is_for_its_owner_and_says_nothing_without_the_master_key(home: Path) -> None:
    MarkKeys.open(home, MASTER)
    file = home / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    secret = secret_in(home)
    assert secret.hex().encode() not in file.read_bytes()
    assert secret not in base64.b64decode(file.read_bytes().partition(b"\n")[2])
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    with pytest.raises(VaultError, match="master key"):
        MarkKeys.open(home, SecretMaster(bytes(32), source="another"))


def test_a_days_key_is_hkdf_sha256_of_the_generation_and_the_day(home: Path) -> None:
    made = MarkKeys.open(home, MASTER).of(TODAY)
    extracted = hmac.digest(bytes(32), secret_in(home), hashlib.sha256)
    expected = hmac.digest(extracted, b"ai-twin watermark 1 2026-11-22" + b"\x01", hashlib.sha256)
    assert made.key == expected


def test_no_day_and_no_generation_has_the_key_of_another(home: Path) -> None:
    keys = MarkKeys.open(home, MASTER)
    of_days = {keys.of(TODAY + timedelta(days=day)).key for day in range(50)}
    keys.rotate()
    assert len(of_days | {keys.of(TODAY + timedelta(days=day)).key for day in range(50)}) == 100


def test_a_key_is_not_shown_where_it_is_printed(home: Path) -> None:
    key = MarkKeys.open(home, MASTER).of(TODAY)
    assert key.key.hex() not in repr(key)
    assert repr(key.key) not in repr(key)


def test_two_processes_that_start_at_once_agree(home: Path) -> None:
    home.mkdir()
    processes = [run_python(OPEN, home) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        said.append(out)
    assert len(set(said)) == 1


def test_after_a_rotation_a_new_key_marks_and_the_old_one_still_detects(home: Path) -> None:
    clock = Clock()
    keys = MarkKeys.open(home, MASTER, now=clock)
    old = keys.of(TODAY)
    clock.now += 10 * DAY_S
    assert keys.rotate() == 2
    assert keys.generation == 2
    later = TODAY + timedelta(days=20)
    assert keys.of(later).generation == 2
    assert keys.candidates([TODAY]) == [old]
    assert names(keys.candidates([later, TODAY])) == [("2026-12-12", 2), ("2026-11-22", 1)]


def test_around_the_day_of_a_rotation_both_keys_are_candidates(home: Path) -> None:
    clock = Clock()
    keys = MarkKeys.open(home, MASTER, now=clock)
    clock.now += 10 * DAY_S
    keys.rotate()
    days = [TODAY + timedelta(days=day) for day in (8, 9, 10, 11, 12)]
    assert names(keys.candidates(days)) == [
        ("2026-12-04", 2),
        ("2026-12-03", 2), ("2026-12-03", 1),
        ("2026-12-02", 2), ("2026-12-02", 1),
        ("2026-12-01", 2), ("2026-12-01", 1),
        ("2026-11-30", 1),
    ]  # fmt: skip


def test_candidates_are_the_days_asked_for_once_each_the_newest_first(home: Path) -> None:
    keys = MarkKeys.open(home, MASTER)
    assert keys.candidates([]) == []
    assert names(keys.candidates([date(2001, 1, 1), TODAY, TODAY])) == [("2026-11-22", 1), ("2001-01-01", 1)]


def test_what_was_marked_before_the_home_shared_a_key_is_still_found(home: Path, tmp_path: Path) -> None:
    own = MarkKeys.open(home, MASTER, now=lambda: NOON - 3 * DAY_S).of(TODAY)
    shared = MarkKeys.open(tmp_path / "shared", MASTER).of(TODAY)
    (home / KEY_FILE).replace(home / OWN_FILE)
    (home / KEY_FILE).write_bytes((tmp_path / "shared" / KEY_FILE).read_bytes())
    keys = MarkKeys.open(home, MASTER)
    assert keys.of(TODAY) == shared
    assert keys.candidates([TODAY]) == [shared, own]
    # As after a pod's second start: what it "had before" is the shared one already.
    (home / OWN_FILE).write_bytes((home / KEY_FILE).read_bytes())
    assert keys.candidates([TODAY]) == [shared]
    (home / OWN_FILE).write_bytes(b"its own")
    with pytest.raises(VaultError, match=r"watermark\.key\.own is damaged"):
        keys.candidates([TODAY])


def test_another_process_notices_a_rotation_without_being_told(home: Path) -> None:
    here, there = MarkKeys.open(home, MASTER), MarkKeys.open(home, MASTER)
    before = here.of(TODAY)
    assert there.rotate() == 2
    assert here.of(TODAY) == there.of(TODAY) != before


def test_the_file_is_opened_again_only_when_it_was_changed(home: Path) -> None:
    opened = 0

    class Counting(SecretMaster):
        def unwrap(self, wrapped: bytes) -> bytes:
            nonlocal opened
            opened += 1
            return super().unwrap(wrapped)

    keys = MarkKeys.open(home, Counting(bytes(range(32)), source="a test"))
    for day in range(20):
        keys.of(TODAY + timedelta(days=day))
    assert opened == 1
    MarkKeys.open(home, MASTER).rotate()
    keys.of(TODAY)
    assert opened == 2


def test_rotations_at_once_lose_no_key(home: Path) -> None:
    MarkKeys.open(home, MASTER)
    threads = [threading.Thread(target=lambda: MarkKeys.open(home, MASTER).rotate()) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = MarkKeys.open(home, MASTER)
    assert keys.generation == 9
    assert [key.generation for key in keys.candidates([datetime.now(UTC).date()])] == list(range(9, 0, -1))


def test_a_file_that_is_gone_is_an_error_and_not_a_new_key(home: Path) -> None:
    keys = MarkKeys.open(home, MASTER)
    (home / KEY_FILE).unlink()
    with pytest.raises(VaultError, match="restore it from the backup"):
        keys.of(TODAY)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"twin", b"twon"),
        lambda data: data.partition(b"\n")[0] + b"\n" + b"&&&=",
        lambda data: data.partition(b"\n")[0] + b"\n" + base64.encodebytes(MASTER.wrap(b"")),
        lambda data: data.partition(b"\n")[0] + b"\n" + base64.encodebytes(MASTER.wrap(b"1 2 abcd")),
        lambda data: data.partition(b"\n")[0] + b"\n" + base64.encodebytes(MASTER.wrap(b"\xff 1 2")),
        lambda data: data.partition(b"\n")[0] + b"\n" + base64.encodebytes(MASTER.wrap(b"1 9e99 " + b"00" * 32)),
    ],
)
def test_a_damaged_file_is_one_line_that_says_what_to_do(home: Path, damage: object) -> None:
    MarkKeys.open(home, MASTER)
    file = home / KEY_FILE
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(VaultError) as caught:
        MarkKeys.open(home, MASTER)
    assert "restore" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_folder_where_nothing_can_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(VaultError, match="cannot be used"):
        MarkKeys.open(tmp_path, MASTER)
