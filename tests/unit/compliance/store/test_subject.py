"""One person, one spelling, one keyed hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.errors import VaultError
from compliance.store.subject import Lookup, normalise, read_secret


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("+49 (30) 123-45/6", "+4930123456"),
        (" Anna.B@Example.ORG ", "anna.b@example.org"),
        ("Room Guest 7", "Room Guest 7"),
        ("Jose\u0301", "Jos\u00e9"),
    ],
)
def test_the_ways_to_write_a_subject_are_one(written: str, normal: str) -> None:
    assert normalise(written) == normal
    assert Lookup(b"k").of(written) == Lookup(b"k").of(normal)


@pytest.mark.parametrize("nothing", ["", "   ", "x" * 321])
def test_nothing_is_no_subject(nothing: str) -> None:
    with pytest.raises(VaultError, match=r"E\.164"):
        normalise(nothing)


def test_the_hash_depends_on_the_secret() -> None:
    assert Lookup(b"one").of("+4930123456") != Lookup(b"two").of("+4930123456")
    assert "4930123456" not in Lookup(b"one").of("+4930123456")


def test_the_secret_is_made_once_and_read_again(tmp_path: Path) -> None:
    secret = read_secret(tmp_path, create=True)
    assert read_secret(tmp_path, create=True) == read_secret(tmp_path, create=False) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["vault.secret"]
