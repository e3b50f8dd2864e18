"""The scripted meetings as a floor: what the benchmark reports may not get worse unseen."""

from __future__ import annotations

import pytest

from agent.meeting.addressee.model import TARGETS, Model
from tests.bench.addressee import fit
from tests.bench.addressee.measure import Score, calibration_error, interval, score
from tests.bench.addressee.script import Part, digest, load

FROZEN: dict[Part, str] = {
    "scoring": "23fb3cf235a443a6",
    "blind": "0424c3fdb04a52b3",
    "independent": "b292b6c7e988a0f6",
    "fresh": "87ed96f8e26d1e0f",
}
"""Scripts are not changed when a judgement turns out wrong; `scoring` and `fresh` are not fitted on."""


@pytest.fixture(scope="module")
def scores() -> dict[Part, Score]:
    return {part: score(load(part)) for part in (*fit.FITTED, "scoring")}


@pytest.mark.parametrize("part", FROZEN)
def test_what_is_scored_on_stays_as_it_was_written(part: Part) -> None:
    assert digest(part) == FROZEN[part]


def test_the_parts_share_no_meeting_and_no_owner() -> None:
    tuned = {meeting.names.owner for meeting in fit.meetings()}
    assert not tuned & {meeting.names.owner for meeting in load("scoring")}
    assert "scoring" not in fit.FITTED


def test_there_is_enough_to_judge_and_enough_that_is_hard(scores: dict[Part, Score]) -> None:
    judged = [case for of in scores.values() for _, case, _ in of.judged]
    assert len(judged) >= 400
    assert len(scores["blind"].judged) >= 100
    assert sum(case.hard for case in judged) / len(judged) >= 0.35


@pytest.mark.parametrize(
    ("part", "precision", "recall"),
    [("tuning", 0.95, 0.95), ("blind", 0.93, 0.93), ("independent", 0.95, 0.95), ("scoring", 0.90, 0.90)],
)
def test_the_twin_knows_when_it_is_meant(
    scores: dict[Part, Score], part: Part, precision: float, recall: float
) -> None:
    assert scores[part].precision >= precision
    assert scores[part].recall >= recall


@pytest.mark.parametrize("part", [*fit.FITTED, "scoring"])
def test_words_that_are_not_for_it_are_left_alone(scores: dict[Part, Score], part: Part) -> None:
    of = scores[part]
    assert of.selectivity >= 0.95
    for mode in ("on_request", "active"):
        assert of.interruptions(mode) <= max(1, of.hours)


def test_it_knows_how_sure_it_is(scores: dict[Part, Score]) -> None:
    assert max(calibration_error(of) for of in scores.values()) <= 0.08


def test_the_weights_are_those_that_the_tuning_meetings_give() -> None:
    weights = fit.fit(fit.rows(load("tuning")[:4]))
    model = Model({target: weights[target] for target in TARGETS})
    assert model.odds({"call_me": 1.0, "asks": 1.0})["twin"] > model.odds({"call_other": 1.0, "asks": 1.0})["twin"]


def test_an_interval_is_wider_the_fewer_it_rests_on() -> None:
    assert interval(9, 10)[0] < interval(90, 100)[0] < 0.9 < interval(90, 100)[1] < interval(9, 10)[1]
