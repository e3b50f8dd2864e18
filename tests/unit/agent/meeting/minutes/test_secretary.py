"""The digest is written once, from what the vault keeps, and also after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.conversation import HeardTurn
from agent.meeting.events import Uttered
from agent.meeting.minutes.secretary import Owner, Secretary, catch_up, in_words, write
from compliance.entries import Conversation, MinuteEntry, TurnEntry
from compliance.errors import EngineFailed
from compliance.records import Recordings
from compliance.vault import Vault

CALL = "20261122120000-feedfeedfeedfeed"
RATE_HZ = 48_000
OWNER = Owner(("Martin Alder",), ("martin@example.org",))
ASKED = "Does Martin know about the printer?"


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    async with Vault(tmp_path) as vault:
        yield vault


def meet(vault: Vault, *, end: bool = True) -> None:
    vault.begin_call(CALL, channel="room", language="en")
    vault.participant(CALL, "anna", "Anna")
    vault.participant(CALL, "ben", "Ben")
    for at, (who, text) in enumerate((("anna", ASKED), ("ben", "We decided on blue.")), start=1):
        turn = TurnEntry(
            at, "caller", text, at * 5 * RATE_HZ, (at * 5 + 3) * RATE_HZ, RATE_HZ, speaker=who, name=who
        )
        vault.turn_heard(CALL, turn)
    if end:
        vault.end_call(CALL, "room_ended")


async def kept(vault: Vault) -> Conversation:
    found = await vault.call(CALL)
    assert found is not None
    return found


async def test_the_digest_stands_in_the_vault_with_a_message_that_names_nobody(vault: Vault) -> None:
    meet(vault)
    secretary = Secretary(vault, CALL, owner=OWNER, clock_hz=RATE_HZ)
    await secretary.end()
    await secretary.end()
    found = await kept(vault)
    assert [(entry.kind, entry.speaker) for entry in found.minutes] == [("question", "anna"), ("decision", "ben")]
    assert [message.text for message in found.messages] == [
        "Digest of a meeting with 2 people: 1 question for you, 1 decision."
    ]


async def test_a_killed_process_leaves_its_digest_to_the_next(tmp_path: Path) -> None:
    async with Vault(tmp_path) as vault:
        meet(vault, end=False)
        # Closed as a process that goes down in the middle of a meeting.
    async with Vault(tmp_path) as vault:
        assert await catch_up(vault, owner=OWNER) == 1
        assert await catch_up(vault, owner=OWNER) == 0
        assert len((await kept(vault)).minutes) == 2


async def test_the_sound_of_a_question_hangs_on_it(vault: Vault, tmp_path: Path) -> None:
    meet(vault)
    turn = HeardTurn(1, "caller", 0, 5 * RATE_HZ, 8 * RATE_HZ, [], ASKED, speaker="anna", name="Anna")
    uttered = Uttered("anna", ASKED, 5 * RATE_HZ, 8 * RATE_HZ, pcm=b"\1\0" * 16_000 * 3)
    async with Recordings(vault, tmp_path / "recordings") as recordings:
        secretary = Secretary(vault, CALL, owner=OWNER, clock_hz=RATE_HZ, recordings=recordings)
        secretary.asked_owner(turn, uttered)
        await secretary.end()
        (recording,) = await recordings.of(CALL)
    (question,) = [entry for entry in (await kept(vault)).minutes if entry.kind == "question"]
    assert question.recording_id == recording.id
    assert recording.start_samples == 5 * RATE_HZ


async def test_a_model_refines_it(vault: Vault) -> None:
    async def better(found: Conversation, entries: tuple[MinuteEntry, ...]) -> tuple[MinuteEntry, ...]:
        return entries[:1]

    meet(vault)
    assert len(await write(vault, CALL, owner=OWNER, refine=better)) == 1


async def test_a_model_that_fails_leaves_the_digest_to_the_rules(vault: Vault) -> None:
    async def fails(found: Conversation, entries: tuple[MinuteEntry, ...]) -> tuple[MinuteEntry, ...]:
        raise EngineFailed("The model does not answer.")

    meet(vault)
    assert len(await write(vault, CALL, owner=OWNER, refine=fails)) == 2


async def test_what_somebody_took_back_is_in_no_digest(vault: Vault) -> None:
    meet(vault)
    vault.turns_forgotten(CALL, speaker="anna")
    await write(vault, CALL, owner=OWNER)
    assert [entry.speaker for entry in (await kept(vault)).minutes] == ["ben"]


def test_the_message_counts_what_there_is() -> None:
    entry = MinuteEntry("statement", "x", 0, 1, RATE_HZ)
    assert in_words([entry], 1) == "Digest of a meeting with 1 person: 1 notes."
