"""Who asks about somebody's data: codes, and what only who was in the call knows."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from compliance.forgetting.verification import (
    CLAIM_TRIES,
    CODE_MS,
    CODE_TRIES,
    Claim,
    Code,
    Commonness,
    Known,
    Proof,
    check_code,
    knows,
    new_code,
    telling,
)

BEGUN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SAID = "the gutter above the conservatory leaks, could Martin recommend a plumber or a roofer in Charlottenburg"
CALL = Known(int(BEGUN.timestamp() * 1000), 260.0, frozenset(telling(SAID)))


rare = Commonness()


def claim(**said: str) -> Claim:
    return Claim.of(**said)


def test_the_right_code_counts_once_and_only_in_its_time() -> None:
    digits, code = new_code(0)
    assert len(digits) == 6
    assert digits not in repr(code)
    assert check_code(code, digits, CODE_MS - 1) == (True, None)
    assert check_code(code, f" {digits[:3]}-{digits[3:]} ", 0) == (True, None)
    assert check_code(code, digits, CODE_MS)[0] is False
    assert check_code(None, digits, 0) == (False, None)


def test_five_wrong_codes_make_it_worthless() -> None:
    digits, first = new_code(0)
    code: Code | None = first
    wrong = f"{(int(digits) + 1) % 10**6:06d}"
    for _ in range(CODE_TRIES):
        right, code = check_code(code, wrong, 0)
        assert not right
    assert check_code(code, digits, 0)[0] is False


def test_codes_are_not_alike() -> None:
    assert len({new_code(0)[0] for _ in range(500)}) > 490


@pytest.mark.parametrize(
    "said",
    [
        {"words": "conservatory, gutter", "day": "2026-11-20"},
        {"words": "conservatory, gutter", "day": "2026-11-21"},
        {"words": "a plumber for the CONSERVATORY", "time": "15:00", "minutes": "4"},
        {"words": "Charlottenburg roofer gutter", "day": "2026-11-19", "time": "14", "minutes": "9"},
    ],
)
def test_who_was_in_the_call_is_believed(said: dict[str, str]) -> None:
    assert knows(claim(**said), [CALL], common=rare)


@pytest.mark.parametrize(
    "said",
    [
        {"words": "conservatory, gutter"},
        {"words": "conservatory", "day": "2026-11-20", "time": "14:30", "minutes": "4"},
        {"day": "2026-11-20", "time": "14:30", "minutes": "4"},
        {"words": "conservatory, gutter", "day": "2026-11-10", "time": "9:00", "minutes": "30"},
        {"words": "leaks invoice meeting", "day": "2026-11-20", "time": "14:30"},
        {"words": "gutter conservatory leaks Martin plumber roofer", "day": "2026-11-20"},
        {"words": "could about", "day": "2026-11-20", "time": "14:30"},
        {},
    ],
)
def test_too_little_too_much_or_what_the_phone_shows_by_itself_is_not_believed(said: dict[str, str]) -> None:
    assert not knows(claim(**said), [CALL], common=rare)


def test_words_that_many_say_prove_nothing() -> None:
    common = Commonness()
    for number in range(200):
        common.add(telling("gutter conservatory" if number % 10 == 0 else f"something else {number}"))
    assert common("gutter") == pytest.approx(0.1, abs=0.01)
    assert not knows(claim(words="gutter conservatory", day="2026-11-20", time="14:30"), [CALL], common=common)
    assert common("please") == 1.0


def test_what_cannot_be_read_was_not_said() -> None:
    assert claim(day="soon", time="25:00", minutes="long", words="a b c") == Claim()
    assert claim(day=" 2026-11-20 ", time="9.05", minutes="4,5") == Claim(date(2026, 11, 20), 545, 4.5)


def test_how_far_it_came_survives_storage() -> None:
    proof = Proof(new_code(5)[1], 2, True, 1, False)
    assert Proof.from_json(proof.as_json()) == proof
    assert not proof.complete
    assert Proof.from_json({}) == Proof()


TOPICS = [
    "invoice", "appointment", "meeting", "contract", "delivery", "insurance", "garden", "kitchen", "heating",
    "doctor", "dentist", "birthday", "holiday", "school", "concert", "ticket", "flight", "hotel",
    "restaurant", "wedding", "bicycle", "car", "repair", "painting", "window", "door", "lawyer", "tax",
    "bank", "mortgage", "apartment", "rent", "neighbour", "parking", "printer", "laptop", "software",
    "update", "interview", "salary", "training", "football", "tennis", "yoga", "violin", "piano", "lesson",
    "recipe", "bakery", "vegetables", "chicken", "museum", "exhibition", "theatre", "camera", "portrait",
]  # fmt: skip
SYLLABLES = [
    "ka", "lo", "mi", "ter", "ban", "sor", "vel", "dun", "pra", "chi", "gol", "fen", "rum", "tas", "wil",
    "bor", "nek", "sul",
]  # fmt: skip


def invented(dice: random.Random, *, details: int) -> str:
    """What somebody says: everyday topics, which others say too, and details that are theirs."""
    own = ["".join(dice.choices(SYLLABLES, k=3)) for _ in range(details)]
    return " ".join([*dice.sample(TOPICS, 4), *own])


def test_of_500_wrong_people_none_is_believed_and_most_right_ones_are() -> None:
    dice = random.Random(11)
    texts = [invented(dice, details=4) for _ in range(600)]
    common = Commonness()
    for text in texts[500:]:
        common.add(telling(text))
    wrong = right = 0
    for text in texts[:500]:
        began = BEGUN - timedelta(minutes=dice.randrange(90 * 24 * 60))
        call = Known(int(began.timestamp() * 1000), dice.uniform(40, 900), frozenset(telling(text)))
        for attempt in range(CLAIM_TRIES):
            # A new holder of the number guesses all; one of the household reads all but the words from the phone.
            knows_the_list = attempt % 2 == 0
            day = began if knows_the_list else BEGUN - timedelta(days=dice.randrange(90))
            minutes = call.length_s / 60 if knows_the_list else dice.uniform(1, 10)
            guess = Claim(day.date(), day.hour * 60 + day.minute, minutes, tuple(dice.sample(TOPICS, 3)))
            wrong += knows(guess, [call], common=common)
        own = telling(text)[-3:]
        remembered = Claim(began.date(), None, None, tuple(dice.sample(own, 2)))
        right += knows(remembered, [call], common=common)
    assert wrong == 0
    assert right >= 450
