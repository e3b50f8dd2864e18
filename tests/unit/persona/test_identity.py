"""Who speaks: calls as they go, and what each of them opens."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from persona.caller import Caller
from persona.identity import WHICH, WHO, Identity, Start, State
from persona.introduced import question
from persona.people import Person
from persona.source import Memory

NUMBER = "+4930123456"
DAY_MS = 86_400_000
NOW_MS = 1_795_305_600_000
ANNA = Person(name="Anna Schmidt", numbers=(NUMBER,), relation="friend")
TOM = Person(name="Tom Schmidt", numbers=(NUMBER,), relation="family")
BOB = Person(name="Robert Miller", called="Bob", numbers=(NUMBER,), relation="colleague")


def identity(
    *people: Person,
    remembered: Sequence[str] = (),
    days: float | None = None,
    attested: bool | None = None,
    subject: str = NUMBER,
    language: str = "en",
) -> Identity:
    """At the beginning of a call from `NUMBER`, heard last so many days ago."""
    heard_ms = None if days is None else NOW_MS - int(days * DAY_MS)
    return Identity(Start(subject, people, remembered, heard_ms, NOW_MS, attested), language=language)


def about(person: str) -> Memory:
    return Memory("m", "Something.", 1, person=person)


# The state at the start, and whether the twin asks who is calling.
@pytest.mark.parametrize(
    ("call", "state", "asks"),
    [
        (identity(), State.STRANGER, False),
        (identity(subject=""), State.STRANGER, False),
        (identity(subject="", remembered=["Anna"], days=1), State.STRANGER, False),
        (identity(ANNA, days=3), State.RECOGNISED, False),
        (identity(remembered=["Anna"], days=59), State.RECOGNISED, False),
        (identity(days=3), State.RECOGNISED, False),
        (identity(ANNA, remembered=["Anna"], days=3), State.RECOGNISED, False),
        (identity(ANNA), State.UNSURE, True),
        (identity(remembered=["Anna"], days=61), State.UNSURE, True),
        (identity(days=61), State.UNSURE, True),
        (identity(ANNA, TOM, days=1), State.UNSURE, True),
        (identity(ANNA, remembered=["Peter"], days=1), State.UNSURE, True),
        (identity(remembered=["Anna", "Tom"], days=1), State.UNSURE, True),
        (identity(Person(name="Anna", numbers=(NUMBER,), shared=True), days=1), State.UNSURE, True),
        (identity(ANNA, days=1, attested=False), State.UNSURE, True),
        (identity(ANNA, days=1, attested=True), State.RECOGNISED, False),
    ],
)
def test_what_the_number_alone_says(call: Identity, state: State, asks: bool) -> None:
    assert call.state is state
    assert (call.opening_question() == WHO) is asks
    assert call.unlocked is (state is State.RECOGNISED)
    assert call.caller().known is (state is State.RECOGNISED)
    assert call.caller().name == ""
    assert call.caller().person == ""


# One answer to "May I ask who is calling?" on a number that is Anna Schmidt's and was not heard for a year.
@pytest.mark.parametrize(
    ("answer", "state", "name"),
    [
        ("This is Anna.", State.CONFIRMED, "Anna"),
        ("Anna", State.CONFIRMED, "Anna"),
        ("anna schmidt", State.CONFIRMED, "Anna Schmidt"),
        ("It's Ana Schmitt.", State.CONFIRMED, "Anna Schmidt"),
        ("It's me, Anna.", State.CONFIRMED, "Anna"),
        ("Speaking.", State.UNSURE, ""),
        ("Yes, it's me.", State.UNSURE, ""),
        ("Why do you ask?", State.UNSURE, ""),
        ("I'd rather not say.", State.UNSURE, ""),
        ("Is this still Martin's number?", State.UNSURE, ""),
        ("Mrs Schmidt here.", State.UNSURE, "Schmidt"),
        ("This is Peter.", State.OTHER, "Peter"),
        ("Anna Weber", State.OTHER, "Anna Weber"),
        ("No, this is her husband.", State.OTHER, ""),
        ("No, this is her husband Tom.", State.OTHER, "Tom"),
        ("I just got this number.", State.OTHER, ""),
        ("I'm calling for Anna, my name is Peter Weber.", State.OTHER, "Peter Weber"),
    ],
)
def test_the_answer_on_a_number_that_may_have_been_given_out_again(answer: str, state: State, name: str) -> None:
    call = identity(ANNA, days=365)
    step = call.heard(answer, asked=True)
    assert step.state is call.state is state
    assert step.changed is (state is not State.UNSURE)
    assert call.unlocked is (state is State.CONFIRMED)
    assert call.caller() == Caller(
        name=name,
        number=NUMBER,
        known=state is State.CONFIRMED,
        person="Anna Schmidt" if state is State.CONFIRMED else "",
        relation="friend" if state is State.CONFIRMED else "",
    )


def test_a_fresh_number_is_known_but_for_people_by_name_only_with_the_name() -> None:
    call = identity(ANNA, days=3)
    assert call.caller() == Caller(number=NUMBER, known=True)
    assert not call.caller().may_hear(("Anna Schmidt",))
    call.heard("Hi, this is Anna, I've got a question.")
    assert call.caller().may_hear(("Anna Schmidt",))
    assert call.caller().relation == "friend"


def test_somebody_else_on_a_fresh_number_locks_it_for_the_call() -> None:
    call = identity(ANNA, days=3)
    assert call.heard("Hello, this is Peter.").changed
    assert not call.unlocked
    assert not call.caller().known
    assert call.heard("Actually, this is Anna.").state is State.OTHER
    assert not call.may_use(about("Anna Schmidt"))


def test_what_somebody_else_says_is_kept_as_theirs_and_without_a_name_not_at_all() -> None:
    call = identity(ANNA, days=3)
    call.heard("No, this is her husband.")
    assert (call.speaker, call.may_remember) == ("", False)
    call.heard("My name is Tom Weber.")
    assert (call.speaker, call.may_remember) == ("Tom Weber", True)


def test_on_a_shared_line_each_sees_their_own() -> None:
    call = identity(ANNA, TOM, days=1)
    call.heard("This is Tom.", asked=True)
    assert call.caller() == Caller("Tom", NUMBER, known=True, person="Tom Schmidt", relation="family")
    assert call.may_use(about("Tom Schmidt"))
    assert not call.may_use(about("Anna Schmidt"))
    assert not call.may_use(about(""))
    assert call.speaker == "Tom Schmidt"


def test_two_of_the_same_first_name_are_asked_for_more_once() -> None:
    weber = Person(name="Anna Weber", numbers=(NUMBER,))
    call = identity(ANNA, weber, days=1)
    assert call.heard("It's Anna.", asked=True).ask == WHICH
    assert not call.unlocked
    assert call.heard("Anna again.").ask == ""
    assert call.heard("Anna Weber.").state is State.CONFIRMED
    assert call.caller().person == "Anna Weber"


def test_a_surname_is_the_whole_familys() -> None:
    call = identity(ANNA, days=365)
    assert call.heard("Schmidt here.", asked=True).ask == WHICH
    assert call.heard("Tom Schmidt").state is State.OTHER


def test_it_is_still_me_is_asked_for_a_name_once_and_opens_nothing() -> None:
    call = identity(ANNA, days=365)
    assert call.heard("Yes, it's still me.", asked=True).ask == WHICH
    assert call.heard("It's me.").ask == ""
    assert not call.unlocked
    assert call.heard("Anna").state is State.CONFIRMED


def test_a_nickname_of_the_owners_list_is_a_name() -> None:
    call = identity(BOB, days=365)
    assert call.heard("Bob here.").state is State.CONFIRMED
    assert call.caller() == Caller("Bob", NUMBER, known=True, person="Robert Miller", relation="colleague")


def test_a_stranger_who_says_a_listed_name_is_a_stranger() -> None:
    call = identity()
    step = call.heard("This is Anna Schmidt.")
    assert step.state is State.STRANGER
    assert call.caller() == Caller("Anna Schmidt", NUMBER)
    assert not call.caller().may_hear(("Anna Schmidt",))
    assert (call.speaker, call.may_remember) == ("Anna Schmidt", True)


def test_a_withheld_number_opens_nothing_whatever_is_said() -> None:
    call = identity(ANNA, subject="", remembered=["Anna Schmidt"], days=1)
    call.heard("This is Anna Schmidt.", asked=True)
    assert (call.state, call.unlocked, call.caller().known) == (State.STRANGER, False, False)


def test_a_number_that_the_network_disowns_opens_nothing_even_with_the_name() -> None:
    call = identity(ANNA, days=1, attested=False)
    call.heard("This is Anna Schmidt.", asked=True)
    assert (call.unlocked, call.caller().known, call.caller().person) == (False, False, "")
    assert call.caller().name == "Anna Schmidt"


def test_a_number_without_a_name_is_recognised_and_learns_one() -> None:
    call = identity(days=3)
    assert call.may_use(about(""))
    call.heard("This is Anna.")
    assert call.state is State.RECOGNISED
    assert call.may_use(about(""))
    assert (call.caller().name, call.speaker) == ("Anna", "Anna")


def test_an_old_number_without_a_name_stays_closed_for_any_name() -> None:
    call = identity(days=365)
    call.heard("This is Anna.", asked=True)
    assert (call.state, call.unlocked) == (State.OTHER, False)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt", "zh", "ja"])
def test_no_stored_name_is_ever_said_or_shown_before_they_say_it(language: str) -> None:
    for days in (3, 365):
        call = identity(ANNA, BOB, remembered=["Carla Conti"], days=days, language=language)
        key = call.opening_question()
        assert key is not None
        for text in ("Hello?", "It's me.", "Yes.", "Who is this?", "No."):
            step = call.heard(text, asked=True)
            shown = f"{call.caller()} {question(key, language)} {step.ask and question(step.ask, language)}"
            assert not any(
                part in shown for part in ("Anna", "Schmidt", "Robert", "Bob", "Miller", "Carla", "Conti")
            )


def test_of_a_fuller_stored_name_only_the_part_they_gave_is_shown() -> None:
    call = identity(ANNA, days=365)
    call.heard("Anna", asked=True)
    assert "Schmidt" not in call.caller().name


@pytest.mark.parametrize(
    ("language", "text", "state"),
    [
        ("de", "Hier ist Anna.", State.CONFIRMED),
        ("de", "Anna Schmidt am Apparat.", State.CONFIRMED),
        ("de", "Nein, hier ist ihr Mann.", State.OTHER),
        ("de", "Am Apparat.", State.UNSURE),
        ("fr", "C'est Anna.", State.CONFIRMED),
        ("es", "Soy Anna Schmidt.", State.CONFIRMED),
        ("it", "Sono Anna.", State.CONFIRMED),
        ("pt", "Aqui é a Anna.", State.CONFIRMED),
    ],
)
def test_calls_in_other_languages(language: str, text: str, state: State) -> None:
    call = identity(ANNA, days=365, language=language)
    assert call.heard(text, asked=True).state is state


def test_who_is_only_spoken_of_is_not_on_the_line() -> None:
    call = identity(ANNA, days=3)
    for text in ("I spoke to Peter yesterday.", "Can you tell Martin that I called?", "It's about Anna's order."):
        assert not call.heard(text).changed
    assert call.state is State.RECOGNISED


def test_kin_of_the_owner_is_asked_for_a_name_and_let_in_again() -> None:
    call = identity(ANNA, days=3)
    assert call.heard("Hi, I'm his sister, is he in?").ask == WHICH
    assert not call.unlocked
    assert call.heard("Anna").state is State.CONFIRMED


def test_the_telephone_handed_on_in_mid_call_is_closed_again() -> None:
    call = identity(ANNA, TOM, days=3)
    call.heard("This is Anna.")
    assert call.unlocked
    assert call.heard("Hello, this is her husband now.").changed
    assert not call.unlocked
    call.heard("Tom Schmidt.", asked=True)
    assert call.may_use(about("Tom Schmidt"))
    assert not call.may_use(about("Anna Schmidt"))


def remembered(text: str, *, said_about: str = "note", person: str = "Anna Schmidt") -> Memory:
    return Memory("m", text, 1, about=said_about, person=person)


def test_memories_are_used_without_the_name_until_it_is_given() -> None:
    memories = [
        remembered("Anna Schmidt's daughter starts school in August 2027."),
        remembered("Anna works at Siemens."),
        remembered("The caller's name is Anna Schmidt.", said_about="name"),
    ]
    call = identity(remembered=["Anna Schmidt"], days=3)
    shown = call.usable(memories)
    assert [memory.text for memory in shown] == [
        "The caller's daughter starts school in August 2027.",
        "The caller works at Siemens.",
    ]
    assert {memory.person for memory in shown} == {""}
    call.heard("This is Anna.")
    assert [memory.text for memory in call.usable(memories)] == [
        "Anna's daughter starts school in August 2027.",
        "Anna works at Siemens.",
        "The caller's name is Anna.",
    ]
    call.heard("This is Peter.")
    assert call.usable(memories) == ()


def test_german_memories_too() -> None:
    call = identity(remembered=["Anna Schmidt"], days=3, language="de")
    (memory,) = call.usable([remembered("Die Tochter von Anna Schmidt kommt in die Schule.")])
    assert memory.text == "Die Tochter von der anrufenden Person kommt in die Schule."
    call.heard("Hier ist Anna Schmidt.")
    (memory,) = call.usable([remembered("Die Tochter von Anna Schmidt kommt in die Schule.")])
    assert memory.text == "Die Tochter von Anna Schmidt kommt in die Schule."


def test_on_a_shared_line_only_the_speakers_memories_are_used() -> None:
    call = identity(remembered=["Anna Schmidt", "Tom Schmidt"], days=3)
    memories = [remembered("Anna works at Siemens."), remembered("Tom works at Bosch.", person="Tom Schmidt")]
    assert call.usable(memories) == ()
    call.heard("Tom Schmidt.", asked=True)
    assert [memory.text for memory in call.usable(memories)] == ["Tom works at Bosch."]
