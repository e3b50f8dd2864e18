"""For whom words are meant, and what is done about it."""

from __future__ import annotations

import pytest

from agent.meeting.addressee import Addressee, Decision, Heard, Judgement, Mode, Names, Scene, decide

JUDGE = Addressee(Names("Martin Keller", ("Marty",)), lambda text: "release" in text.lower(), "en")


def scene(*before: tuple[str, str], people: tuple[str, ...] = ("Ben", "Chen"), hand_raised: bool = False) -> Scene:
    said = tuple(Heard(who.lower(), who, text, 3.0 * at, 3.0 * at + 2.5) for at, (who, text) in enumerate(before))
    return Scene(said, people, hand_raised=hand_raised)


def judge(text: str, given: Scene, *, who: str = "Anna") -> Judgement:
    start_s = given.before[-1].end_s + 0.5 if given.before else 0.0
    return JUDGE.judge(Heard(who.lower(), who, text, start_s, start_s + 2), given)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Martin, when is the release?", "twin"),
        ("marty can you send us the notes", "twin"),
        ("Hey twin, what was the date?", "twin"),
        ("Martin, wann kommt das?", "twin"),
        ("Ben, can you take that?", "other"),
        ("Does anybody know the date?", "room"),
        ("Martin would have known that.", "nobody"),
        ("I asked Martin's twin about it yesterday.", "nobody"),
        ("Let's leave that for Martin, he has to decide.", "owner"),
    ],
)
def test_words_have_a_target(text: str, target: str) -> None:
    assert judge(text, scene(("Ben", "I did the tests."))).target == target


def test_what_is_asked_aloud_of_nobody_is_not_for_the_twin() -> None:
    assert judge("Where is that stupid link. Hang on.", scene(("Ben", "I did the tests."))).target != "twin"


def test_a_question_right_after_the_twins_answer_goes_on_with_it() -> None:
    given = scene(("Anna", "Martin, when is the release?"), ("", "On the fourteenth of May."))
    assert judge("And is that still realistic?", given).target == "twin"


def test_with_one_person_alone_all_is_for_the_twin_but_what_is_said_aside() -> None:
    given = scene(("Anna", "Hello, is that Martin?"), ("", "I'm his AI twin."), people=())
    assert judge("I wanted to ask about the office.", given).target == "twin"
    assert judge("Carlos, can you take him for a minute?", given).for_twin < 0.65


def test_the_same_words_and_scene_give_the_same_judgement() -> None:
    given = scene(("Ben", "Hm."))
    assert judge("Martin, what now?", given) == judge("Martin, what now?", given)


def test_an_empty_or_endless_utterance_is_judged_all_the_same() -> None:
    assert judge("...", scene()).target != "twin"
    assert 0 <= judge("and so on " * 5_000, scene()).for_twin <= 1


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Martin, please leave the meeting.", "leave"),
        ("Martin, you can leave now.", "leave"),
        ("Martin, please just listen from now on.", "silent"),
        ("Martin, only speak when you are asked.", "on_request"),
        ("Martin, feel free to jump in.", "active"),
        ("Martin, stop, please.", "stop"),
        ("Martin, hör bitte auf.", "stop"),
        ("Martin, bitte nur noch zuhören.", "silent"),
        ("Martin, du kannst jetzt gehen.", "leave"),
        ("Martin, leave it to me, will you?", ""),
        ("Ben, please leave the meeting.", ""),
        ("I have to leave in five minutes.", ""),
    ],
)
def test_an_order_to_the_twin_is_known(text: str, command: str) -> None:
    assert judge(text, scene(("Ben", "Okay."))).command == command


def test_a_raised_hand_is_called_by_a_name_alone() -> None:
    given = scene(("Chen", "Who wrote this?"), hand_raised=True)
    assert judge("Yes, Martin?", given).command == "speak"
    assert judge("Yes, Martin?", scene(("Chen", "Who wrote this?"))).command == ""


def judgement(target: str, *, sure: float = 0.9, wants: str = "answer", **more: object) -> Judgement:
    given: dict[str, object] = {"target": target, "for_twin": sure, "wants": wants, "in_field": False, **more}
    return Judgement(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judged", "mode", "decision"),
    [
        (judgement("twin"), "on_request", "speak"),
        (judgement("twin"), "active", "speak"),
        (judgement("twin"), "silent", "note"),
        (judgement("twin", sure=0.5), "active", "raise_hand"),
        (judgement("twin", wants="nothing"), "active", "silent"),
        (judgement("owner", sure=0.1), "active", "note"),
        (judgement("owner", sure=0.1), "silent", "note"),
        (judgement("room", sure=0.1, in_field=True), "active", "raise_hand"),
        (judgement("room", sure=0.1, in_field=True), "on_request", "silent"),
        (judgement("room", sure=0.1), "active", "silent"),
        (judgement("other", sure=0.1), "active", "silent"),
        (judgement("twin", command="leave"), "active", "silent"),
        (judgement("twin", command="speak"), "on_request", "speak"),
        (judgement("twin", command="speak"), "silent", "note"),
    ],
)
def test_the_mode_decides_what_is_done(judged: Judgement, mode: Mode, decision: Decision) -> None:
    assert decide(judged, mode, scene()) == decision


def test_alone_with_somebody_the_twin_answers_as_on_the_telephone() -> None:
    assert decide(judgement("twin", sure=0.5), "on_request", scene(people=())) == "speak"
    assert decide(judgement("twin", wants="nothing"), "on_request", scene(people=())) == "speak"
