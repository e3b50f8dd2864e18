"""`twin calls export` of sound: what was recorded, signed, and found again by the watermark when stripped."""

from __future__ import annotations

import wave
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agent.archive import opened
from agent.call_sound import export
from agent.home import Home
from compliance.errors import VaultError
from compliance.origin.authority import read_anchors
from compliance.origin.manifests import Manifests
from compliance.provenance import recovered, verify
from compliance.vault import Vault
from compliance.watermark.keys import DayKey
from compliance.watermark.register import Marks
from compliance.watermark.token import CallToken
from tests.unit.compliance.sound_helpers import tone

ANNA = "+493012345"
KEY = DayKey(date(2026, 11, 22), 1, bytes(32))
CALLER, TWIN = tone(8_000, hz=300), tone(8_000, hz=900)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    return Home(folder, demo=True)


async def recorded(home: Home, *, times: int = 1, subject: str | None = ANNA) -> CallToken:
    async with opened(home) as archive:
        archive.vault.begin_call("CA1", channel="phone", subject=subject)
        token = await Marks(archive.vault).for_call("CA1", KEY, limit_s=10)
        for _ in range(times):
            recording = archive.recordings.start("CA1", clock_hz=8_000, caller_hz=8_000, position=0)
            for at in range(0, 8_000, 160):
                recording.twin(TWIN[at : at + 160].tobytes(), at)
                recording.caller(CALLER[at : at + 160].tobytes(), at + 160)
            recording.stop()
            await recording.settled()
        archive.vault.end_call("CA1", "hangup")
        return token


async def test_it_is_signed_with_the_token_of_the_call(home: Home, tmp_path: Path) -> None:
    token = await recorded(home)
    file = tmp_path / "call.wav"
    assert await export(home, "CA1", file, force=False) == (file,)
    verdict = verify(file, anchors=read_anchors(home.path))
    assert (verdict.trusted, verdict.ai, verdict.token) == (True, "partly", token.text)
    with wave.open(str(file)) as opened_file:
        both = np.frombuffer(opened_file.readframes(1 << 20), np.int16).reshape(-1, 2)
    assert np.array_equal(both[:, 1], TWIN)


async def test_stripped_of_its_manifest_it_is_found_again_until_the_caller_is_forgotten(
    home: Home, tmp_path: Path
) -> None:
    token = await recorded(home)
    file, bare = tmp_path / "call.wav", tmp_path / "bare.wav"
    await export(home, "CA1", file, force=False)
    with wave.open(str(file)) as source, wave.open(str(bare), "wb") as target:
        target.setparams(source.getparams())
        target.writeframes(source.readframes(source.getnframes()))
    assert not verify(bare).found
    async with Vault(home.path) as vault:
        manifest = await Manifests(vault).find(token.text)
        assert manifest is not None
        assert recovered(bare, manifest).token == token.text
        await vault.forget(ANNA)
        assert await Manifests(vault).find(token.text) is None


async def test_of_nobody_known_it_goes_with_the_call(home: Home, tmp_path: Path) -> None:
    token = await recorded(home, subject=None)
    await export(home, "CA1", tmp_path / "call.m4a", force=False)
    async with Vault(home.path) as vault:
        assert await Manifests(vault).find(token.text) is not None
        await vault.forget("call:CA1")
        assert await Manifests(vault).find(token.text) is None


@pytest.mark.parametrize("whom", ["the caller", "the call"])
async def test_an_erasure_takes_the_token_and_the_manifest_and_leaves_nothing(
    home: Home, tmp_path: Path, whom: str
) -> None:
    token = await recorded(home)
    await export(home, "CA1", tmp_path / "call.wav", force=False)
    async with opened(home) as archive:
        marks = Marks(archive.vault)
        assert await marks.find(token.day, token.short, token.bits) == ["CA1"]
        erased = archive.erase_call("CA1") if whom == "the call" else archive.eraser.erase(ANNA)
        receipt = await erased
        assert receipt.done, receipt
        assert await marks.tokens(token.day, token.short) == []
        assert await Manifests(archive.vault).find(token.text) is None


async def test_what_was_recorded_in_parts_becomes_several_files(home: Home, tmp_path: Path) -> None:
    await recorded(home, times=2)
    files = await export(home, "CA1", tmp_path / "call.wav", force=False)
    assert [file.name for file in files] == ["call.wav", "call-2.wav"]
    assert all(verify(file).valid for file in files)


async def test_what_is_there_is_not_replaced_and_what_is_not_kept_is_said(home: Home, tmp_path: Path) -> None:
    await recorded(home)
    file = tmp_path / "call.wav"
    file.write_bytes(b"mine")
    with pytest.raises(VaultError, match="--force"):
        await export(home, "CA1", file, force=False)
    assert file.read_bytes() == b"mine"
    await export(home, "CA1", file, force=True)
    with pytest.raises(VaultError, match="no call CA2"):
        await export(home, "CA2", tmp_path / "other.wav", force=False)
    async with opened(home) as archive:
        archive.vault.begin_call("CA3", channel="phone", subject=ANNA)
    with pytest.raises(VaultError, match="no sound is kept"):
        await export(home, "CA3", tmp_path / "other.wav", force=False)
