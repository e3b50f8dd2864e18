"""Recordings in a real vault: made on a thread, read, stopped, deleted, and found again after a crash."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.errors import KeyGone, VaultError
from compliance.holds import hold, release
from compliance.records import Recordings
from compliance.settings import StoreSettings
from compliance.sound import recorded, tape
from compliance.sound.recording import Recording
from compliance.vault import Vault
from tests.unit.compliance.sound_helpers import Samples, tone
from tests.unit.compliance.store_helpers import eventually, files_in, run_python

SECOND = 8_000
CALLER, TWIN = tone(4 * SECOND, hz=300), tone(4 * SECOND, hz=900)


class Notes:
    """What a ledger would be told."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.details: list[Mapping[str, Any]] = []

    def __call__(self, kind: str, *, call_id: str | None = None, detail: Mapping[str, Any]) -> None:
        assert call_id == "CA1"
        self.kinds.append(kind)
        self.details.append(detail)


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "recordings"


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def recordings(vault: Vault, folder: Path, notes: Notes) -> AsyncIterator[Recordings]:
    vault.begin_call("CA1", channel="phone", subject="+4930123456")
    async with Recordings(vault, folder, note=notes) as recordings:
        yield recordings


def begin(recordings: Recordings, position: int = 0) -> Recording:
    return recordings.start("CA1", clock_hz=8_000, caller_hz=8_000, position=position)


def speak(recording: Recording, *, seconds: float = 4.0, start: int = 0) -> None:
    """Both sides, tick by tick, as the doors give it."""
    for at in range(0, int(seconds * SECOND), 160):
        recording.twin(TWIN[at : at + 160].tobytes(), start + at)
        recording.caller(CALLER[at : at + 160].tobytes(), start + at + 160)


async def made(recordings: Recordings, *, seconds: float = 4.0) -> Recording:
    recording = begin(recordings)
    speak(recording, seconds=seconds)
    recording.stop()
    assert await recording.settled()
    return recording


def block(folder: Path) -> None:
    """A file where the folder should be: nothing can be written there."""
    folder.write_bytes(b"not a folder")


def stereo(pcm: bytes) -> tuple[Samples, Samples]:
    both = np.frombuffer(pcm, np.int16).reshape(-1, 2)
    return both[:, 0], both[:, 1]


async def test_both_sides_are_kept_to_the_sample_on_the_outlets_clock(recordings: Recordings) -> None:
    recording = begin(recordings, position=40_000)
    speak(recording, start=40_000)
    recording.stop()
    assert await recording.settled()
    caller, twin = stereo(await recordings.read(recording.id, 0, 10 * SECOND))
    assert np.array_equal(caller, CALLER)
    assert np.array_equal(twin, TWIN)
    (entry,) = await recordings.of("CA1")
    assert (entry.state, entry.start_samples, entry.clock_hz, entry.rate_hz) == ("ended", 40_000, 8_000, 8_000)
    assert entry.frames == 4 * SECOND
    assert entry == await recordings.entry(recording.id)
    await recordings.check(recording.id)


