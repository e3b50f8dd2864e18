from __future__ import annotations

import random
from dataclasses import replace

import pytest

from compliance.likeness.statement import FRESH_MS, LONGEST_MS, Challenge, Spoken, Terms, draw, judge, languages

NOW_MS = 1_800_000_000_000
TERMS = Terms("voice", ("calls", "meetings"), NOW_MS + 86_400_000, ("DE", "FR"))


def drawn(language: str = "en", seed: int = 1) -> Challenge:
    return draw("Ada Lovelace", TERMS, language, now_ms=NOW_MS, chance=random.Random(seed))


def said(challenge: Challenge, transcript: str | None = None) -> Spoken:
    text = challenge.text if transcript is None else transcript
    return Spoken(text, challenge.made_ms + 30_000, likeness=0.9, threshold=0.7)


@pytest.mark.parametrize("language", languages())
def test_the_statement_read_aloud_counts_in_every_language(language: str) -> None:
    for seed in range(20):
        challenge = drawn(language, seed)
        assert judge(challenge, said(challenge)) == ()
        lower = challenge.text.lower().replace(",", "").replace(".", "").replace(":", "")
        assert judge(challenge, said(challenge, lower)) == ()


def test_it_names_the_owner_the_uses_the_territory_and_the_end() -> None:
    text = drawn().text
    assert "Ada Lovelace" in text
    assert "answer my telephone calls and speak for me in video meetings" in text
    assert "in DE and FR" in text
    assert "2027-01-16" in text


def test_a_name_and_one_word_misheard_do_not_matter() -> None:
    challenge = drawn()
    heard = challenge.text.replace("Ada Lovelace", "aida love lays").replace(challenge.words[2], "something")
    assert judge(challenge, said(challenge, heard)) == ()


def test_the_statement_of_another_day_does_not_count() -> None:
    refused = sum(
        bool(judge(drawn(seed=seed), said(drawn(seed=seed), drawn(seed=seed + 1).text))) for seed in range(200)
    )
    assert refused == 200


@pytest.mark.parametrize("language", languages())
def test_the_words_alone_or_the_statement_alone_do_not_count(language: str) -> None:
    challenge = drawn(language)
    assert judge(challenge, said(challenge, " ".join(challenge.words)))
    assert judge(
        challenge, said(challenge, challenge.text.replace(challenge.words[0], "").replace(challenge.words[3], ""))
    )
    assert judge(challenge, said(challenge, ""))


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("en", "agree that", "do not agree that"),
        ("de", "bin einverstanden", "bin nicht einverstanden"),
        ("fr", "j'accepte que", "je n'accepte pas que"),
        ("es", "acepto que", "no acepto que"),
        ("it", "accetto che", "non accetto che"),
        ("pt", "aceito que", "não aceito que"),
        ("zh", "同意", "不同意"),
        ("ja", "同意します", "同意しません"),
    ],
)
def test_a_negation_takes_it_back(language: str, old: str, new: str) -> None:
    challenge = drawn(language)
    assert old in challenge.text
    assert judge(challenge, said(challenge, challenge.text.replace(old, new, 1)))


def test_another_speaker_a_late_or_an_early_statement_do_not_count() -> None:
    challenge = drawn()
    good = said(challenge)
    assert "not spoken by the person" in judge(challenge, replace(good, likeness=0.69))[0]
    assert judge(challenge, replace(good, likeness=float("nan")))
    assert judge(challenge, replace(good, at_ms=challenge.made_ms + FRESH_MS + 1))
    assert judge(challenge, replace(good, at_ms=challenge.made_ms - 1))


def test_words_are_drawn_from_the_systems_randomness() -> None:
    drawn_words = {draw("A", TERMS, "en", now_ms=NOW_MS).words for _ in range(50)}
    assert len(drawn_words) == 50


def test_terms_say_what_they_cover() -> None:
    assert TERMS.covers("voice", "calls", "DE", NOW_MS)
    assert TERMS.covers("voice", "calls", "DE-BY", NOW_MS)
    assert not TERMS.covers("face", "calls", "DE", NOW_MS)
    assert not TERMS.covers("voice", "videos", "DE", NOW_MS)
    assert not TERMS.covers("voice", "calls", "US", NOW_MS)
    assert not TERMS.covers("voice", "calls", "", NOW_MS)
    assert not TERMS.covers("voice", "calls", "DE", TERMS.expires_ms)
    assert replace(TERMS, territory=()).covers("voice", "calls", "", NOW_MS)
    assert Terms.from_json(TERMS.as_json()) == TERMS


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Terms("voice", (), NOW_MS),
        lambda: Terms("voice", ("everything",), NOW_MS),  # type: ignore[arg-type]
        lambda: Terms("voice", ("calls",), NOW_MS, ("Germany",)),
        lambda: draw("A", TERMS, "tlh", now_ms=NOW_MS),
        lambda: draw("A", replace(TERMS, expires_ms=NOW_MS), "en", now_ms=NOW_MS),
        lambda: draw("A", replace(TERMS, expires_ms=NOW_MS + LONGEST_MS + 1), "en", now_ms=NOW_MS),
    ],
)
def test_terms_that_are_none_are_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"\w"):
        wrong()
