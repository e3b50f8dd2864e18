"""The file of a recording: read while it grows, exact, and refusing what was changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.errors import VaultError
from compliance.sound.chunks import ChunkFile, ChunkWriter, is_being_written, wipe
from tests.unit.compliance.sound_helpers import Samples, tone

RATE = 8_000
CHUNK = 4_000


class KeySealer:
    """A real AES-256-GCM key, without the key store around it."""

    def __init__(self) -> None:
        self._key = AESGCM(bytes(range(32)))
        self._count = 0

    def seal(self, plain: bytes, *, place: str) -> bytes:
        self._count += 1
        nonce = self._count.to_bytes(12, "big")
        return nonce + self._key.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        try:
            return self._key.decrypt(sealed[:12], sealed[12:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise VaultError("changed") from error


SEALER = KeySealer()
CALLER, TWIN = tone(5 * CHUNK, hz=300), tone(5 * CHUNK, hz=900)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.rec"


@pytest.fixture
def writer(path: Path) -> Iterator[ChunkWriter]:
    writer = ChunkWriter(path, SEALER, RATE)
    yield writer
    writer.close()


def write_all(writer: ChunkWriter) -> None:
    for at in range(0, 5 * CHUNK, CHUNK):
        writer.write("caller", at, CALLER[at : at + CHUNK])
        writer.write("twin", at, TWIN[at : at + CHUNK])


def lanes(file: ChunkFile) -> tuple[Samples, Samples]:
    return file.read(SEALER, "caller", 0, file.frames), file.read(SEALER, "twin", 0, file.frames)


def test_what_was_written_is_read_to_the_sample(path: Path, writer: ChunkWriter) -> None:
    write_all(writer)
    writer.finish()
    file = ChunkFile(path)
    caller, twin = lanes(file)
    assert np.array_equal(caller, CALLER)
    assert np.array_equal(twin, TWIN)
    assert (file.rate_hz, file.frames, file.chunks, file.ended) == (RATE, 5 * CHUNK, 11, True)
    file.check(SEALER)


def test_any_part_can_be_read(path: Path, writer: ChunkWriter) -> None:
    write_all(writer)
    file = ChunkFile(path)
    pick = random.Random(1)
    for _ in range(200):
        start = pick.randrange(5 * CHUNK)
        frames = pick.randrange(5 * CHUNK - start + 1)
        assert np.array_equal(file.read(SEALER, "twin", start, frames), TWIN[start : start + frames])


def test_where_a_lane_has_nothing_is_silence(path: Path, writer: ChunkWriter) -> None:
    writer.write("twin", 0, TWIN[:CHUNK])
    writer.write("twin", CHUNK, np.zeros(CHUNK, np.int16))
    file = ChunkFile(path)
    assert not file.read(SEALER, "caller", 0, 2 * CHUNK).any()
    assert not file.read(SEALER, "twin", CHUNK, 3 * CHUNK).any()


def test_silence_takes_no_room(path: Path, writer: ChunkWriter) -> None:
    writer.write("twin", 0, np.zeros(100 * CHUNK, np.int16))
    assert path.stat().st_size < 100


def test_it_is_read_while_it_grows(path: Path, writer: ChunkWriter) -> None:
    writer.write("caller", 0, CALLER[:CHUNK])
    file = ChunkFile(path)
    assert file.frames == CHUNK
    writer.write("caller", CHUNK, CALLER[CHUNK : 2 * CHUNK])
    assert file.frames == CHUNK
    file.refresh()
    assert np.array_equal(file.read(SEALER, "caller", 0, 2 * CHUNK), CALLER[: 2 * CHUNK])


def test_no_sample_is_on_the_disk_in_the_clear(path: Path, writer: ChunkWriter) -> None:
    write_all(writer)
    stored = path.read_bytes()
    for lane in (CALLER, TWIN):
        assert all(lane[at : at + 8].tobytes() not in stored for at in range(0, len(lane), 97))


def test_the_file_is_for_its_owner_alone_and_is_never_replaced(path: Path, writer: ChunkWriter) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        ChunkWriter(path, SEALER, RATE)


@pytest.mark.parametrize("lost", [1, 10, 500, CHUNK * 2 + 20])
def test_a_last_chunk_that_is_not_whole_is_not_read(path: Path, writer: ChunkWriter, lost: int) -> None:
    """As `kill -9` leaves it."""
    write_all(writer)
    data = path.read_bytes()
    path.write_bytes(data[:-lost])
    file = ChunkFile(path)
    assert file.chunks == 9
    assert not file.ended
    caller, twin = lanes(file)
    assert np.array_equal(caller, CALLER)
    assert np.array_equal(twin[: 4 * CHUNK], TWIN[: 4 * CHUNK])
    with pytest.raises(VaultError, match="no end"):
        file.check(SEALER)


def test_every_changed_bit_is_noticed(path: Path, writer: ChunkWriter) -> None:
    write_all(writer)
    writer.finish()
    data = path.read_bytes()
    pick = random.Random(2)
    for _ in range(500):
        at = pick.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << pick.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(VaultError):
            ChunkFile(path).check(SEALER)


def test_chunks_cannot_be_left_out_swapped_or_cut_off(path: Path, writer: ChunkWriter) -> None:
    write_all(writer)
    writer.finish()
    data = path.read_bytes()
    size = (len(data) - 12 - 22 - 28) // 10
    chunks = [data[12 + at * size : 12 + (at + 1) * size] for at in range(10)]
    end = data[12 + 10 * size :]
    for order in ([*range(9)], [1, 0, *range(2, 10)], [*range(5), *range(6, 10)], [*range(10), 9]):
        path.write_bytes(data[:12] + b"".join(chunks[at] for at in order) + end)
        with pytest.raises(VaultError):
            ChunkFile(path).check(SEALER)
    path.write_bytes(data[: -len(end)])
    with pytest.raises(VaultError, match="no end"):
        ChunkFile(path).check(SEALER)


def test_whether_somebody_writes_it_can_be_seen(path: Path, writer: ChunkWriter) -> None:
    assert is_being_written(path)
    writer.finish()
    assert not is_being_written(path)
    assert not is_being_written(path.with_name("other.rec"))


def test_a_wiped_file_leaves_nothing_behind(path: Path, writer: ChunkWriter) -> None:
    write_all(writer)
    writer.finish()
    with path.open("rb") as still_open:
        wipe(path)
        assert not path.exists()
        assert still_open.read() == b""
    wipe(path)


def test_what_is_not_a_recording_is_refused(path: Path) -> None:
    path.write_bytes(b"RIFF")
    with pytest.raises(VaultError, match="damaged"):
        ChunkFile(path)
    with pytest.raises(VaultError, match="missing"):
        ChunkFile(path.with_name("other.rec"))
