import random

import pytest

from channels.camera.tagstruct import NOBODY, Reader, Writer
from compliance.errors import BadMessage


def test_what_was_written_is_read() -> None:
    packed = (
        Writer()
        .number(NOBODY)
        .text("ä")
        .text(None)
        .flag(True, False)
        .properties({"a": "1", "b": ""})
        .number(7)
        .packed()
    )
    reader = Reader(packed)

    assert reader.number() == NOBODY
    assert reader.text() == "ä"
    assert reader.text() is None
    assert (reader.flag(), reader.flag()) == (True, False)
    assert reader.properties() == {"a": "1", "b": ""}
    assert not reader.over
    assert reader.number() == 7
    assert reader.over


def test_the_format_is_int16_mono_at_full_volume() -> None:
    assert Writer().pcm16(48_000).packed() == b"a\x03\x01\x00\x00\xbb\x80m\x01\x00"
    assert Writer().volume().packed() == b"v\x01\x00\x01\x00\x00"


def test_times_and_counts_are_read() -> None:
    reader = Reader(
        b"U" + (12_345).to_bytes(8, "big") + b"r" + (-2).to_bytes(8, "big", signed=True) + b"T" + bytes(8)
    )
    assert reader.microseconds() == 12_345
    assert reader.signed() == -2
    reader.skip_time()
    assert reader.over


@pytest.mark.parametrize("read", ["number", "text", "flag", "microseconds", "signed", "skip_time", "properties"])
@pytest.mark.parametrize(
    "data", [b"", b"z", b"L\0", b"tno end", b"P", b"U", b"P" + b"ta\0" + b"L\0\0\0\1x\xff\xff\xff\xff"]
)
def test_what_is_no_such_value_is_refused(read: str, data: bytes) -> None:
    with pytest.raises(BadMessage):
        getattr(Reader(data), read)()


def test_noise_is_refused_and_nothing_else() -> None:
    dice = random.Random(6)
    for _ in range(2_000):
        reader = Reader(dice.randbytes(dice.randrange(40)))
        read = dice.choice(["number", "text", "flag", "microseconds", "signed", "skip_time", "properties"])
        try:
            getattr(reader, read)()
        except BadMessage:
            continue
