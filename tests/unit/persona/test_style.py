from __future__ import annotations

import pytest

from persona import home, style
from persona.examples import Example
from persona.home import Persona
from persona.profile import Profile
from persona.statements import Statement
from persona.style import Style, distance, measure

# Two owners in each language, made up: one talks, the other writes.
TALKER = (
    "Well, it's not that hard. You know, I've done it a hundred times. Shall we look at Monday?",
    "Mind you, I don't like it. It's a bit of a mess, isn't it? I'll have a go, though.",
    "Well, the thing is, they can't wait. I'd do the roof first. What do you reckon?",
    "You know, that's just how it is. I won't charge you for that. Is that all right?",
    "The thing is, wood moves. It's alive, you know. Mind you, so am I.",
    "Well, I wouldn't. I'd leave it till spring. You'll thank me later.",
    "Mind you, it's your house. I'm only the one who fixes it. Do you want tea?",
    "The thing is, nobody looks up. You know, I've seen ceilings you wouldn't believe.",
    "Well, don't worry. We'll sort it. I'm there on Friday, aren't I?",
    "Mind you, I've been wrong before. The thing is, it doesn't leak any more.",
    "You know, they're good windows. Don't throw them out. I'll show you what's wrong.",
    "Well, that's cheap. It isn't good, but it's cheap. What's the hurry?",
    "The thing is, it's raining. You know, I can't paint in the rain. We'll see on Tuesday.",
    "Mind you, she's right. I hadn't thought of it. It's a fair point, you know.",
    "Well, I'm off. Don't touch it till it's dry. You'll be fine, won't you?",
    "The thing is, I promised. I can't let them down. You'd do the same, wouldn't you?",
    "You know, I'd rather be on the roof. It's quiet up there. Well, mostly.",
    "Mind you, we've time. It's only March. Shall I ring you next week?",
    "Well, I'll be honest. It's not what I'd choose. You know, it's your money.",
    "The thing is, they don't make them now. I've two in the shed. Do you want one?",
    "You know, it isn't the cold. It's the damp. Mind you, the cold doesn't help.",
    "Well, let's see. I'm free on Thursday. Isn't that your birthday?",
)
WRITER = (
    "I am of the opinion that a structure should be assessed in its entirety before any individual element of it "
    "is replaced, since the elements do not fail independently of one another.",
    "It is not advisable to begin the renovation of the façade before the condition of the roof has been "
    "established by a competent surveyor and has been recorded in writing.",
    "We have found that the majority of our clients do not require additional space, but that they are "
    "dissatisfied with the manner in which the existing space has been divided.",
    "I do not consider it appropriate to offer a fixed price where the extent of the damage cannot be determined "
    "in advance, and I would not recommend that you accept such an offer from others.",
)
OTHER_TALKER = (
    "Oh my God, yes! I mean, I literally just got off the plane, so give me like two hours, okay?",
    "So basically we're gonna need to, like, move the whole thing to Wednesday. Does that work for you guys?",
    "No, totally! I'm super happy to jump on a call. Just shoot me a text whenever, it's all good!",
    "I mean, it's not, like, my favorite? But if the client's into it then sure, why not!",
    "Honestly I can't even with this printer. It's literally brand new! So yeah, I'll be late.",
)
PLAUDERER = (
    "Also, das ist halt so. Na ja, ich hab's dir gesagt. Kommst du morgen rein?",
    "Das kriegen wir hin. Schau, ich mach das schon lang. Hast du noch Farbe?",
    "Na ja, schön ist es nicht. Aber es hält halt. Das kriegen wir hin, gell?",
    "Also, ich komm am Montag. Geht's dir um acht? Bring du den Kaffee mit.",
    "Das kriegen wir hin. Du musst halt warten. Na ja, bis Freitag vielleicht.",
    "Also, ich sag's dir ehrlich. Ich hab das noch nie so gesehen. Lass das mal.",
    "Na ja, gibt's da noch einen Schlüssel? Ich geh mal rauf. Wart du halt hier.",
    "Also, ich glaub das nicht. Zeig mal her. Hast du das selber gemacht?",
    "Na ja, das hält noch ein Jahr. Danach reden wir mal. Das kriegen wir hin.",
    "Also, wenn du mich fragst, lass es. Das ist halt billig. Ich mach dir was Besseres.",
    "Du, ich hab grad keine Zeit. Ruf mich halt am Abend an. Also, bis dann.",
    "Na ja, die Katze ist halt alt. Also, ich komm trotzdem. Wo wohnst du?",
    "Das kriegen wir hin. Ich hab dir doch gesagt, das wird. Also, keine Angst.",
    "Na ja, mal sehen. Ich denk drüber nach. Sag du mir halt Bescheid.",
    "Also, das Dach ist dicht. Das kriegen wir hin mit dem Rest. Freust du dich?",
    "Na ja, ich wär lieber auf dem Dach. Da ist halt Ruhe. Kennst du das?",
    "Also, ich hab zwei davon. Willst du eins? Dann bring ich's dir mit rein.",
    "Na ja, du hast halt recht. Ich hab nicht dran gedacht. Das kriegen wir hin.",
    "Also, nimm die dicke. Die hält halt länger. Hast du noch Schrauben da?",
    "Na ja, wir haben Zeit. Es ist grad mal März. Soll ich dich anrufen?",
    "Also, ich bin weg. Fass es nicht an, du. Morgen ist es halt trocken.",
    "Na ja, dein Nachbar hat halt eine Säge. Also, frag ihn mal. Das kriegen wir hin.",
    "Also, das riecht nach Gas. Mach mal auf. Du, das ist halt kein Spaß.",
    "Na ja, so schlimm ist das halt nicht. Also, gib mal her. Hast du Licht da?",
    "Also, das hab ich dir doch gezeigt. Na ja, ich zeig's dir halt nochmal.",
    "Na ja, ich hab's versprochen. Das geht halt nicht anders. Verstehst du das?",
)
SCHREIBER = (
    "Ich habe die Unterlagen geprüft und bin zu dem Ergebnis gekommen, dass es für Sie günstiger wäre, eine neue "
    "Anlage zu errichten, als die vorhandene ein weiteres Mal instand zu setzen.",
    "Gerade bei älteren Gebäuden empfehle ich Ihnen, vor Beginn der Arbeiten ein Gutachten einzuholen, welches "
    "den Zustand der tragenden Teile in nachvollziehbarer Weise darstellt.",
    "Ich habe Ihnen eine Aufstellung der Kosten beigefügt, aus der Sie ersehen können, dass es ein erheblicher "
    "Unterschied ist, ob die Arbeiten im Frühjahr oder im Herbst ausgeführt werden.",
)
OWNERS = [("en", TALKER, WRITER), ("de", PLAUDERER, SCHREIBER)]


