"""A recording as a file to hand out."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from compliance.errors import ProvenanceError, VaultError
from compliance.origin.authority import open_authority, read_anchors
from compliance.origin.export import export
from compliance.origin.manifests import Manifests
from compliance.provenance import Claim, Provenance, verify
from compliance.records import Recordings
from compliance.vault import Vault
from tests.unit.compliance.sound_helpers import Samples, tone

CALLER, TWIN = tone(16_000, hz=300), tone(16_000, hz=900)
CLAIM = Claim("call", "Ada", datetime(2026, 11, 22, tzinfo=UTC), whole=False, token="0badcafe")


@pytest.fixture
async def recordings(vault: Vault, home: Path) -> AsyncIterator[Recordings]:
    vault.begin_call("CA1", channel="phone")
    async with Recordings(vault, home / "recordings") as recordings:
        yield recordings


@pytest.fixture
def provenance(vault: Vault, home: Path) -> Provenance:
    return Provenance(open_authority(home, vault.master, name="Ada", now=datetime.now(UTC)))


async def recorded(recordings: Recordings) -> str:
    recording = recordings.start("CA1", clock_hz=8_000, caller_hz=8_000, position=0)
    for at in range(0, 16_000, 160):
        recording.twin(TWIN[at : at + 160].tobytes(), at)
        recording.caller(CALLER[at : at + 160].tobytes(), at + 160)
    recording.stop()
    await recording.settled()
    return recording.id


def read_wav(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(1 << 20), np.int16).reshape(-1, file.getnchannels())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def decoded(path: Path) -> tuple[int, float]:
    """Channels and seconds of any file."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        return frames[0].layout.nb_channels, sum(frame.samples for frame in frames) / frames[0].sample_rate


async def test_a_wav_holds_both_sides_and_says_what_it_is(
    recordings: Recordings, provenance: Provenance, vault: Vault, home: Path, tmp_path: Path
) -> None:
    recording_id = await recorded(recordings)
    target = tmp_path / "call.wav"
    manifests = Manifests(vault)
    await export(recordings, recording_id, target, CLAIM, provenance=provenance, manifests=manifests)
    both = read_wav(target)
    assert np.array_equal(both[:, 0], CALLER)
    assert np.array_equal(both[:, 1], TWIN)
    verdict = verify(target, anchors=read_anchors(home))
    assert (verdict.trusted, verdict.ai, verdict.token) == (True, "partly", "0badcafe")
    assert await manifests.find("0badcafe") is not None
    assert names_in(tmp_path) == ["call.wav", "home"]


async def test_an_m4a_is_a_tenth_of_it(recordings: Recordings, provenance: Provenance, tmp_path: Path) -> None:
    recording_id = await recorded(recordings)
    target = tmp_path / "call.m4a"
    await export(recordings, recording_id, target, CLAIM, provenance=provenance)
    assert verify(target).valid
    channels, seconds = decoded(target)
    assert channels == 2
    assert seconds == pytest.approx(2.0, abs=0.2)


async def test_one_side_alone(recordings: Recordings, provenance: Provenance, tmp_path: Path) -> None:
    recording_id = await recorded(recordings)
    target = tmp_path / "call.wav"
    await export(recordings, recording_id, target, CLAIM, provenance=provenance, channels="caller")
    assert np.array_equal(read_wav(target)[:, 0], CALLER)


async def test_what_cannot_be_written_leaves_nothing_behind(
    recordings: Recordings, provenance: Provenance, tmp_path: Path
) -> None:
    recording_id = await recorded(recordings)
    with pytest.raises(ProvenanceError, match=r"\.wav or \.m4a"):
        await export(recordings, recording_id, tmp_path / "call.ogg", CLAIM, provenance=provenance)
    with pytest.raises(VaultError):
        await export(recordings, "0" * 32, tmp_path / "call.wav", CLAIM, provenance=provenance)
    with pytest.raises(ProvenanceError, match="cannot be written"):
        await export(recordings, recording_id, tmp_path / "no" / "call.wav", CLAIM, provenance=provenance)
    assert names_in(tmp_path) == ["home"]
