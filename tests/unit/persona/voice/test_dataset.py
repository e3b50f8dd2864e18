"""The data set: sealed with the clone, in the clear only while a training run lasts, and wiped after it."""

from __future__ import annotations

import asyncio
import json
import os
import time
import wave
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.clone import Clones, Enrolment
from compliance.errors import ConsentMissing, PersonaError
from compliance.likeness.permits import Permits
from compliance.likeness.statement import Terms
from compliance.proofs.agreement import Agreement
from compliance.proofs.receipt import make_receipt, verify_receipt
from compliance.proofs.signing import Signer
from compliance.vault import Vault
from persona.voice import dataset
from persona.voice.dataset import Clip, Item
from persona.voice.sound import Sound

CANARY = "the heron waits by the seventh lock"
RATE_HZ = 24_000


def clip(number: int, text: str = CANARY) -> Clip:
    chance = np.random.default_rng(number)
    sound = Sound((chance.standard_normal(RATE_HZ * 3) * 0.1).astype(np.float32), RATE_HZ)
    item = Item(f"clip-{number:04}", "0123456789abcdef", 3.0, text, "whisper", "consent", "2026-11-22", ())
    return Clip(item, sound)


CLIPS = [clip(1), clip(2, ""), clip(3, "a | bar\nand a line")]


@pytest.fixture
async def clones(tmp_path: Path) -> AsyncIterator[Clones]:
    """Those of an owner who consented, on a real vault."""
    async with Vault(tmp_path) as vault:
        signer = Signer.open(tmp_path, vault.master)

        def make(agreement: Agreement, at_ms: int) -> Mapping[str, Any]:
            return make_receipt(agreement, signer, made_ms=at_ms)

        def read(receipt: Mapping[str, Any]) -> Mapping[str, Any] | None:
            report = verify_receipt(receipt, signer.public_pem)
            return report.content if report.valid else None

        def note(kind: str, *, subject: str, detail: Mapping[str, Any]) -> None: ...

        async def recognise(sound: bytes, rate_hz: int, language: str) -> str:
            return challenge.text

        class Same:
            threshold = 0.5

            async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
                return 1.0

        permits = Permits(vault, tmp_path, read_receipt=read)
        await permits.refresh()
        enrolment = Enrolment(
            vault, permits, owner_name="Ada", controller="", recognise=recognise, matcher=Same(),
            make_receipt=make, note=note,
        )  # fmt: skip
        terms = Terms("voice", ("calls",), int((time.time() + 3_600) * 1_000))
        challenge = enrolment.challenge(terms, "en")
        await enrolment.consent(challenge.id, b"", b"", 16_000)
        yield Clones(vault, permits, tmp_path, owner_name="Ada", controller="", make_receipt=make, note=note)


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def runs(folder: Path) -> list[Path]:
    return list(folder.glob("twin-voice-*"))


async def keep(clones: Clones) -> None:
    await dataset.keep(clones, CLIPS, CLIPS[0].sound, CLIPS[1].sound)


async def test_what_is_kept_is_read_again(clones: Clones) -> None:
    await keep(clones)
    assert await dataset.items(clones) == tuple(each.item for each in CLIPS)
    assert await clones.read("voice", dataset.REFERENCE) == CLIPS[0].sound.wav()


async def test_nothing_is_in_the_clear_on_disk(clones: Clones, tmp_path: Path) -> None:
    await keep(clones)
    sound = CLIPS[0].sound.pcm()[:400]
    files = contents(tmp_path)
    assert len(files) > len(CLIPS)
    for data in files:
        assert CANARY.encode() not in data
        assert sound not in data


async def test_a_training_run_gets_the_form_of_ljspeech(clones: Clones, tmp_path: Path) -> None:
    await keep(clones)
    async with dataset.unpacked(clones, tmp_path) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        lines = (folder / "metadata.csv").read_text("utf-8").splitlines()
        # A clip of which nobody knows what it says teaches nothing.
        assert lines == [f"clip-0001|{CANARY}|{CANARY}", "clip-0003|a bar and a line|a bar and a line"]
        with wave.open(str(folder / "wavs" / "clip-0001.wav")) as file:
            assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (RATE_HZ, 1, 3 * RATE_HZ)
        logged = [json.loads(line) for line in (folder / "metadata.jsonl").read_text("utf-8").splitlines()]
        assert [line["name"] for line in logged] == ["clip-0001", "clip-0002", "clip-0003"]
        assert logged[0]["consent_id"] == "consent"
    assert not folder.exists()


async def test_it_is_wiped_when_the_run_fails_or_is_cancelled(clones: Clones, tmp_path: Path) -> None:
    await keep(clones)
    with pytest.raises(ZeroDivisionError):
        async with dataset.unpacked(clones, tmp_path) as folder:
            raise ZeroDivisionError
    assert not folder.exists()
    begun = asyncio.Event()

    async def train() -> None:
        async with dataset.unpacked(clones, tmp_path):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(train(), name="train")
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert runs(tmp_path) == []


def test_wiping_leaves_what_a_link_leads_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("somebody's")
    folder = tmp_path / "run"
    (folder / "wavs").mkdir(parents=True)
    (folder / "wavs" / "a.wav").write_bytes(b"sound")
    os.symlink(elsewhere, folder / "link")
    kept = tmp_path / "kept.wav"
    os.link(folder / "wavs" / "a.wav", kept)
    dataset.wipe(folder)
    assert not folder.exists()
    assert elsewhere.read_text() == "somebody's"
    # A hard link shows what became of the bytes.
    assert kept.read_bytes() == b""


async def test_without_a_data_set_or_a_consent(clones: Clones, tmp_path: Path) -> None:
    assert await dataset.items(clones) == ()
    with pytest.raises(PersonaError, match="twin enroll voice"):
        async with dataset.unpacked(clones, tmp_path):
            pass
    await keep(clones)
    await clones.revoke("voice")
    with pytest.raises(ConsentMissing):
        await dataset.items(clones)


def test_a_files_name_is_not_in_the_log() -> None:
    path = Path("recording of Ada in Paris.wav")
    source = dataset.source_of(path, "consent")
    assert len(source) == 16
    assert source == dataset.source_of(path, "consent") != dataset.source_of(path, "another consent")