def test_a_talker_is_seen_to_talk() -> None:
    measured = measure(TALKER, "en")
    assert measured.length is not None
    assert measured.length.low <= measured.length.middle <= measured.length.high
    assert 3 <= measured.length.middle <= 6
    assert measured.contractions is not None
    assert measured.contractions > 0.8
    assert measured.questions is not None
    assert 0.15 < measured.questions < 0.35
    assert measured.exclamations == 0
    assert measured.fillers is not None
    assert {"well", "you know", "mind you"} <= set(measured.fillers)
    assert measured.phrases is not None
    assert "the thing is" in measured.phrases
    assert measured.familiar is None


def test_a_german_talker_too() -> None:
    measured = measure(PLAUDERER, "de-AT")
    assert measured.familiar is not None
    assert measured.familiar > 0.8
    assert measured.fillers is not None
    assert {"na ja", "halt", "also"} <= set(measured.fillers)
    assert measured.phrases is not None
    assert "das kriegen wir hin" in measured.phrases
    assert measured.contractions is not None
    assert measured.contractions > 0.8


def test_a_polite_german_is_seen_to_be_polite() -> None:
    measured = measure(SCHREIBER * 3, "de")
    assert measured.familiar == 0
    assert measured.contractions is not None
    assert measured.contractions < 0.2
    assert "du or Sie: Sie (100%)" in measured.lines()


