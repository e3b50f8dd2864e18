"""A meeting of three as it is kept, for tests."""

from __future__ import annotations

from compliance.entries import MinuteEntry, TurnEntry, Who
from compliance.vault import Vault

RATE_HZ = 48_000
ROOM = "20261122120000-feedfeedfeedfeed"
ANNA, BEN, CLEO = "anna.lindqvist", "ben@example.org", "+493022222222"
ANNA_SAID = "my purple elephants drink chamomile on thursdays"
BEN_SAID = "the warehouse in Rotterdam opens its seventh gate in march"
TO_ANNA = "the elephants are welcome, I have noted the chamomile"
TO_ALL = "I am the digital assistant and keep minutes of this conversation"
CLEO_SAID = "our quarterly turnover doubled in the northern provinces"


def turn(
    sequence: int, text: str, start_s: float, end_s: float, *, speaker: str = "", name: str = ""
) -> TurnEntry:
    who: Who = "caller" if name else "twin"
    start, end = round(start_s * RATE_HZ), round(end_s * RATE_HZ)
    return TurnEntry(sequence, who, text, start, end, RATE_HZ, speaker=speaker, name=name)


def hold(vault: Vault, call_id: str = ROOM) -> None:
    """Record a meeting in which Anna and Ben speak at once, the twin answers Anna, and Cleo comes late."""
    vault.begin_call(call_id, channel="room", language="en")
    vault.participant(call_id, ANNA, "Anna Lindqvist")
    vault.participant(call_id, BEN, "Ben")
    vault.event(call_id, "joined", detail={"of": "the meeting"}, speaker=ANNA)
    vault.turn_heard(call_id, turn(0, TO_ALL, 0, 5))
    vault.turn_heard(call_id, turn(1, ANNA_SAID, 6, 10, speaker=ANNA, name="Anna Lindqvist"))
    vault.turn_heard(call_id, turn(2, BEN_SAID, 8, 12, speaker=BEN, name="Ben"))
    vault.turn_heard(call_id, turn(3, TO_ANNA, 12.5, 15, speaker=ANNA))
    vault.participant(call_id, CLEO, "Cleo")
    vault.turn_heard(call_id, turn(4, CLEO_SAID, 16, 20, speaker=CLEO, name="Cleo"))
    vault.message("call me about the elephants", call_id=call_id, subject=ANNA)
    vault.participant_left(call_id, BEN)
    vault.minutes(
        call_id,
        [
            MinuteEntry("question", ANNA_SAID, 6 * RATE_HZ, 10 * RATE_HZ, RATE_HZ, speaker=ANNA, name="Anna"),
            MinuteEntry("decision", BEN_SAID, 8 * RATE_HZ, 12 * RATE_HZ, RATE_HZ, speaker=BEN, name="Ben"),
            MinuteEntry("statement", TO_ALL, 0, 5 * RATE_HZ, RATE_HZ),
        ],
    )
    vault.end_call(call_id, "room_ended")
