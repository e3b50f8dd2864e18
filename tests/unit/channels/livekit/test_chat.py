from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from channels.livekit.chat import MAX_READING, MAX_READING_EACH, MAX_WRITERS, MESSAGE_BURST, Chat, old_message


class Reader:
    """A text stream as the SDK gives it."""

    def __init__(self, *chunks: str, error: Exception | None = None, endless: bool = False) -> None:
        self.closed = False
        self._chunks = chunks
        self._error = error
        self._endless = endless

    async def __aiter__(self) -> AsyncIterator[str]:
        for chunk in self._chunks:
            yield chunk
        if self._error is not None:
            raise self._error
        if self._endless:
            await asyncio.Event().wait()

    def close(self) -> None:
        self.closed = True


def packet(who: str) -> SimpleNamespace:
    return SimpleNamespace(
        topic="lk-chat-topic", participant=SimpleNamespace(identity=who), data=b'{"message": "again"}'
    )


def chat() -> tuple[Chat, list[tuple[str, str]]]:
    typed: list[tuple[str, str]] = []
    return Chat(lambda key, text: typed.append((key, text)), lambda: 0.0), typed


async def test_a_message_is_read_whole_and_given_with_who_wrote_it() -> None:
    written, typed = chat()
    reader = Reader("Hello ", "twin")
    written.on_stream(reader, "anna")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert typed == [("anna", "Hello twin")]
    assert reader.closed


async def test_a_message_without_end_is_cut() -> None:
    written, typed = chat()
    written.on_stream(Reader(*["x" * 500] * 10), "anna")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [len(text) for _, text in typed] == [2_000]


async def test_a_message_that_breaks_off_is_passed_over() -> None:
    written, typed = chat()
    written.on_stream(Reader("Hel", error=ConnectionError()), "anna")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (typed, written.passed_over) == ([], 1)


async def test_messages_at_once_are_bounded() -> None:
    written, _ = chat()
    readers = [Reader(endless=True) for _ in range(MAX_READING + 3)]
    for number, reader in enumerate(readers):
        written.on_stream(reader, f"person {number}")
    assert written.passed_over == 3
    await written.close()
    assert all(reader.closed for reader in readers)


async def test_messages_over_time_are_bounded() -> None:
    written, typed = chat()
    for _ in range(100):
        written.on_data(packet("anna"))
    assert len(typed) == MESSAGE_BURST
    assert written.passed_over == 100 - MESSAGE_BURST


async def test_who_floods_the_chat_silences_nobody_else() -> None:
    written, typed = chat()
    for _ in range(100):
        written.on_data(packet("anna"))
        written.on_stream(Reader(endless=True), "anna")
    written.on_data(packet("bert"))
    written.on_stream(Reader("Hello"), "bert")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [text for key, text in typed if key == "bert"] == ["again", "Hello"]
    await written.close()


async def test_one_person_has_a_bounded_part_of_what_is_read_at_once() -> None:
    written, _ = chat()
    for _ in range(MAX_READING_EACH + 2):
        written.on_stream(Reader(endless=True), "anna")
    assert written.passed_over == 2
    await written.close()


async def test_whoever_was_quiet_longest_is_forgotten_first() -> None:
    written, typed = chat()
    for _ in range(100):
        written.on_data(packet("anna"))
    for number in range(MAX_WRITERS - 1):
        written.on_data(packet(f"person {number}"))
    # Still remembered: nothing is left to her.
    written.on_data(packet("anna"))
    before = len(typed)
    for number in range(MAX_WRITERS):
        written.on_data(packet(f"later {number}"))
    written.on_data(packet("anna"))
    assert len(typed) == before + MAX_WRITERS + 1


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"id": "1", "timestamp": 1, "message": "hello"}', "hello"),
        (b'{"message": "hello", "ignoreLegacy": true}', ""),
        (b'{"message": 5}', None),
        (b'["message"]', None),
        (b"\xff\xfe", None),
        (b"[" * 16_000, None),
        (b'{"message": "' + b"x" * 20_000 + b'"}', None),
    ],
)
def test_older_messages(data: bytes, text: str | None) -> None:
    assert old_message(data) == text


def test_packets_that_are_no_chat_are_ignored() -> None:
    written, typed = chat()
    person = SimpleNamespace(identity="anna")
    written.on_data(SimpleNamespace(topic="other", participant=person, data=b'{"message": "hello"}'))
    written.on_data(SimpleNamespace(topic="lk-chat-topic", participant=None, data=b'{"message": "hello"}'))
    assert (typed, written.passed_over) == ([], 0)
