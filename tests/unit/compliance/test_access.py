"""The access package holds the person's own words and the twin's, and nothing of anybody else."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert

from compliance.access import Access
from compliance.errors import RequestError
from compliance.redaction import Line, Redacted, Redactor
from compliance.store.schema import consents, turns
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import ANNA, BEN, KEY, Notes, check, fill, record_sound
from tests.unit.compliance.store_helpers import heard


async def sound(recording_id: str) -> AsyncIterator[bytes] | None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"RIFF" + recording_id.encode()
        yield b"." * 100_000

    return None if "others" in recording_id else pieces()


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor()


def access(vault: Vault, redactor: Redactor) -> Access:
    async def hide(lines: Sequence[Line], language: str) -> Sequence[Redacted]:
        return redactor.redact_lines(lines, language or "en")

    return Access(vault, hide=hide, sign=KEY.sign, signing_key="test", note=Notes(), sound=sound)


async def test_it_reads_well_is_whole_and_signed(
    vault: Vault, home: Path, tmp_path: Path, redactor: Redactor
) -> None:
    await fill(vault, ANNA, "anna")
    await fill(vault, BEN, "ben")
    await record_sound(vault, home, "anna-1")
    await record_sound(vault, home, "anna-2")
    path = tmp_path / "anna.zip"
    package = await access(vault, redactor).write("+49 30 11111111", path)
    assert (package.calls, package.messages, package.recordings, package.left_out) == (4, 4, 2, 0)
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as archive:
        outer = json.loads(archive.read("manifest.json"))
        assert check(outer["manifest"].encode(), b64decode(outer["signature"]))
        hashes = json.loads(outer["manifest"])["files"]
        assert hashes.keys() == set(archive.namelist()) - {"manifest.json"}
        for name, digest in hashes.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        data = json.loads(archive.read("data.json"))
        page = archive.read("read-me.html").decode()
    assert data["about"] == ANNA
    assert len(data["calls"][0]["turns"]) == 2
    assert "purple elephants" in data["calls"][0]["turns"][0]["text"]
    assert "purple elephants" in page
    for other in ("ben", BEN):
        assert other not in page
        assert other not in json.dumps(data)
    with pytest.raises(RequestError, match="already exists"):
        await access(vault, redactor).write(ANNA, path)


async def test_recordings_with_others_in_them_and_other_speakers_are_left_out(
    vault: Vault, home: Path, tmp_path: Path, redactor: Redactor
) -> None:
    vault.begin_call("others", channel="web", subject=ANNA)
    vault.turn_heard("others", heard(0, "good morning to everybody"))
    await vault.flush()
    await record_sound(vault, home, "others")

    def third(tx: Transaction) -> None:
        text = tx.seal(b"I am the third one and my pin is four two", key_id="others", place="turns.sealed_text")
        words = tx.seal(b"[]", key_id="others", place="turns.sealed_words")
        row = {"call_id": "others", "sequence": 1, "who": "third", "start_samples": 0, "end_samples": 1,
               "rate_hz": 24_000, "epoch": 0, "cut": False, "provenance": "", "at_ms": 1,
               "sealed_text": text, "sealed_words": words}  # fmt: skip
        tx.connection.execute(insert(turns), row)

    await vault.run(third)
    package = await access(vault, redactor).write(ANNA, tmp_path / "a.zip")
    assert (package.recordings, package.left_out) == (0, 1)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "good morning to everybody" in everything
    assert "third one" not in everything
    assert "[another person spoke]" in everything


async def test_consents_are_in_it_and_markup_is_only_text(
    vault: Vault, tmp_path: Path, redactor: Redactor
) -> None:
    vault.begin_call("c", channel="web", subject=ANNA)
    vault.turn_heard("c", heard(0, "<script>alert('x')</script> and <b>bold</b>"))
    await vault.flush()

    def agree(tx: Transaction) -> None:
        receipt = tx.seal_json({"purpose": "recording"}, key_id="c", place="consents.sealed_receipt")
        row = {"id": "k", "call_id": "c", "purpose": "recording", "status": "granted", "method": "voice",
               "language": "en", "policy": "1", "at_ms": 5, "sealed_receipt": receipt}  # fmt: skip
        tx.connection.execute(insert(consents), row)

    await vault.run(agree)
    await access(vault, redactor).write(ANNA, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        page = archive.read("read-me.html").decode()
        data = json.loads(archive.read("data.json"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert data["consents"][0]["receipt"] == {"purpose": "recording"}


async def test_nothing_is_written_about_nobody_and_half_a_package_is_none(
    vault: Vault, home: Path, tmp_path: Path, redactor: Redactor
) -> None:
    with pytest.raises(RequestError, match="Nothing is kept"):
        await access(vault, redactor).write("+493099999999", tmp_path / "a.zip")
    await fill(vault, ANNA, "anna", calls=1)
    await record_sound(vault, home, "anna-0")

    async def broken(recording_id: str) -> AsyncIterator[bytes] | None:
        raise RequestError("The disk is gone.")

    under = Access(vault, hide=_nothing, sign=KEY.sign, note=Notes(), sound=broken)
    with pytest.raises(RequestError, match="disk"):
        await under.write(ANNA, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


async def _nothing(lines: Sequence[Line], language: str) -> Sequence[Redacted]:
    return [Redacted(line.text, ()) for line in lines]


def third_person(dice: random.Random) -> tuple[str, list[str]]:
    """A sentence that names somebody else, and what of it must not come out."""
    number = f"+4930{dice.randrange(10**7, 10**8)}"
    first, last = dice.choice(["peter", "lena", "oskar"]), dice.choice(["vogel", "baum"])
    mail = f"{first}.{last}{dice.randrange(99)}@example.org"
    card = "4111 1111 1111 1111"
    return dice.choice(
        [
            (f"please tell my sister, her number is {number}", [number]),
            (f"you can write to my boss at {mail} about it", [mail]),
            (f"it was paid with his card {card} last week", [card]),
            (f"my neighbour has {number} and {mail}", [number, mail]),
        ]
    )


@pytest.mark.parametrize("seed", range(4))
async def test_of_200_generated_cases_no_identifier_of_a_third_person_gets_out(
    vault: Vault, tmp_path: Path, redactor: Redactor, seed: int
) -> None:
    dice = random.Random(seed)
    secret: dict[str, list[str]] = {}
    for number in range(50):
        text, hidden = third_person(dice)
        secret[f"c{number}"] = hidden
        vault.begin_call(f"c{number}", channel="phone", subject=ANNA, language="en")
        vault.turn_heard(f"c{number}", heard(0, f"this is about {ANNA}: {text}"))
        vault.begin_call(f"b{number}", channel="phone", subject=BEN)
        vault.turn_heard(f"b{number}", heard(0, f"the words of ben, case {number}"))
    await vault.flush()
    package = await access(vault, redactor).write(ANNA, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    leaked = [one for hidden in secret.values() for one in hidden if one in everything]
    assert leaked == []
    assert "words of ben" not in everything
    assert everything.count(ANNA) >= 100
    assert package.hidden >= 50
