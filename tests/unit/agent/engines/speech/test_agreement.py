"""Stable words, scripted and at random."""

from __future__ import annotations

import random

import pytest

from agent.engines.base import Hypothesis
from agent.engines.speech.agreement import Agreement, Segment, is_invented, without_loops


def one(text: str, **doubts: float) -> list[Segment]:
    return [Segment(text, 16000, **doubts)]


def test_words_are_stable_once_two_decodes_agree_on_them() -> None:
    agreement = Agreement()
    seen = []
    for text in ("What is", "What is the cap", "What is the capital of", "What is the capital of Mongolia?"):
        agreement.add(one(text))
        seen.append(agreement.hypothesis)

    assert seen == [
        Hypothesis("What is", 0),
        Hypothesis("What is the cap", 2),
        Hypothesis("What is the capital of", 3),
        Hypothesis("What is the capital of Mongolia?", 5),
    ]


def test_commas_and_capitals_do_not_keep_decodes_from_agreeing() -> None:
    agreement = Agreement()
    agreement.add(one("well i think"))
    agreement.add(one("Well, I think so"))

    assert agreement.hypothesis.stable_words == 3


def test_a_stable_word_stays_when_a_later_decode_changes_its_mind() -> None:
    agreement = Agreement()
    agreement.add(one("my name is Anna"))
    agreement.add(one("my name is Anna and"))
    agreement.add(one("by name is Hannah and I"))

    assert agreement.hypothesis.text.split()[:4] == ["my", "name", "is", "Anna"]
    assert agreement.hypothesis.stable_words == 4


def test_the_final_text_has_the_unstable_end_too_and_starts_anew() -> None:
    agreement = Agreement()
    agreement.add(one("see you on"))
    agreement.add(one("see you on Monday"))

    assert agreement.final() == "see you on Monday"
    assert agreement.hypothesis == Hypothesis("", 0)


def test_audio_is_let_go_at_the_end_of_a_settled_segment() -> None:
    agreement = Agreement()
    decode = [Segment("First sentence.", 1000), Segment("Second one.", 2000), Segment("And", 2500)]
    agreement.add(decode)
    assert agreement.trim_at(decode) is None
    agreement.add(decode)

    assert agreement.trim_at(decode) == 2000
    agreement.add(one("And a third."))
    assert agreement.hypothesis == Hypothesis("First sentence. Second one. And a third.", 5)


def test_a_window_without_a_pause_is_settled_as_it_is() -> None:
    agreement = Agreement()
    agreement.add(one("and so on and"))
    agreement.commit()
    agreement.add(one("on it goes"))

    assert agreement.hypothesis == Hypothesis("and so on and on it goes", 4)


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("", {}),
        ("...", {}),
        ("[Music]", {}),
        ("(applause)", {}),
        ("Thanks for watching!", {}),
        ("Subtitles by the Amara.org community", {}),
        ("Thank you.", {"no_speech": 0.5}),
        ("I was there", {"no_speech": 0.8, "logprob": -0.9}),
        ("Blurred mumbling", {"logprob": -1.5}),
        ("la la la la la la la la la la la la la la la la la la la la la la la la la la", {}),
        ("I am not. I am not. I am not. I am not. I am not. I am not. I am not. I am not.", {}),
    ],
)
def test_what_whisper_makes_up_from_noise_is_no_speech(text: str, doubts: dict[str, float]) -> None:
    agreement = Agreement()
    for _ in range(2):
        agreement.add(one(text, **doubts))

    assert agreement.final() == ""


@pytest.mark.parametrize("text", ["Thank you.", "No, no, no!", "alpha alpha alpha bravo bravo", "It's 7.", "Yes"])
def test_what_people_say_is_speech(text: str) -> None:
    assert not is_invented(Segment(text, 1, no_speech=0.2, logprob=-0.5))


def test_a_loop_is_cut_to_what_a_person_might_repeat() -> None:
    assert without_loops(["no", "no", "no", "no", "no", "no"]) == ["no", "no", "no"]
    assert without_loops(["so", "it", "is"] * 5 + ["fine"]) == [*(["so", "it", "is"] * 3), "fine"]


@pytest.mark.parametrize("seed", range(200))
def test_stable_words_never_change_whatever_is_decoded(seed: int) -> None:
    rng = random.Random(seed)
    vocabulary = ["one", "two", "Three,", "three", "four", "no", "no"]
    truth: list[str] = []
    agreement = Agreement()
    stable: list[str] = []
    for _ in range(30):
        truth += rng.choices(vocabulary, k=rng.randrange(3))
        heard = [word if rng.random() < 0.9 else rng.choice(vocabulary) for word in truth]
        cut = rng.randrange(len(heard) + 1)
        segments = [Segment(" ".join(heard[:cut]), 100), Segment(" ".join(heard[cut:]), 200)]
        agreement.add(segments)
        if rng.random() < 0.2 and agreement.trim_at(segments) is not None:
            truth = truth[cut:]
        if rng.random() < 0.05:
            agreement.commit()
            truth = []
        hypothesis = agreement.hypothesis
        now = hypothesis.text.split()[: hypothesis.stable_words]
        assert now[: len(stable)] == stable
        assert len(now) == hypothesis.stable_words
        stable = now

    assert agreement.final().split()[: len(stable)] == stable