@pytest.mark.parametrize(("language", "own", "other"), OWNERS)
def test_what_is_said_in_the_style_is_closer_than_what_is_not(
    language: str, own: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """Held out: measured on two thirds, and compared with texts that were not among them."""
    for part in range(3):
        measured = measure([text for nth, text in enumerate(own) if nth % 3 != part], language)
        mine = [distance(measured, text) for text in own[part::3]]
        others = [distance(measured, text) for text in other]
        assert max(mine) < min(others)


@pytest.mark.parametrize(("language", "own", "other"), OWNERS)
def test_the_writer_is_closer_to_the_writer(language: str, own: tuple[str, ...], other: tuple[str, ...]) -> None:
    measured = measure(other * 3, language)
    assert max(distance(measured, text) for text in other) < min(distance(measured, text) for text in own)


def test_another_talker_is_told_from_the_owner_too() -> None:
    """Both speak and contract; they differ in length, fillers, exclamations and favourites."""
    for part in range(3):
        measured = measure([text for nth, text in enumerate(TALKER) if nth % 3 != part], "en")
        mine = max(distance(measured, text) for text in TALKER[part::3])
        assert all(mine < distance(measured, text) for text in OTHER_TALKER)


def test_with_too_few_words_everything_is_unknown_and_says_how_many_it_takes() -> None:
    measured = measure(TALKER[:2], "en")
    assert measured.words == 37
    assert (measured.length, measured.fillers, measured.questions) == (None, None, None)
    assert "words per sentence: unknown: it takes 120 of the owner's own words, there are 37" in measured.lines()
    assert measured.instructions() == ""
    with pytest.raises(ValueError, match="unknown"):
        distance(measured, "Well, hello.")


def test_favourite_turns_take_more_words_than_sentences_do() -> None:
    measured = measure(TALKER[:14], "en")
    assert measured.length is not None
    assert measured.phrases is None
    assert any(line.startswith("favourite turns: unknown: it takes 300") for line in measured.lines())


def test_nothing_at_all_is_no_mistake() -> None:
    assert measure([], "en") == Style("en")
    assert measure(["", "?!", "\n"], "de").words == 0


def test_in_an_unknown_language_what_needs_none_is_measured() -> None:
    measured = measure(["Ceci est une phrase assez courte pour voir. Oui ?"] * 20, "fr")
    assert measured.length is not None
    assert (measured.fillers, measured.contractions, measured.phrases) == (None, None, None)
    assert measured.instructions()


def test_the_instructions_are_a_few_plain_sentences() -> None:
    told = measure(TALKER, "en").instructions()
    assert 2 <= told.count(".") <= 5
    for words in ("about 5 words", "ontracts words as in speech", "'the thing is'", "'well'"):
        assert words in told
    assert "'well'" not in measure(TALKER, "en").instructions(fillers=False)


def test_nobody_is_told_to_speak_in_sentences_that_no_listener_can_follow() -> None:
    told = measure(SCHREIBER * 3, "de").instructions()
    assert "keep them under 20 words" in told
    assert "speaks without contractions" in told.lower()


def test_a_favourite_turn_holds_no_name_and_no_subject() -> None:
    """Else it would carry to every caller what was said to one."""
    texts = [
        f"Anna is ill, {end}. The old roof of the barn leaks, {end}." for end in ("so there", "sadly", "well")
    ]
    measured = measure(texts * 12, "en")
    assert measured.phrases is not None
    assert not any("anna" in phrase or "roof" in phrase or "ill" in phrase for phrase in measured.phrases)


def test_the_owners_own_words_are_public_statements_and_their_side_of_the_examples() -> None:
    persona = Persona(
        Profile(name="Ada", languages=("en", "de")),
        statements=(
            Statement(about="a", text="For all."),
            Statement(about="b", text="For none.", tell="nobody"),
            Statement(about="c", text="For some.", tell="known"),
        ),
        examples=(
            Example(they="Theirs.", me="Mine."),
            Example(they="Ihrs.", me="Meins.", language="de"),
        ),
    )
    assert style.own_words(persona, "en") == ("For all.", "Mine.")
    assert style.own_words(persona, "de-AT") == ("Meins.",)


def test_the_demo_owner_can_be_measured() -> None:
    persona = home.demo()
    measured = measure(style.own_words(persona, "en"), "en")
    assert measured.length is not None
    assert len(measured.lines()) >= 8
