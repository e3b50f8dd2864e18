"""A file's manifest and its watermark in one judgement: which of them counts, and what they find together."""

from __future__ import annotations

import shutil
import wave
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from compliance import judgement as judging
from compliance.errors import WatermarkError
from compliance.judgement import Judge, Judgement, headline
from compliance.origin.authority import open_authority
from compliance.origin.manifests import Manifests
from compliance.provenance import Claim, Provenance, Verdict
from compliance.vault import Vault
from compliance.watermark.keys import DayKey, MarkKeys
from compliance.watermark.listening import Place
from compliance.watermark.register import Marks
from compliance.watermark.token import CallToken
from compliance.watermark.verifying import PUBLIC, Limits, MarkVerdict

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PLACE = Place(1.0, 11.0, 3e-10, DAY, 1, 0x1234, 0x1234_5678, 1.0, 1.0, "")
MARKED = MarkVerdict(heard_s=12.0, p_value=3e-10, places=(PLACE,), keys=30)
UNMARKED = MarkVerdict(heard_s=12.0, p_value=0.4, keys=30)
UNREAD = MarkVerdict(heard_s=0.0, problem="this is not a sound or video file that can be read", keys=30)

NONE = Verdict(found=False)
OURS = Verdict(found=True, valid=True, trusted=True, token="20261122-12345678")
OTHERS = Verdict(found=True, valid=True)
CHANGED = Verdict(found=True, problems=("assertion.dataHash.mismatch",))


@pytest.mark.parametrize(
    ("file", "mark", "standing", "ours"),
    [
        (NONE, MARKED, "marked", True),
        (OURS, MARKED, "marked", True),
        (OTHERS, MARKED, "marked", True),
        (OURS, UNMARKED, "signed", True),
        (OURS, UNREAD, "signed", True),
        (OTHERS, UNMARKED, "foreign", False),
        (CHANGED, UNMARKED, "changed", False),
        (CHANGED, MARKED, "changed", False),
        (replace(OURS, token="20261122-ffffffff"), MARKED, "contradicted", False),
        (replace(OURS, token="00c0ffee"), MARKED, "contradicted", False),
        (NONE, UNMARKED, "nothing", False),
        (NONE, UNREAD, "unreadable", False),
    ],
)
def test_how_a_file_stands(file: Verdict, mark: MarkVerdict, standing: str, ours: bool) -> None:
    judgement = Judgement(file, mark)
    assert (judgement.standing, judgement.ours) == (standing, ours)
    assert headline(judgement)


def test_a_token_that_was_heard_in_part_fits_the_whole_one() -> None:
    part = replace(MARKED, places=(replace(PLACE, full=None),))
    assert Judgement(OURS, part).standing == "marked"
    unheard = replace(MARKED, places=(replace(PLACE, short=None, full=None),))
    assert Judgement(OURS, unheard).standing == "marked"
    other = replace(MARKED, places=(replace(PLACE, short=0x4321, full=None),))
    assert Judgement(OURS, other).standing == "contradicted"


def test_what_people_are_told() -> None:
    assert headline(Judgement(NONE, MARKED)) == (
        "This twin's watermark is in the sound (the chance of a mistake is below 1 in 10^9)."
    )
    assert headline(Judgement(NONE, MARKED, recovered=OURS)).endswith("removed, and was found again.")
    assert "proves nothing for recordings under 3 s" in headline(Judgement(NONE, UNMARKED))
    assert "nothing to find" in headline(Judgement(NONE, replace(UNMARKED, keys=0)))
    assert "All the same this twin's watermark is in the sound" in headline(Judgement(CHANGED, MARKED))
    assert headline(Judgement(NONE, UNREAD)) == (
        "Not looked at: this is not a sound or video file that can be read."
    )


class Listened:
    """Stands for the two processes: hears what it is told to."""

    def __init__(self, mark: MarkVerdict) -> None:
        self.mark = mark
        self.keys = tuple[DayKey, ...]()

    async def __call__(self, path: Path, keys: tuple[DayKey, ...], limits: Limits) -> MarkVerdict:
        self.keys = tuple(keys)
        return self.mark


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> Listened:
    double = Listened(MARKED)
    monkeypatch.setattr(judging, "listened", double)
    return double


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes((3_000 * np.sin(np.arange(8_000) / 3)).astype("<i2").tobytes())
    return path


