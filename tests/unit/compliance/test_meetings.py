"""A meeting in one transcript: each person's part is theirs, under their key, and goes with them alone."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from compliance.access import Access
from compliance.console import consents
from compliance.console.inventory import count
from compliance.errors import VaultError
from compliance.evidence import open_evidence
from compliance.forgetting.erasure_receipt import opened
from compliance.forgetting.sweeper import Sweeper
from compliance.proofs.agreement import Agreement, Answer, Party
from compliance.proofs.register import Register
from compliance.proofs.signing import Signer
from compliance.records import Recordings
from compliance.redaction import Line, Redacted
from compliance.search import Search
from compliance.settings import RetentionSettings, StoreSettings
from compliance.store.people import participant_id
from compliance.store.schema import evidence, participants, recordings, subjects
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import KEY, Notes, check, eraser, hits
from tests.unit.compliance.meetings import (
    ANNA,
    ANNA_SAID,
    BEN,
    BEN_SAID,
    CLEO,
    CLEO_SAID,
    RATE_HZ,
    ROOM,
    TO_ALL,
    TO_ANNA,
    hold,
    turn,
)
from tests.unit.compliance.store_helpers import copy_files


async def part_of(vault: Vault, identity: str) -> str:
    """The name of the key of somebody's part in the meeting."""
    found = await vault.run(lambda tx: participant_id(tx, ROOM, identity))
    assert found is not None
    return found


async def test_one_transcript_has_everybody_with_names_and_times(home: Path, store: StoreSettings) -> None:
    async with Vault(home, store) as vault:
        hold(vault)
        kept = await vault.call(ROOM)
        (listed,) = await vault.calls()
    assert kept is not None
    said = [(each.who, each.speaker, each.name) for each in kept.turns]
    assert said == [
        ("twin", "", ""),
        ("caller", ANNA, "Anna Lindqvist"),
        ("caller", BEN, "Ben"),
        ("twin", ANNA, ""),
        ("caller", CLEO, "Cleo"),
    ]
    there = {person.identity: person.left_ms is None for person in kept.participants}
    assert there == {ANNA: True, BEN: False, CLEO: True}
    assert set(listed.people) == {"Anna Lindqvist", "Ben", "Cleo"}
    assert listed.subject is None
    assert [entry.kind for entry in kept.minutes] == ["statement", "question", "decision"]


async def test_a_person_is_erased_from_a_meeting_and_nobody_else(home: Path, store: StoreSettings) -> None:
    async with Vault(home, store) as vault:
        hold(vault)
        await vault.flush()
        under = eraser(vault, home, settings=store)
        seen = await under.preview(ANNA)
        assert (seen.calls, seen.meetings) == (0, 1)
        receipt = await under.erase(ANNA)
        if store.url is None:
            assert receipt.done, receipt.stores
        assert (receipt.calls, receipt.meetings) == (0, 1)
        assert receipt.deleted["participants"] == 1
        assert receipt.deleted["turns"] == 2  # hers, and what the twin answered her
        kept = await vault.call(ROOM)
        assert kept is not None
        assert [each.text for each in kept.turns] == [TO_ALL, BEN_SAID, CLEO_SAID]
        assert {person.identity for person in kept.participants} == {BEN, CLEO}
        assert [entry.text for entry in kept.minutes] == [TO_ALL, BEN_SAID]
        assert kept.messages == ()
        assert await vault.calls(subject=ANNA) == ()
        signed = await under.receipt(receipt.id)
    told = opened(signed or "", check)
    assert told is not None
    assert told["meetings"] == 1
    if store.url is None:
        assert hits(home, ANNA, "purple elephants") == {}


async def test_each_part_is_sealed_under_a_key_of_its_own(vault: Vault) -> None:
    hold(vault)
    await vault.destroy_keys([await part_of(vault, ANNA)])
    kept = await vault.call(ROOM)
    assert kept is not None
    assert ANNA_SAID not in {each.text for each in kept.turns}
    assert BEN_SAID in {each.text for each in kept.turns}


