from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.call import Caption
from channels.livekit.captions import Captions
from channels.livekit.outbox import Outbox


class Stream:
    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.written: list[str] = []
        self.final: dict[str, str] | None = None
        self.breaks = False

    async def write(self, text: str) -> None:
        if self.breaks:
            raise ConnectionError
        self.written.append(text)

    async def aclose(self, *, attributes: dict[str, str] | None = None) -> None:
        self.final = attributes or {}


class Local:
    """A local participant that keeps its text streams."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []

    async def stream_text(self, **values: Any) -> Stream:
        self.streams.append(Stream(values))
        return self.streams[-1]


class AtOnce(Outbox):
    """Keeps what is put, to be sent by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Callable[[], Awaitable[object]]] = []

    def put(self, send: Callable[[], Awaitable[object]]) -> None:
        self.waiting.append(send)

    async def send(self) -> None:
        waiting, self.waiting = self.waiting, []
        for send in waiting:
            await self._send(send)


def captions() -> tuple[Captions, Local, AtOnce]:
    local, outbox = Local(), AtOnce()
    shown = Captions(
        "call",
        lambda: local,
        outbox,
        track_of=lambda key: f"track of {key or 'twin'}",
        key_of=lambda identity: {"+15550100": "sip_1"}.get(identity),
    )
    return shown, local, outbox


async def test_a_turn_of_the_twin_is_one_stream_that_grows() -> None:
    shown, local, outbox = captions()
    for text, turn, final in (("Good", 1, False), ("morning.", 1, False), ("", 1, True), ("Yes.", 2, False)):
        shown.show(Caption("twin", text, turn, final=final))
    await outbox.send()
    first, second = local.streams
    assert "".join(first.written) == "Good morning."
    assert first.final == {"lk.transcription_final": "true"}
    assert first.values["attributes"]["lk.transcribed_track_id"] == "track of twin"
    assert (second.written, second.final) == (["Yes."], None)
    assert first.values["attributes"]["lk.segment_id"] != second.values["attributes"]["lk.segment_id"]


async def test_a_turn_that_was_never_ended_is_ended_by_the_next() -> None:
    shown, local, outbox = captions()
    shown.show(Caption("twin", "Well", 1))
    shown.show(Caption("twin", "No.", 2))
    await outbox.send()
    assert local.streams[0].final == {"lk.transcription_final": "true"}


async def test_words_of_a_person_are_sent_as_theirs() -> None:
    shown, local, outbox = captions()
    shown.show(Caption("caller", "good", 3, speaker="+15550100"))
    shown.show(Caption("caller", "good day", 3, final=True, speaker="+15550100"))
    shown.show(Caption("caller", "who is that", 1, speaker="nobody"))
    shown.show(Caption("caller", "a call with one person", 1))
    await outbox.send()
    assert [stream.written for stream in local.streams] == [["good"], ["good day"]]
    assert {stream.values["sender_identity"] for stream in local.streams} == {"sip_1"}
    finals = [stream.values["attributes"]["lk.transcription_final"] for stream in local.streams]
    assert finals == ["false", "true"]
    assert len({stream.values["attributes"]["lk.segment_id"] for stream in local.streams}) == 1


async def test_a_stream_that_breaks_is_replaced() -> None:
    shown, local, outbox = captions()
    shown.show(Caption("twin", "One", 1))
    await outbox.send()
    local.streams[0].breaks = True
    shown.show(Caption("twin", "two", 1))
    shown.show(Caption("twin", "three", 1))
    await outbox.send()
    assert outbox.failed == 1
    assert local.streams[1].written == ["three"]
