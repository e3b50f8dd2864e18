from __future__ import annotations

import pytest

from persona import message
from persona.caller import Caller
from persona.grounded import Answerer
from persona.home import Persona
from persona.message import MessageTaken
from persona.profile import Profile
from persona.prompt import Turn
from tests.unit.persona.talk import TODAY, Talk

PROFILE = Profile(name="Ada Marsh", pronouns="she/her")


@pytest.fixture
def talk() -> Talk:
    return Talk(Answerer(Persona(PROFILE)))


def test_a_message_given_outright_is_read_back_and_taken(talk: Talk) -> None:
    reply = talk.say("Please tell her that the meeting moves to Monday at nine.")
    assert reply.text == "Your message for Ada is: the meeting moves to Monday at nine. Is that right?"
    assert talk.say("Yes.").text == "Who may I say is calling?"
    assert talk.say("This is Ben Carter.").text == "What number can she reach you on?"
    reply = talk.say("oh one six three two, nine six oh, double one two")
    assert reply.text == "Thank you. I'll pass it on to Ada."
    assert reply.message == MessageTaken(
        "the meeting moves to Monday at nine",
        caller_name="Ben Carter",
        caller_number="01632960112",
        confirmed=True,
    )


@pytest.mark.parametrize(
    "words",
    [
        "please tell her that the roof leaks",
        "tell ada the roof leaks",
        "could you tell them the roof leaks",
        "let her know that the roof leaks",
        "please give her the message that the roof leaks",
        "a message for Ada Marsh is that the roof leaks",
    ],
)
def test_a_message_is_recognised_in_many_forms(talk: Talk, words: str) -> None:
    assert "the roof leaks. Is that right?" in talk.say(words).text


def test_asking_her_to_do_something_is_a_message(talk: Talk) -> None:
    assert "is: please call me back. Is" in talk.say("Can you ask her to call me back?").text


def test_an_offer_that_is_accepted_asks_for_the_message(talk: Talk) -> None:
    assert "take a message" in talk.say("What is the capital of Mongolia?").text
    assert talk.say("yes please").text == "What should I tell Ada?"
    assert talk.say("I have found her umbrella").text.startswith(
        "Your message for Ada is: I have found her umbrella."
    )


def test_an_offer_that_a_model_made_is_understood_too(talk: Talk) -> None:
    talk.turns += [Turn("caller", "Hello"), Turn("twin", "She is out. Shall I take a message?")]
    assert talk.say("yes").text == "What should I tell Ada?"


def test_an_offer_that_is_declined_is_dropped(talk: Talk) -> None:
    talk.say("What is the capital of Mongolia?")
    assert talk.say("no thanks").text == "All right. Is there anything else?"
    assert talk.messages() == ()


def test_a_wrong_message_is_asked_for_again(talk: Talk) -> None:
    talk.say("tell her the roof is ready")
    assert talk.say("no").text == "What should I tell Ada?"
    assert "is: the stairs are ready. Is" in talk.say("the stairs are ready").text


def test_a_correction_keeps_what_was_not_corrected(talk: Talk) -> None:
    talk.say("tell her the meeting moves to Monday at nine")
    assert "Monday at nine, correction: on Tuesday at ten. Is" in talk.say("No, on Tuesday at ten.").text


def test_an_addition_is_added(talk: Talk) -> None:
    talk.say("tell her the roof is ready")
    assert "is: the roof is ready, and the stairs too. Is" in talk.say("and the stairs too").text


def test_a_message_can_be_given_up(talk: Talk) -> None:
    talk.say("Can I leave a message?")
    assert talk.say("never mind").text == "All right. Is there anything else?"
    assert talk.messages() == ()


def test_who_is_known_is_not_asked(talk: Talk) -> None:
    talk.caller = Caller("Ben Carter", "+441632960112", known=True)
    talk.say("tell her that I called")
    assert talk.say("yes").message == MessageTaken("I called", "Ben Carter", "+441632960112", confirmed=True)


def test_a_name_that_was_said_before_is_not_asked_for(talk: Talk) -> None:
    talk.say("Hello, my name is Ben Carter.")
    talk.say("tell her that I called")
    assert talk.say("yes").text == "What number can she reach you on?"


def test_name_and_number_can_be_kept_back(talk: Talk) -> None:
    talk.say("tell her that I called")
    talk.say("yes")
    assert talk.say("no").text == "What number can she reach you on?"
    assert talk.say("no").message == MessageTaken("I called", confirmed=True)


def test_a_question_in_between_is_answered_and_the_message_goes_on(talk: Talk) -> None:
    talk.say("tell her that I called")
    talk.say("yes")
    reply = talk.say("Are you a human?")
    assert "I'm an AI" in reply.text
    assert reply.text.endswith("Who may I say is calling?")
    assert talk.say("Ben Carter").text == "What number can she reach you on?"


def test_pardon_reads_the_message_back_again(talk: Talk) -> None:
    first = talk.say("tell her that I called")
    assert talk.say("Pardon?").text == first.text
    assert talk.say("yes").text == "Who may I say is calling?"


def test_leaving_before_the_end_still_passes_the_message_on(talk: Talk) -> None:
    talk.say("tell her that I called")
    talk.say("yes")
    reply = talk.say("thank you good bye")
    assert reply.goodbye
    assert reply.message == MessageTaken("I called", confirmed=True)
    assert talk.messages() == (MessageTaken("I called", confirmed=True),)


def test_hanging_up_before_the_confirmation_leaves_an_unconfirmed_message(talk: Talk) -> None:
    talk.say("tell her that I called")
    assert talk.messages() == (MessageTaken("I called", confirmed=False),)


def test_two_messages_in_one_call(talk: Talk) -> None:
    talk.caller = Caller("Ben", "123456")
    for words in ("tell her the roof is ready", "yes", "also tell her the stairs are ready", "yes"):
        talk.say(words)
    assert [taken.text for taken in talk.messages()] == ["the roof is ready", "the stairs are ready"]


def test_a_read_back_that_was_cut_off_before_its_question_still_takes_a_yes(talk: Talk) -> None:
    talk.say("tell her the roof is ready")
    talk.turns[-1] = Turn("twin", "Your message for Ada is: the roof", cut=True)
    assert talk.say("yes").text == "Who may I say is calling?"


def test_a_question_that_was_never_heard_is_not_taken_for_asked(talk: Talk) -> None:
    talk.say("What is the capital of Mongolia?")
    talk.turns[-1] = Turn("twin", "I don't know", cut=True)
    assert talk.say("yes please").text != "What should I tell Ada?"


def test_a_message_about_a_message_does_not_confuse(talk: Talk) -> None:
    talk.say("tell her that I can take a message for Bob, who may I say is calling")
    assert talk.say("yes").text == "Who may I say is calling?"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("oh one six three two nine six oh", "01632960"),
        ("it's +44 1632 960112", "441632960112"),
        ("double five triple one", "55111"),
        ("I have none", ""),
        ("call me at nine", ""),
    ],
)
def test_a_spoken_number_becomes_digits(said: str, number: str) -> None:
    assert message.spoken_number(said) == number


def test_the_state_is_in_the_conversation_alone() -> None:
    first = Talk(Answerer(Persona(PROFILE)))
    first.say("tell her that I called")
    after_restart = Answerer(Persona(PROFILE))
    turns = [*first.turns, Turn("caller", "yes")]
    assert after_restart.reply(turns, today=TODAY).text == "Who may I say is calling?"