async def test_of_somebody_who_was_not_told_nothing_is_kept(vault: Vault) -> None:
    vault.begin_call(ROOM, channel="room")
    vault.turn_heard(ROOM, turn(0, ANNA_SAID, 0, 4, speaker=ANNA, name="Anna"))
    vault.event(ROOM, "joined", speaker=ANNA)
    await vault.flush()
    kept = await vault.call(ROOM)
    assert kept is not None
    assert (kept.turns, kept.events) == ((), ())
    assert vault.counters().orphaned == 2


async def test_who_is_forgotten_in_the_middle_of_a_meeting_stays_forgotten(vault: Vault, home: Path) -> None:
    hold(vault)
    await vault.flush()
    await eraser(vault, home).erase(ANNA)
    vault.turn_heard(ROOM, turn(5, "and another word of mine", 21, 23, speaker=ANNA, name="Anna"))
    await vault.flush()
    kept = await vault.call(ROOM)
    assert kept is not None
    assert ANNA not in {each.speaker for each in kept.turns}


async def test_only_one_persons_words_are_taken_back(vault: Vault) -> None:
    hold(vault)
    vault.turns_forgotten(ROOM, speaker=BEN)
    kept = await vault.call(ROOM)
    assert kept is not None
    assert [each.sequence for each in kept.turns] == [0, 1, 3, 4]


async def test_a_person_finds_the_meetings_they_took_part_in(vault: Vault) -> None:
    hold(vault)
    assert [call.id for call in await vault.calls(subject="Ben@Example.org")] == [ROOM]
    assert [call.id for call in await vault.calls(subject="+49 30 22222222")] == [ROOM]
    assert await vault.calls(subject="nobody") == ()
    counted = await vault.run(lambda tx: count(tx, CLEO, None))
    assert (counted.calls, counted.meetings, counted.turns) == (0, 1, 1)


async def test_an_identity_that_names_a_call_is_not_that_calls_person(vault: Vault) -> None:
    hold(vault)
    vault.begin_call("other", channel="room")
    vault.participant("other", f"call:{ROOM}", "Mallory")
    vault.turn_heard("other", turn(0, "hello to all", 0, 2, speaker=f"call:{ROOM}", name="Mallory"))
    kept = await vault.call("other")
    assert kept is not None
    assert kept.participants[0].identity == f"identity call:{ROOM}"
    assert [call.id for call in await vault.calls(subject=f"call:{ROOM}")] == [ROOM]


async def test_a_renamed_participant_keeps_the_name_of_each_turn(vault: Vault) -> None:
    vault.begin_call(ROOM, channel="room")
    vault.participant(ROOM, ANNA, "Anna")
    vault.turn_heard(ROOM, turn(0, "one", 0, 1, speaker=ANNA, name="Anna"))
    vault.participant_left(ROOM, ANNA)
    vault.participant(ROOM, ANNA, "Anna L.")
    vault.turn_heard(ROOM, turn(1, "two", 2, 3, speaker=ANNA, name="Anna L."))
    kept = await vault.call(ROOM)
    assert kept is not None
    assert [each.name for each in kept.turns] == ["Anna", "Anna L."]
    assert [(person.name, person.left_ms) for person in kept.participants] == [("Anna L.", None)]


async def test_who_is_forgotten_in_the_middle_of_a_meeting_stays_out_of_it(vault: Vault, home: Path) -> None:
    vault.begin_call(ROOM, channel="room")
    vault.participant(ROOM, ANNA, "Anna")
    vault.turn_heard(ROOM, turn(0, "one", 0, 1, speaker=ANNA, name="Anna"))
    await vault.flush()
    await eraser(vault, home).erase(ANNA)
    vault.participant(ROOM, ANNA, "Anna L.")
    vault.turn_heard(ROOM, turn(1, "two", 2, 3, speaker=ANNA, name="Anna L."))
    vault.participant(ROOM, BEN, "Ben")
    vault.begin_call("next", channel="room")
    vault.participant("next", ANNA, "Anna")
    kept, other = await vault.call(ROOM), await vault.call("next")
    assert kept is not None
    assert other is not None
    assert [person.name for person in kept.participants] == ["Ben"]
    assert kept.turns == ()
    assert [person.name for person in other.participants] == ["Anna"]


