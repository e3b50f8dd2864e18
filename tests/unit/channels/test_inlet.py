"""The way in."""

from __future__ import annotations

import pytest

from channels.inlet import MAX_TEXT_CHARS, Inlet


class Behind:
    """What stands behind the door."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.digits = ""
        self.texts: list[str] = []

    def audio(self, pcm: bytes) -> None:
        self.pcm += pcm

    def digit(self, digit: str) -> None:
        self.digits += digit

    def text(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def inlet(behind: Behind) -> Inlet:
    return Inlet(8_000, behind)


def test_nothing_passes_before_it_is_opened(inlet: Inlet, behind: Behind) -> None:
    inlet.hear(b"\1\2" * 160)
    inlet.press("1")
    inlet.type("hello")
    assert (bytes(behind.pcm), behind.digits, behind.texts) == (b"", "", [])
    assert (inlet.bytes_seen, inlet.bytes_let_in, inlet.bytes_dropped) == (320, 0, 320)


def test_what_came_before_is_never_given_later(inlet: Inlet, behind: Behind) -> None:
    inlet.hear(b"\1\1" * 160)
    inlet.open()
    inlet.hear(b"\2\2" * 160)
    assert bytes(behind.pcm) == b"\2\2" * 160
    assert inlet.bytes_seen == inlet.bytes_let_in + inlet.bytes_dropped == 640


def test_closed_again_it_lets_nothing_through(inlet: Inlet, behind: Behind) -> None:
    inlet.open()
    assert inlet.is_open
    inlet.close()
    inlet.hear(b"\1\2")
    inlet.press("#")
    inlet.type("hello")
    assert (bytes(behind.pcm), behind.digits, behind.texts) == (b"", "", [])


def test_only_keys_of_a_telephone_pass(inlet: Inlet, behind: Behind) -> None:
    inlet.open()
    for key in ("1", "#", "*", "D", "a", "", "12", "\u0661", "\n"):
        inlet.press(key)
    assert behind.digits == "1#*D"


def test_typed_words_are_tidied_and_bounded(inlet: Inlet, behind: Behind) -> None:
    inlet.open()
    inlet.type("  hello \n there\t")
    inlet.type(" \n ")
    inlet.type("x" * 100_000)
    assert behind.texts[0] == "hello there"
    assert len(behind.texts) == 2
    assert len(behind.texts[1]) == MAX_TEXT_CHARS
