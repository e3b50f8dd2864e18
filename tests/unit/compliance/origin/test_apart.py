"""A manifest read in a process of its own says what it says here; what fells its reader fells nobody else."""

from __future__ import annotations

import asyncio
import random
import struct
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from compliance.errors import ProvenanceError
from compliance.origin import apart
from compliance.origin.apart import UNREAD, verdict_apart
from compliance.origin.authority import open_authority, read_anchors
from compliance.provenance import Claim, Provenance, Verdict, recovered, verify
from tests.unit.compliance.watermark.files import encode, tone, write_wav

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CLAIM = Claim("speech", "Ada Example", NOW, token="20261122-00c0ffee", consent={"recording": "granted"})


@pytest.fixture
def provenance(home: Path) -> Provenance:
    return Provenance(open_authority(home, None, name="Ada Example", now=NOW))


def written(path: Path) -> Path:
    if path.suffix == ".wav":
        return write_wav(path, tone(1, 16_000))
    return encode(path, tone(1, 44_100), codec="aac", form="mp4", rate_hz=44_100)


@pytest.mark.parametrize("suffix", [".wav", ".mp4"])
async def test_it_says_what_is_said_here(tmp_path: Path, home: Path, provenance: Provenance, suffix: str) -> None:
    plain, signed = written(tmp_path / f"plain{suffix}"), tmp_path / f"signed{suffix}"
    manifest = provenance.sign(plain, signed, CLAIM)
    anchors = read_anchors(home)
    for path, given in ((signed, None), (plain, None), (plain, manifest)):
        here = recovered(path, given, anchors=anchors) if given else verify(path, anchors=anchors)
        assert await verdict_apart(path, anchors=anchors, manifest=given) == here
    assert (await verdict_apart(signed, anchors=anchors)).trusted
    assert not (await verdict_apart(signed, anchors=None)).trusted


async def test_what_was_changed_is_found(tmp_path: Path, home: Path, provenance: Provenance) -> None:
    path = written(tmp_path / "a.wav")
    provenance.sign(path, path, CLAIM)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    verdict = await verdict_apart(path, anchors=read_anchors(home))
    assert (verdict.found, verdict.valid) == (True, False)
    assert "assertion.dataHash.mismatch" in verdict.problems


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing",
        b"RIFF\xff\xff\xff\xffWAVE",
        b"\x00\x00\x00\x18ftypM4A ",
        struct.pack(">I4s", 1, b"ftyp") * 999,
    ],
    ids=range(5),
)
async def test_rubbish_says_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    await asyncio.to_thread(path.write_bytes, data)
    verdict = await verdict_apart(path, anchors=None)
    assert not verdict.valid


async def test_manifests_broken_anywhere_say_nothing_that_counts(
    tmp_path: Path, home: Path, provenance: Provenance
) -> None:
    path = written(tmp_path / "a.mp4")
    provenance.sign(path, path, CLAIM)
    whole, pick = path.read_bytes(), random.Random(4)
    for _ in range(4):
        data = bytearray(whole)
        for at in (pick.randrange(40, min(len(data), 8_000)) for _ in range(40)):
            data[at] = pick.randrange(256)
        path.write_bytes(data)
        assert not (await verdict_apart(path, anchors=read_anchors(home))).trusted


async def test_a_reader_that_fails_or_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.wav")
    before = psutil.Process().children(recursive=True)
    monkeypatch.setattr(apart, "_HERE", "tests.unit.compliance.watermark.sleeper")
    assert await verdict_apart(path, anchors=None, limit_s=0.3) == Verdict(found=False, problems=(UNREAD,))
    monkeypatch.setattr(apart, "_HERE", "compliance.watermark.token")
    assert await verdict_apart(path, anchors=None) == Verdict(found=False, problems=(UNREAD,))
    assert psutil.Process().children(recursive=True) == before


async def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match="cannot be read"):
        await verdict_apart(tmp_path / "a.wav", anchors=None)
