"""The byte scan finds what plain searching finds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from compliance.forgetting import scan
from compliance.forgetting.scan import Needles


def test_it_agrees_with_plain_searching_at_every_offset_and_chunk_border(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_STEP", 1000)
    dice = random.Random(7)
    texts = [dice.randbytes(dice.randrange(8, 33)) for _ in range(50)]
    data = bytearray(dice.randbytes(20_000))
    for _ in range(300):
        text = dice.choice(texts)
        at = dice.randrange(len(data) - len(text))
        data[at : at + len(text)] = text
    path = tmp_path / "file"
    path.write_bytes(data)
    needles = Needles(texts, always=[b"ab"])
    hits, size = needles.hits_in_file(path)
    assert size == len(data)
    plain = {text: bytes(data).count(text) for text in (*texts, b"ab")}
    assert hits == {text: count for text, count in plain.items() if count}
    assert sum(hits.values()) > 200


def test_a_long_text_is_found_when_only_a_part_of_it_is_left() -> None:
    text = bytes(range(256))
    assert Needles([text]).hits_in(b"..." + text[64:128] + b"...")
    assert not Needles([text]).hits_in(b"..." + text[70:90] + b"...")


@pytest.mark.parametrize("data", [b"", b"x", b"1234567"])
def test_short_texts_are_not_needles_unless_asked_for(data: bytes) -> None:
    assert Needles([b"yes", b""]).count == 0
    assert Needles([b"yes"]).hits_in(data + b"yes") == {}
    assert Needles([], always=[b"bob"]).hits_in(data + b"bob bob") == {b"bob": 2}