async def test_a_store_that_does_not_know_of_the_erasure_yet_takes_nobody_in(vault: Vault, home: Path) -> None:
    vault.begin_call(ROOM, channel="room")
    vault.participant(ROOM, ANNA, "Anna")
    await vault.flush()
    async with Vault(home) as another:
        await eraser(another, home).erase(ANNA)
    known = await vault.run(lambda tx: tx.connection.execute(select(subjects.c.id)).all())
    vault.participant(ROOM, ANNA, "Anna L.")
    kept = await vault.call(ROOM)
    assert kept is not None
    assert kept.participants == ()
    assert await vault.run(lambda tx: tx.connection.execute(select(subjects.c.id)).all()) == known


async def test_a_restored_backup_brings_nobody_back(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    async with Vault(home) as vault:
        hold(vault)
        await vault.flush()
        copy_files(home, copy)
        await eraser(vault, home).erase(ANNA)
    for file in copy.iterdir():
        if file.name.startswith("twin.db"):
            shutil.copy(file, home / file.name)
    async with Vault(home) as vault:
        again = await eraser(vault, home).start()
        kept = await vault.call(ROOM)
    assert [receipt.done for receipt in again] == [True]
    assert kept is not None
    assert [each.text for each in kept.turns] == [TO_ALL, BEN_SAID, CLEO_SAID]


async def test_the_search_finds_what_others_said_and_forgets_with_the_person(vault: Vault, home: Path) -> None:
    hold(vault)
    search = Search(vault)
    assert {hit.sequence for hit in await search.find("elephants")} == {1, 3}
    await vault.destroy_keys([await part_of(vault, ANNA)])
    assert await search.find("elephants") == ()
    assert [hit.sequence for hit in await search.find("Rotterdam")] == [2]
    await search.close()


async def test_the_package_holds_the_persons_part_and_what_was_said_to_them(vault: Vault, tmp_path: Path) -> None:
    async def hide(lines: list[Line], language: str) -> list[Redacted]:
        return [Redacted(line.text, ()) for line in lines]

    hold(vault)
    notes = Notes()
    access = Access(vault, hide=hide, sign=KEY.sign, note=notes)  # type: ignore[arg-type]
    package = await access.write(ANNA, tmp_path / "anna.zip")
    assert package.calls == 1
    with zipfile.ZipFile(package.path) as archive:
        text = archive.read("data.json").decode()
    data = json.loads(text)
    (call,) = data["calls"]
    shown = [(each["who"], each["text"]) for each in call["turns"]]
    assert shown == [
        ("twin", TO_ALL),
        ("caller", ANNA_SAID),
        ("another person", "[another person spoke]"),
        ("twin", TO_ANNA),
        ("another person", "[another person spoke]"),
    ]
    assert [message["text"] for message in data["messages"]] == ["call me about the elephants"]
    for others in (BEN_SAID, CLEO_SAID, BEN, CLEO, "Cleo"):
        assert others not in text


async def test_evidence_and_consents_of_a_participant_are_theirs(vault: Vault, home: Path) -> None:
    vault.begin_call(ROOM, channel="room")
    signer = Signer.open(home, vault.master)
    async with open_evidence(home, vault, StoreSettings(), signer=signer) as noted:
        for who in (ANNA, BEN):
            vault.participant(ROOM, who, "")
            noted.note("disclosure_played", call_id=ROOM, subject=who, detail={"to": who})
            Register(vault, signer).keep(agreement(who))
        await noted.flush()
        assert {entry.state for entry in await noted.of(call_id=ROOM)} == {"proved"}
        assert len(await consents.of_call(vault, ROOM)) == 2
        await eraser(vault, home).erase(ANNA)
        assert [dict(entry.detail or {}) for entry in await noted.of(call_id=ROOM)] == [{"to": BEN}]
        assert len(await consents.of_call(vault, ROOM)) == 1


def agreement(who: str) -> Agreement:
    return Agreement(
        person=Party(who),
        controller=Party(name="Ada"),
        answers=(Answer("transcription", "granted", 1, "voice"),),
        language="en",
        notice="May I write along?",
        policy="v1",
        started_ms=1,
        call_id=ROOM,
        channel="room",
    )


async def test_the_sound_of_a_question_goes_with_whose_it_is(vault: Vault, home: Path) -> None:
    hold(vault)
    sound = (np.sin(np.arange(16_000 * 3) / 20) * 8_000).astype(np.int16).tobytes()
    async with Recordings(vault, home / "recordings") as kept:
        first = kept.keep(ROOM, sound, pcm_hz=16_000, clock_hz=RATE_HZ, position=6 * RATE_HZ, speaker=ANNA)
        kept.keep(ROOM, sound, pcm_hz=16_000, clock_hz=RATE_HZ, position=8 * RATE_HZ, speaker=BEN)
        kept.keep(ROOM, sound, pcm_hz=16_000, clock_hz=RATE_HZ, position=0, speaker="nobody here")
    async with Recordings(vault, home / "recordings") as kept:
        entries = await kept.of(ROOM)
        assert len(entries) == 2
        assert await kept.read(first, 0, 48_000, "caller") == sound
        assert not any(await kept.read(first, 0, 48_000, "twin"))
        await kept.check(first)
        await eraser(vault, home).erase(ANNA)
        assert [entry.start_samples for entry in await kept.of(ROOM)] == [8 * RATE_HZ]
        assert not (home / "recordings" / f"{first}.rec").exists()
        with pytest.raises(VaultError):
            await kept.read(first, 0, 10)
    owners = await vault.run(lambda tx: list(tx.connection.execute(select(recordings.c.participant_id)).scalars()))
    assert None not in owners


async def test_a_meeting_goes_in_steps_and_its_keys_with_it(home: Path) -> None:
    now_s = 1_700_000_000.0
    day_s = 86_400.0
    settings = RetentionSettings()
    vault = Vault(home, now=lambda: now_s)
    await vault.open()
    hold(vault)
    keys = await vault.run(lambda tx: list(tx.connection.execute(select(participants.c.id)).scalars()))
    sweeper = Sweeper(vault, settings)
    now_s += (settings.transcript_days + 1) * day_s
    await sweeper.sweep()
    left = await vault.run(lambda tx: list(tx.connection.execute(select(participants.c.sealed_name)).scalars()))
    if settings.message_days > settings.transcript_days:
        assert left == [b""] * 3
    now_s += (settings.evidence_days + 1) * day_s
    await sweeper.sweep()
    await sweeper.sweep()
    assert await vault.calls() == ()
    people = await vault.run(lambda tx: list(tx.connection.execute(select(subjects.c.id)).scalars()))
    standing = await vault.run(lambda tx: tx.keys.standing(keys))
    assert (people, standing) == ([], set())
    await vault.close()


async def test_erasing_a_whole_meeting_destroys_everybodys_part_of_it(vault: Vault, home: Path) -> None:
    hold(vault)
    await vault.flush()
    keys = await vault.run(lambda tx: list(tx.connection.execute(select(participants.c.id)).scalars()))
    receipt = await eraser(vault, home).erase_calls([ROOM])
    assert receipt.done, receipt.stores
    assert await vault.call(ROOM) is None
    assert await vault.run(lambda tx: tx.keys.standing(keys)) == set()
    assert await vault.run(lambda tx: tx.connection.execute(select(evidence.c.leaf)).first()) is None
