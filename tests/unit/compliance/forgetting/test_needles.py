"""What was left of somebody is found in whatever form it was left."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from compliance.forgetting.needles import MOST, Wanted, address_forms, encoded, grams, number_forms, seek
from compliance.forgetting.scan import Needles

SAID = "I told you the key is under the third flowerpot, Zoë, don't tell anyone"
WANTED = Wanted(
    names=("+493012345678", "zoe.o-hara@example.org"), said=(SAID,), heard=("We open at nine o'clock",)
)


def found(data: bytes) -> bool:
    return bool(seek(WANTED).needles.hits_in(b"\x00\x01" + data + b"\xff"))


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_words_are_found_in_base64_wherever_they_begin(before: bytes) -> None:
    assert found(base64.b64encode(before + SAID.encode() + b"..."))
    assert found(base64.urlsafe_b64encode(before + SAID.encode()))


@pytest.mark.parametrize(
    "data",
    [
        SAID.encode(),
        SAID.encode("utf-16-le"),
        SAID.encode("utf-16-be")[1:] + b"\x00",
        json.dumps({"text": SAID}).encode(),
        quote_plus(SAID).encode(),
        SAID.lower().encode()[20:],
        b"... the third flowerpot ...",
        b"... under the third ...".replace(b"under the third", b"the third flowerpot"),
    ],
)
def test_words_are_found_in_other_encodings_and_in_part(data: bytes) -> None:
    assert found(data)


@pytest.mark.parametrize(
    "text",
    [
        "+493012345678", "493012345678", "00493012345678", "030 12345678", "030-12345678", "03012345678",
        "+49 30 12345678", "+49-30-12345678", "+49.30.12345678",
        "plus four nine three zero one two three four five six seven eight",
        "plus four nine three oh one two three four five six seven eight",
        "oh three oh one two three four five six seven eight",
        "null drei null eins zwei drei vier fünf sechs sieben acht",
        "plus vier neun drei null eins zwo drei vier fünf sechs sieben acht",
        "zéro trois zéro un deux trois quatre cinq six sept huit",
        "zoe.o-hara@example.org", "ZOE.O-HARA@EXAMPLE.ORG", "zoe dot o dash hara at example dot org",
        "zoe punkt o minus hara ät example punkt org", "zoe point o tiret hara arobase example point org",
    ],
)  # fmt: skip
def test_a_number_and_an_address_are_found_as_people_write_and_say_them(text: str) -> None:
    sought = seek(WANTED)
    assert sought.named(sought.needles.hits_in(b"... " + text.encode() + b" ..."))
    assert sought.named(sought.needles.hits_in(json.dumps([text]).encode()))


@pytest.mark.parametrize(
    "text", ["", "hello there", "thank you very much", "is it a", "5678", "+4930", "the key is"]
)
def test_what_everybody_says_is_not_looked_for(text: str) -> None:
    assert not found(text.encode())


def test_only_names_and_own_words_count_where_the_twin_has_its_answers_from() -> None:
    sought = seek(WANTED)
    ours = sought.needles.hits_in(b"We open at nine o'clock")
    assert ours
    assert not sought.said(ours)
    theirs = sought.needles.hits_in(SAID.encode())
    assert sought.said(theirs)
    assert not sought.named(theirs)


def test_sealed_values_are_told_from_readable_ones() -> None:
    sealed = bytes(range(1, 33))
    sought = seek(Wanted(raw=(sealed,), said=(SAID,)))
    assert sought.sealed.hits_in(b"..." + sealed + b"...") == {sealed: 1}
    assert not sought.needles.hits_in(sealed)
    assert not sought.sealed.hits_in(SAID.encode())


def test_forms_are_few_and_long_enough_to_mean_something() -> None:
    assert 20 < len(number_forms("+493012345678")) < 80
    assert all(sum(c.isdigit() for c in form) >= 8 or " " in form for form in number_forms("+493012345678"))
    assert "+" not in [form[0] for form in number_forms("+999")[1:] if form[:1].isdigit()]
    assert "a dot b at c dot de" in address_forms("a.b@c.de")
    assert list(grams("so it is a yes")) == []
    assert "the Purple Elephant" in list(grams("See the Purple Elephant"))


def test_too_many_are_thinned_out_evenly_and_it_is_known() -> None:
    texts = [f"{number:08d}" * 3 for number in range(1_000)]
    thin = Needles([text.encode() for text in texts], always=[b"anna@example.org"], most=100)
    assert (thin.count, thin.offered) == (101, 1_001)
    assert thin.hits_in(b"anna@example.org")
    assert MOST > 100_000


def test_archives_are_looked_into(tmp_path: Path) -> None:
    needles = Needles([SAID.encode()])
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(b"x" * 5_000 + SAID.encode()))
    archive = tmp_path / "b.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.txt", SAID * 3)
    for path in (packed, archive):
        assert not needles.hits_in_file(path)[0]
        assert needles.hits_inside(path)
    plain = tmp_path / "c"
    plain.write_bytes(b"PK")
    assert needles.hits_inside(plain) == {}
    broken = tmp_path / "d.gz"
    broken.write_bytes(packed.read_bytes()[:40])
    with pytest.raises(OSError, match="cannot be read"):
        needles.hits_inside(broken)


def test_a_bomb_is_not_unpacked_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compliance.forgetting.scan._MOST_UNPACKED", 1 << 20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(8 << 20))
    path = tmp_path / "bomb.zip"
    path.write_bytes(bomb.getvalue())
    with pytest.raises(OSError, match="too much"):
        Needles([b"needle in it"]).hits_inside(path)


def test_every_encoding_is_what_the_encoder_makes() -> None:
    forms = list(encoded("naïve café"))
    assert "naïve café".encode() in forms
    assert b"na%C3%AFve%20caf%C3%A9" in forms
    assert rb"na\u00efve caf\u00e9" in forms