def signed(home: Path, sound: Path, token: CallToken) -> bytes:
    """Sign the file; the manifest."""
    authority = open_authority(home, None, name="Ada Example", now=NOW)
    claim = Claim("speech", "Ada Example", NOW, token=token.text)
    return Provenance(authority).sign(sound, sound, claim)


def key_of(home: Path, vault: Vault, day: date = DAY) -> DayKey:
    return MarkKeys.open(home, vault.master, now=NOW.timestamp).of(day)


async def test_a_home_that_marked_nothing_tries_no_key_and_makes_none(
    home: Path, vault: Vault, sound: Path, listened: Listened
) -> None:
    listened.mark = UNMARKED
    await Judge(home, vault, PUBLIC).of(sound)
    assert listened.keys == ()
    assert not (home / "keys" / "watermark.key").exists()


async def test_the_keys_of_the_days_on_which_it_spoke_are_tried_the_newest_first(
    home: Path, vault: Vault, sound: Path, listened: Listened
) -> None:
    marks = Marks(vault)
    for day in (1, 5, 3, 2, 4):
        await marks.for_file(key_of(home, vault, date(2026, 11, day)))
    judge = Judge(home, vault, PUBLIC, most_days=3)
    await judge.of(sound)
    assert [key.day.day for key in listened.keys] == [5, 4, 3]
    await Judge(home, vault, PUBLIC, since=date(2026, 11, 2), most_days=3).of(sound)
    assert [key.day.day for key in listened.keys] == [5, 4, 3, 2]


@pytest.mark.parametrize("heard_whole", [True, False])
async def test_a_manifest_that_was_stripped_is_found_again_by_the_mark(
    home: Path, vault: Vault, sound: Path, listened: Listened, heard_whole: bool
) -> None:
    token = await Marks(vault).for_file(key_of(home, vault))
    plain = sound.with_name("plain.wav")
    shutil.copy(sound, plain)
    await Manifests(vault).keep(token.text, signed(home, sound, token))
    place = replace(PLACE, short=token.short, full=token.bits if heard_whole else None)
    listened.mark = replace(MARKED, places=(place,))
    stripped = await Judge(home, vault, PUBLIC).of(plain)
    assert stripped.recovered is not None
    assert (stripped.recovered.owner, stripped.recovered.token) == ("Ada Example", token.text)
    assert (stripped.file.found, stripped.standing) == (False, "marked")
    whole = await Judge(home, vault, PUBLIC).of(sound)
    assert (whole.recovered, whole.file.trusted, whole.standing) == (None, True, "marked")


async def test_a_mark_without_a_manifest_finds_none(
    home: Path, vault: Vault, sound: Path, listened: Listened
) -> None:
    assert (await Judge(home, vault, PUBLIC).of(sound)).recovered is None
    listened.mark = replace(MARKED, places=(replace(PLACE, short=None, full=None),))
    assert (await Judge(home, vault, PUBLIC).of(sound)).recovered is None


async def test_the_call_is_named_while_it_is_kept(
    home: Path, vault: Vault, sound: Path, listened: Listened
) -> None:
    vault.begin_call("CA1", channel="phone", subject="+4930123456")
    await vault.flush()
    await Marks(vault).for_apology(key_of(home, vault))
    token = await Marks(vault).for_call("CA1", key_of(home, vault))
    judge = Judge(home, vault, PUBLIC)
    mark = replace(MARKED, places=(replace(PLACE, short=token.short, full=token.bits),))
    assert [call.id for call in await judge.calls(mark)] == ["CA1"]
    part = replace(MARKED, places=(replace(PLACE, short=token.short, full=None),))
    assert [call.id for call in await judge.calls(part)] == ["CA1"]
    await vault.forget("+4930123456")
    assert await judge.calls(mark) == ()
    await judge.of(sound)
    assert [key.day for key in listened.keys] == [DAY], "what was said on that day is still the twin's"


async def test_without_a_vault_manifests_alone_are_judged(home: Path, sound: Path, listened: Listened) -> None:
    listened.mark = UNMARKED
    judge = Judge(home, None, PUBLIC)
    assert (await judge.of(sound)).standing == "nothing"
    assert await judge.calls(MARKED) == ()


async def test_a_file_that_is_not_there_is_an_error(home: Path, vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(WatermarkError, match="cannot be read"):
        await Judge(home, vault, PUBLIC).of(tmp_path / "missing.wav")
