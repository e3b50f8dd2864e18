"""Our own words are told from what people say."""

from __future__ import annotations

from typing import get_args

import pytest

from compliance import consent, requests
from compliance.console.ledger_pages import KINDS
from compliance.forgetting.needles import Wanted, seek
from compliance.forgetting.vocabulary import is_ours, names_ours
from compliance.likeness.statement import LIKENESSES, USES
from compliance.proofs.agreement import STATUSES


@pytest.mark.parametrize(
    "word",
    sorted(
        {
            *KINDS,
            *STATUSES,
            *USES,
            *(f"{likeness}_clone" for likeness in LIKENESSES),
            *(
                word
                for words in (consent.Purpose, consent.Method, requests.Kind, requests.State)
                for word in get_args(words)
            ),
        }
    ),
)
def test_every_word_that_rows_and_the_ledger_have_in_the_clear_is_ours(word: str) -> None:
    assert is_ours(word)


@pytest.mark.parametrize(
    "text", ["elephants", "recordings of my mother", "Recording it, she said", "+493011111111"]
)
def test_what_people_say_is_not_ours(text: str) -> None:
    assert not is_ours(text)
    assert not names_ours("digits", text)


def test_an_engine_is_ours_only_where_engines_are_named() -> None:
    assert names_ours("from", "faster-whisper")
    assert names_ours("language", "zh-Hans")
    assert not names_ours("city", "faster-whisper")
    assert not names_ours("from", "anna@example.org")
    assert not names_ours("reason", "She told me about it")


def test_our_words_are_not_looked_for_and_a_sentence_with_one_is() -> None:
    sought = seek(Wanted(said=("recording", "recording is what I do all day"), heard=("transcription",)))
    assert not sought.needles.hits_in(b"CREATE TABLE recordings; transcription")
    assert sought.said(sought.needles.hits_in(b"... recording is what I do all day ..."))


def test_who_is_called_by_one_of_our_words_is_looked_for_all_the_same() -> None:
    sought = seek(Wanted(names=("recording",)))
    assert sought.named(sought.needles.hits_in(b"to recording, from us"))
