"""Consent carried out in a call: the caller is asked, answers, changes their mind. Time is turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

import pytest

from agent.consenting import Consenting
from agent.conversation import Conversation
from agent.engines.voice.prepared import Prepared
from agent.opening import Opening
from agent.proceedings import AGAIN_S, ANSWER_LIMIT_S, Office
from agent.recorder import Recorder
from agent.stages.honesty import Line
from agent.tap import Tap
from channels.call import Call, Caller, CallEvent, Channel, Privacy, Status
from channels.clock import Clock
from channels.heard import HeardWord
from channels.inlet import Inlet
from channels.outlet import Outlet
from compliance import consent
from compliance.disclosure import disclosure
from compliance.errors import RequestError
from compliance.jurisdiction import Flow
from compliance.vault import Vault
from tests.doubles.mark import NoMark
from tests.doubles.wire import EarWire

RATE_HZ = 8_000
TEXTS = disclosure("en", owner="Ada Lovelace")
NOTHING = Prepared(b"\x01\x00", RATE_HZ, ())


class Store:
    """Stands for the vault behind a recorder: what it was asked to keep."""

    def __init__(self) -> None:
        self.turns: dict[int, str] = {}

    def turn_heard(self, call_id: str, turn: Any) -> None:
        self.turns[turn.sequence] = turn.text

    def turns_forgotten(self, call_id: str) -> None:
        self.turns.clear()


class Sound:
    """A recording: what it was given."""

    def __init__(self) -> None:
        self.stopped = False
        self.pieces: list[str] = []

    def twin(self, pcm: bytes, position: int) -> None:
        self.pieces.append("twin")

    def caller(self, pcm: bytes, position: int) -> None:
        self.pieces.append("caller")

    def unheard(self, begin: int, end: int) -> None: ...

    def stop(self) -> None:
        self.stopped = True


@dataclass
class Here:
    """A call with somebody in it."""

    call: Call
    conversation: Conversation
    consenting: Consenting
    store: Store
    tap: Tap
    now: list[float]
    said: list[str] = field(default_factory=list)
    notes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    recordings: list[Sound] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    receipts: list[consent.Note] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)
    remembered: list[bool] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.notes]

    def hears(self, text: str) -> None:
        """The caller hears the twin say this."""
        words = [HeardWord(1, word, at, at + 1, True, "notice") for at, word in enumerate(text.split())]
        self.conversation.twin_heard(words, epoch=0)
        self.conversation.twin_stopped(cut=False)

    def says(self, text: str) -> list[str] | None:
        """The caller says it; the fixed lines that answer it, or None when the brain does."""
        self.conversation.caller_said(text, start=1, end=2, epoch=0)
        reaction = self.consenting.heard(text) or self.consenting.leaving(text)
        if reaction is None or not reaction.answered:
            return None
        return [line.text for line in reaction.lines]

    def passes(self, seconds: float) -> None:
        self.now[0] += seconds
        self.consenting.tick()

    @property
    def privacy(self) -> Privacy:
        return [event for event in self.events if isinstance(event, Privacy)][-1]

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


@asynccontextmanager
async def here(
    transcription: str = "notice",
    recording: str = "ask",
    *,
    channel: Channel = "web",
    repeat_s: float = 1_800,
    memory: Literal["off", "ask", "given"] = "off",
) -> AsyncIterator[Here]:
    """The disclosure has just been heard."""
    clock, store, now = Clock(RATE_HZ), Store(), [100.0]
    recorder = Recorder(cast(Vault, store), "call", clock, None)
    conversation = Conversation(recorder)
    flow = Flow(cast(Any, transcription), cast(Any, recording), ("unknown",), "1")
    opening = Opening(TEXTS, NOTHING, NOTHING, {})

    class Ear:
        def audio(self, pcm: bytes) -> None: ...
        def digit(self, digit: str) -> None: ...
        def text(self, text: str) -> None: ...

    class Silent:
        def disclosed(self, position: int) -> None: ...
        def heard(self, words: list[HeardWord]) -> None: ...
        def speaking(self, speaking: bool, position: int) -> None: ...
        def failed(self, reason: str) -> None: ...
        def room(self) -> None: ...

    tap = Tap(Ear(), clock)
    wire = EarWire(RATE_HZ, lead_chunks=0)
    inlet = Inlet(RATE_HZ, tap)
    call = Call(
        "call",
        channel,
        Caller(),
        wire,
        clock,
        inlet,
        Outlet(clock, wire, Silent(), mark=NoMark()),
        datetime(2026, 1, 1, tzinfo=UTC),
    )

    def record(_: Call) -> Sound:
        place.recordings.append(Sound())
        return place.recordings[-1]

    async def delete(call_id: str) -> bool:
        place.deleted.append(call_id)
        return True

    async def request(kind: str, _: Call) -> str:
        if kind in place.requests:
            raise RequestError("There is one already.")
        place.requests.append(kind)
        return "R-7K3M-2Q9D"

    def note(kind: str, *, call_id: str | None = None, subject: str | None = None, detail: Any = None) -> None:
        place.notes.append((kind, detail))

    async def remember(_: Call, keep: bool) -> None:
        place.remembered.append(keep)

    office = Office(note, record, delete, request, lambda _, given: place.receipts.append(given), remember)
    consenting = Consenting(
        call,
        flow,
        opening,
        conversation=conversation,
        recorder=recorder,
        tap=tap,
        office=office,
        repeat_s=repeat_s,
        owner="Ada Lovelace",
        now=lambda: now[0],
    )
    place = Here(call, conversation, consenting, store, tap, now)
    call.watchers.append(place.events.append)

    def say(lines: Any) -> None:
        place.said += [line.text for line in cast("list[Line]", lines)]

    consenting.say = say
    consenting.may_remember(memory)
    place.hears(TEXTS.text)
    inlet.open()
    call.tell(Status("listening"))
    consenting.disclosed(0)
    try:
        yield place
    finally:
        await consenting.end()


async def test_a_clear_yes_to_the_whole_question_starts_the_recording_and_nothing_else_does() -> None:
    async with here() as place:
        assert place.said == [TEXTS.ask_recording]
        place.call.inlet.hear(b"\x01\x00")
        assert place.recordings == []
        place.hears(TEXTS.ask_recording)
        assert place.says("Yes, please.") == [TEXTS.recording_on, TEXTS.help]
        place.call.inlet.hear(b"\x01\x00")
        assert place.recordings[0].pieces == ["caller"]
        assert place.privacy == Privacy("kept", "kept")
        assert [given.kind for given in place.receipts] == ["consent_given"]


@pytest.mark.parametrize("text", ["No.", "No thanks.", "Rather not."])
async def test_a_no_goes_on_without_a_recording(text: str) -> None:
    async with here() as place:
        place.hears(TEXTS.ask_recording)
        assert place.says(text) == [TEXTS.recording_off, TEXTS.help]
        assert place.recordings == []
        assert place.privacy == Privacy("kept", "not_kept")


async def test_what_is_neither_is_no_and_is_answered_by_the_brain() -> None:
    async with here() as place:
        place.hears(TEXTS.ask_recording)
        assert place.says("When are you open on Saturday?") is None
        assert place.recordings == []
        assert place.says("Yes.") is None, "the question is over"
        assert place.recordings == []


async def test_a_yes_over_the_question_is_no_yes() -> None:
    async with here() as place:
        place.hears("May I also record the")
        place.says("Yes.")
        assert place.recordings == []
        assert "consent_refused" in place.kinds()


async def test_silence_is_no() -> None:
    async with here() as place:
        place.hears(TEXTS.ask_recording)
        place.call.tell(Status("listening"))
        place.passes(ANSWER_LIMIT_S - 1)
        assert TEXTS.help not in place.said
        place.passes(2)
        assert place.said[-2:] == [TEXTS.recording_off, TEXTS.help]
        assert place.recordings == []


async def test_stop_recording_by_voice_stops_at_once_and_deletes() -> None:
    async with here() as place:
        place.hears(TEXTS.ask_recording)
        place.says("Yes.")
        place.call.inlet.hear(b"\x01\x00")
        assert place.says("Stop recording, please.") == [TEXTS.recording_stopped]
        place.call.inlet.hear(b"\x01\x00")
        assert place.recordings[0].pieces == ["caller"], "not one sample more"
        assert place.recordings[0].stopped
        await place.settle()
        assert place.deleted == ["call"]
        assert place.privacy == Privacy("kept", "not_kept")
        assert [given.kind for given in place.receipts] == ["consent_given", "consent_withdrawn"]


async def test_star_nine_stops_it_and_other_keys_do_not() -> None:
    async with here(channel="phone") as place:
        place.hears(TEXTS.ask_recording)
        assert place.consenting.keys("1")
        assert place.recordings
        assert not place.consenting.keys("9")
        assert not place.consenting.keys("1"), "nothing is asked any more"
        assert place.consenting.keys("*9")
        assert place.recordings[0].stopped


async def test_buttons_answer_and_withdraw() -> None:
    async with here() as place:
        place.consenting.pressed("recording", True)
        assert place.tap.recording is not None
        place.consenting.pressed("recording", False)
        assert place.tap.recording is None
        await place.settle()
        assert place.deleted == ["call"]


async def test_a_button_before_the_disclosure_was_heard_means_nothing() -> None:
    async with here() as place:
        place.call.inlet.close()
        place.consenting.pressed("recording", True)
        assert place.recordings == []


async def test_stop_writing_deletes_what_was_written_and_writes_no_more() -> None:
    async with here(recording="off") as place:
        place.says("My number is five five five.")
        assert place.store.turns
        assert place.says("Stop writing this down, please.") == [TEXTS.writing_stopped]
        assert place.store.turns == {}
        place.says("Now between us.")
        assert place.store.turns == {}
        assert place.privacy == Privacy("not_kept", "off")


async def test_where_words_need_a_yes_nothing_is_stored_before_it_and_all_of_it_after() -> None:
    async with here("ask", "off") as place:
        assert place.said == [TEXTS.ask_transcription]
        place.hears(TEXTS.ask_transcription)
        assert place.store.turns == {}
        assert place.privacy.words == "asked"
        place.says("Yes.")
        assert list(place.store.turns.values()) == [TEXTS.text, TEXTS.ask_transcription, "Yes."]


async def test_where_words_need_a_yes_a_no_stores_nothing_at_all() -> None:
    async with here("ask", "ask") as place:
        place.hears(TEXTS.ask_transcription)
        place.says("No.")
        place.says("When are you open?")
        assert place.store.turns == {}
        assert place.recordings == []
        assert TEXTS.ask_recording not in place.said, "sound holds every word"


async def test_are_you_human_has_one_answer_and_a_place_in_the_evidence() -> None:
    async with here(recording="off") as place:
        assert place.says("Wait, am I talking to a real person?") == [TEXTS.human]
        assert place.says("Are you Ada Lovelace?") == [TEXTS.human]
        assert place.kinds().count("human_asked") == 2
        assert place.says("When are you open?") is None


async def test_a_wish_to_be_forgotten_gets_a_number() -> None:
    async with here(recording="off") as place:
        assert place.says("Please delete everything you know about me.") == []
        await place.settle()
        assert place.requests == ["erasure"]
        assert "R-7K3M-2Q9D" in place.said[-1]
        place.consenting.wished("forget_me")
        await place.settle()
        assert place.said[-1] != "", "a second one that is refused is answered too"


async def test_a_long_call_is_reminded_at_a_pause_until_it_was_heard_in_full() -> None:
    async with here(recording="off", repeat_s=60) as place:
        place.call.tell(Status("speaking"))
        place.passes(61)
        assert TEXTS.reminder not in place.said, "not while somebody speaks"
        place.call.tell(Status("listening"))
        place.passes(1)
        assert place.said.count(TEXTS.reminder) == 1
        place.hears("A short reminder: you are")
        place.call.tell(Status("listening"))
        place.passes(AGAIN_S + 1)
        assert place.said.count(TEXTS.reminder) == 2
        place.hears(TEXTS.reminder)
        place.passes(1)
        assert place.kinds().count("redisclosed") == 1
        place.passes(AGAIN_S + 1)
        assert place.said.count(TEXTS.reminder) == 2


async def test_on_the_telephone_the_right_to_object_is_said() -> None:
    async with here(recording="off", channel="phone") as place:
        assert place.said == [TEXTS.rights, TEXTS.help]


async def test_the_disclosure_is_proved_with_the_clocks_position() -> None:
    async with here(recording="off") as place:
        kind, detail = place.notes[0]
        assert kind == "disclosure_played"
        assert detail["texts"] == TEXTS.version
        assert detail["rate_hz"] == RATE_HZ


async def test_who_leaves_is_asked_once_whether_they_may_be_remembered_and_a_yes_is_carried_out() -> None:
    async with here(recording="off", memory="ask") as place:
        assert place.says("That's all, thank you. Goodbye.") == [TEXTS.ask_memory]
        place.hears(TEXTS.ask_memory)
        reaction = place.consenting.heard("Yes, please.")
        assert reaction is not None
        assert [(line.text, line.goodbye) for line in reaction.lines] == [(TEXTS.memory_on, True)]
        await place.settle()
        assert place.remembered == [True]
        assert [given.detail["purpose"] for given in place.receipts] == ["memory"]
        assert place.says("Bye.") is None


@pytest.mark.parametrize("text", ["No.", "Goodbye.", "No thanks, bye.", "I don't know."])
async def test_a_no_or_a_goodbye_is_not_remembered_and_the_call_ends_kindly(text: str) -> None:
    async with here(recording="off", memory="ask") as place:
        place.says("Goodbye.")
        place.hears(TEXTS.ask_memory)
        assert place.says(text) == [TEXTS.memory_off]
        await place.settle()
        assert place.remembered == [False]


@pytest.mark.parametrize("text", ["Oh wait, when are you open on Saturday?", "Why?"])
async def test_who_goes_on_talking_instead_is_not_remembered_and_not_hung_up_on(text: str) -> None:
    async with here(recording="off", memory="ask") as place:
        place.says("Goodbye.")
        place.hears(TEXTS.ask_memory)
        assert place.says(text) is None
        await place.settle()
        assert place.remembered == [False]
        assert place.says("Goodbye.") is None


async def test_silence_after_the_question_is_no_yes_and_ends_the_call() -> None:
    async with here(recording="off", memory="ask") as place:
        place.says("Goodbye.")
        place.hears(TEXTS.ask_memory)
        place.call.tell(Status("listening"))
        place.said.clear()
        place.passes(0.5)
        place.passes(ANSWER_LIMIT_S + 1)
        assert place.said == [TEXTS.memory_off]
        await place.settle()
        assert place.remembered == [False]


async def test_a_yes_before_the_question_was_heard_is_none() -> None:
    async with here(recording="off", memory="ask") as place:
        place.says("Goodbye.")
        assert place.says("Yes.") is None
        await place.settle()
        assert place.remembered == [False]


async def test_where_nobody_is_remembered_nobody_is_asked() -> None:
    async with here(recording="off") as place:
        assert place.says("Goodbye.") is None


async def test_who_agreed_in_an_earlier_call_is_remembered_and_not_asked_again() -> None:
    async with here(recording="off", memory="given") as place:
        await place.settle()
        assert place.remembered == [True]
        assert place.says("Goodbye.") is None


async def test_who_wants_nothing_written_is_neither_asked_nor_remembered() -> None:
    async with here(recording="off", memory="given") as place:
        place.says("Please stop writing this down.")
        await place.settle()
        assert place.remembered == [True, False]
        assert place.says("Goodbye.") is None