async def test_a_browsers_call_is_kept_at_16_khz(recordings: Recordings) -> None:
    recording = recordings.start("CA1", clock_hz=48_000, caller_hz=16_000, position=0)
    for at in range(0, 48_000, 960):
        recording.twin(tone(960, rate_hz=48_000, start=at).tobytes(), at)
        recording.caller(tone(320, rate_hz=16_000, start=at // 3).tobytes(), at + 960)
    recording.stop()
    await recording.settled()
    caller, twin = stereo(await recordings.read(recording.id, 0, 16_000))
    ideal = tone(16_000, rate_hz=16_000).astype(float)
    assert np.array_equal(caller, ideal)
    middle = slice(1_000, 15_000)
    assert np.abs(twin[middle] - ideal[middle]).max() < 20


async def test_one_side_can_be_read_alone(recordings: Recordings) -> None:
    recording = await made(recordings)
    assert await recordings.read(recording.id, 100, 500, "caller") == CALLER[100:600].tobytes()
    assert await recordings.read(recording.id, 100, 500, "twin") == TWIN[100:600].tobytes()


async def test_it_can_be_read_while_it_is_made(recordings: Recordings) -> None:
    recording = begin(recordings)
    speak(recording, seconds=3)
    async with asyncio.timeout(20):
        while True:
            try:
                pcm = await recordings.read(recording.id, 0, SECOND, "caller")
            except VaultError:
                pcm = b""
            if len(pcm) == 2 * SECOND:
                break
            await asyncio.sleep(0.02)
    assert pcm == CALLER[:SECOND].tobytes()


async def test_what_comes_after_the_stop_is_not_kept(recordings: Recordings, folder: Path) -> None:
    """Withdrawal: not within 500 ms but with the very next sample."""
    recording = begin(recordings)
    speak(recording, seconds=2)
    recording.stop()
    assert not recording.running
    for at in range(2 * SECOND, 4 * SECOND, 160):
        recording.twin(TWIN[at : at + 160].tobytes(), at)
        recording.caller(CALLER[at : at + 160].tobytes(), at + 160)
    await recording.settled()
    size = (folder / f"{recording.id}.rec").stat().st_size
    (entry,) = await recordings.of("CA1")
    assert entry.frames == 2 * SECOND
    await asyncio.sleep(3 * tape.POLL_MS / 1000)
    assert (folder / f"{recording.id}.rec").stat().st_size == size


async def test_nothing_is_kept_before_the_start_or_without_it(
    recordings: Recordings, vault: Vault, home: Path
) -> None:
    """No file, no row and no byte of the caller before the yes."""
    early = np.random.default_rng(5).integers(-9_000, 9_000, SECOND).astype(np.int16)
    await vault.flush()
    assert await recordings.of("CA1") == ()
    assert not (home / "recordings").exists()
    recording = begin(recordings, position=SECOND)
    recording.caller(early.tobytes(), SECOND)
    recording.twin(early.tobytes(), 0)
    speak(recording, seconds=1, start=SECOND)
    recording.stop()
    await recording.settled()
    caller, twin = stereo(await recordings.read(recording.id, 0, 10 * SECOND))
    needles = [early[at : at + 8].tobytes() for at in range(0, SECOND - 8, 8)]
    stored = [caller.tobytes(), twin.tobytes(), *(path.read_bytes() for path in files_in(home))]
    assert not [needle for needle in needles if any(needle in data for data in stored)]


async def test_no_file_holds_a_sample_in_the_clear(recordings: Recordings, home: Path) -> None:
    await made(recordings)
    needles = [lane[at : at + 8].tobytes() for lane in (CALLER, TWIN) for at in range(0, 4 * SECOND, 333)]
    files = files_in(home)
    assert any(path.suffix == ".rec" for path in files)
    for path in files:
        data = path.read_bytes()
        assert not any(needle in data for needle in needles)


async def test_a_deletion_leaves_no_readable_byte(
    recordings: Recordings, vault: Vault, folder: Path, notes: Notes
) -> None:
    recording = await made(recordings)
    copy = (folder / f"{recording.id}.rec").read_bytes()
    assert await recordings.delete(recording.id)
    assert files_in(folder) == []
    assert await recordings.of("CA1") == ()
    assert await vault.call("CA1") is not None, "the rest of the call stays"
    (folder / f"{recording.id}.rec").write_bytes(copy)
    with pytest.raises(KeyGone):
        await recordings.read(recording.id, 0, SECOND)
    assert notes.kinds == ["recording_started", "recording_stopped", "recording_deleted"]


async def test_a_caller_who_changes_their_mind_leaves_no_recording(
    recordings: Recordings, folder: Path, notes: Notes
) -> None:
    recording = begin(recordings)
    speak(recording)
    recording.delete()
    assert not await recording.settled()
    assert files_in(folder) == []
    assert await recordings.of("CA1") == ()
    assert notes.kinds[-1] == "recording_deleted"


async def test_a_caller_may_change_their_mind_after_the_recording_has_stopped(
    recordings: Recordings, folder: Path
) -> None:
    recording = await made(recordings)
    recording.delete()
    recording.delete()
    assert not await recording.settled()
    assert files_in(folder) == []
    assert await recordings.of("CA1") == ()


async def test_a_hold_stops_the_recording_but_keeps_it(recordings: Recordings, vault: Vault) -> None:
    recording = begin(recordings)
    speak(recording, seconds=1)
    await hold(vault, "CA1", "a dispute")
    recording.delete()
    assert await recording.settled()
    (entry,) = await recordings.of("CA1")
    assert (entry.state, entry.frames) == ("ended", SECOND)
    assert not await recordings.delete(recording.id)
    assert await recordings.read(recording.id, 0, 160, "twin") == TWIN[:160].tobytes()
    await release(vault, "CA1")
    assert await recordings.delete_of("CA1")
    assert await recordings.of("CA1") == ()


async def test_an_erased_call_takes_its_running_recording_with_it(
    recordings: Recordings, vault: Vault, folder: Path
) -> None:
    """The eraser destroys the key and the rows; the tape notices and removes its file."""
    recording = begin(recordings)
    speak(recording, seconds=2)
    await eventually(lambda: bool(files_in(folder)))
    await vault.run(lambda transaction: transaction.keys.destroy([recorded.key_id(recording.id)]))
    await vault.run(lambda transaction: recorded.forget(transaction, recording_id=recording.id))
    speak(recording, start=2 * SECOND, seconds=2)
    recording.stop()
    assert not await recording.settled()
    assert files_in(folder) == []


async def test_a_call_has_as_many_recordings_as_it_was_allowed(recordings: Recordings) -> None:
    first = await made(recordings, seconds=1)
    second = await made(recordings, seconds=2)
    assert {entry.id: entry.frames for entry in await recordings.of("CA1")} == {
        first.id: SECOND,
        second.id: 2 * SECOND,
    }


async def test_it_plays_as_a_wav_file_in_ranges(recordings: Recordings) -> None:
    recording = await made(recordings)
    whole = (await recordings.as_wav_range(recording.id)).body
    with wave.open(BytesIO(whole)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, SECOND, 4 * SECOND)
        left, right = stereo(file.readframes(file.getnframes()))
    assert np.array_equal(left, CALLER)
    assert np.array_equal(right, TWIN)
    for first, last in ((0, 0), (0, 43), (10, 50), (44, 44), (45, 1_001), (99, 100_000), (100_000, 10**9)):
        part = await recordings.as_wav_range(recording.id, first, last)
        assert part.body == whole[first : last + 1]
        assert (part.first, part.total) == (first, len(whole))
    assert b"".join([block async for block in recordings.as_wav(recording.id)]) == whole
    with pytest.raises(VaultError, match="no such bytes"):
        await recordings.as_wav_range(recording.id, len(whole), None)


async def test_pieces_to_look_for_elsewhere_are_of_both_sides(recordings: Recordings) -> None:
    recording = await made(recordings)
    caller, twin = await recordings.pieces([recording.id, "0" * 32])
    assert len(caller) == len(twin) == 64
    assert caller in CALLER.tobytes()
    assert twin in TWIN.tobytes()


async def test_what_nobody_heard_is_not_kept(recordings: Recordings) -> None:
    recording = begin(recordings)
    for at in range(0, SECOND, 160):
        recording.twin(TWIN[at : at + 160].tobytes(), at)
    recording.unheard(7_000, 7_800)
    recording.stop()
    await recording.settled()
    twin = np.frombuffer(await recordings.read(recording.id, 0, SECOND, "twin"), np.int16)
    assert not twin[7_000:7_800].any()
    assert np.array_equal(twin[:7_000], TWIN[:7_000])


async def test_a_full_queue_loses_the_newest_and_counts_it(vault: Vault, folder: Path) -> None:
    vault.begin_call("CA1", channel="phone")
    recordings = Recordings(vault, folder)
    recording = begin(recordings)  # the thread does not run yet: the disk stands still
    for at in range(0, 200 * SECOND, 160):
        recording.twin(TWIN[:160].tobytes(), at)
    assert recording.dropped == 10_000 - tape.MAX_PIECES
    await recordings.open()
    recording.stop()
    await recording.settled()
    (entry,) = await recordings.of("CA1")
    assert entry.frames == tape.MAX_PIECES * 160
    await recordings.close()


async def test_a_disk_that_fails_ends_the_recording_and_not_the_call(
    recordings: Recordings, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    block(folder)
    recording = begin(recordings)
    speak(recording)
    await eventually(lambda: not recording.running)
    speak(recording)
    assert await recording.settled()
    (entry,) = await recordings.of("CA1")
    assert (entry.state, entry.frames) == ("failed", 0)
    assert "a recording could not be written" in caplog.text
    assert files_in(folder.parent / "recordings") == []


async def test_closing_writes_the_end_of_every_recording(vault: Vault, folder: Path) -> None:
    vault.begin_call("CA1", channel="phone")
    async with Recordings(vault, folder) as recordings:
        recording = begin(recordings)
        speak(recording)
    async with Recordings(vault, folder) as again:
        (entry,) = await again.of("CA1")
        assert (entry.state, entry.frames) == ("ended", 4 * SECOND)
        await again.check(recording.id)


_KILLED = """
import asyncio, sys
from pathlib import Path
from compliance.records import Recordings
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.unit.compliance.test_records import CALLER, TWIN

async def main():
    async with Vault(Path(sys.argv[1])) as vault:
        vault.begin_call("CA1", channel="phone")
        async with Recordings(vault, Path(sys.argv[1]) / "recordings") as recordings:
            recording = recordings.start("CA1", clock_hz=8_000, caller_hz=8_000, position=0)
            await vault.flush()
            loop = asyncio.get_running_loop()
            began = loop.time()
            for tick in range(100_000):
                at = tick * 160 % len(TWIN)
                recording.twin(TWIN[at : at + 160].tobytes(), tick * 160)
                recording.caller(CALLER[at : at + 160].tobytes(), tick * 160 + 160)
                print(tick, flush=True)
                await asyncio.sleep(max(0, began + tick * 0.02 - loop.time()))

asyncio.run(main())
"""


async def test_kill_9_leaves_all_but_the_last_second(home: Path, folder: Path) -> None:
    process = run_python(_KILLED, home)
    assert process.stdout is not None
    said = 0
    while said < 150:
        said = int(await asyncio.to_thread(process.stdout.readline))
    process.kill()
    rest, _ = await asyncio.to_thread(process.communicate)
    said = int((rest.split() or [str(said)])[-1])
    async with Vault(home) as vault, Recordings(vault, folder) as recordings:
        (entry,) = await recordings.of("CA1")
        assert entry.state == "interrupted"
        assert entry.frames >= said * 160 - SECOND
        caller, twin = stereo(await recordings.read(entry.id, 0, entry.frames))
        kept = min(int(np.flatnonzero(side)[-1]) for side in (caller, twin))
        assert kept >= said * 160 - SECOND
        assert np.array_equal(caller[:kept], np.resize(CALLER, kept))
        assert np.array_equal(twin[:kept], np.resize(TWIN, kept))


async def test_they_are_kept_beside_any_store(store: StoreSettings, home: Path, folder: Path) -> None:
    """On SQLite and on PostgreSQL."""
    async with Vault(home, store) as vault:
        vault.begin_call("CA1", channel="phone")
        async with Recordings(vault, folder) as recordings:
            first, second = await made(recordings), await made(recordings)
            await hold(vault, "CA1", "a dispute")
            assert not await recordings.delete(first.id)
            await release(vault, "CA1")
            assert await recordings.delete(first.id)
    async with Vault(home, store) as vault, Recordings(vault, folder) as recordings:
        assert [entry.id for entry in await recordings.of("CA1")] == [second.id]
        assert await recordings.read(second.id, 0, 160, "twin") == TWIN[:160].tobytes()


async def test_a_deletion_that_was_killed_is_completed(vault: Vault, recordings: Recordings, folder: Path) -> None:
    recording = await made(recordings)
    (folder / f"{recording.id}.rec").rename(folder / f"{recording.id}.gone")
    async with Recordings(vault, folder) as again:
        assert await again.of("CA1") == ()
    assert files_in(folder) == []


async def test_a_file_that_nothing_points_to_is_removed(
    vault: Vault, recordings: Recordings, folder: Path
) -> None:
    recording = await made(recordings)
    live = begin(recordings)
    speak(live)
    await eventually(lambda: (folder / f"{live.id}.rec").exists())
    await vault.run(lambda transaction: recorded.forget(transaction, recording_id=recording.id))
    async with Recordings(vault, folder):
        assert [path.stem for path in files_in(folder)] == [live.id], "one that is written is left alone"


async def test_a_path_is_not_a_recording(recordings: Recordings) -> None:
    for name in ("../twin", "", "a/b", "..", "a.rec"):
        with pytest.raises(VaultError):
            await recordings.read(name, 0, 1)
