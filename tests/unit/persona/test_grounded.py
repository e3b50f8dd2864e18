from __future__ import annotations

from datetime import date

import pytest

from persona import home
from persona.caller import Caller
from persona.documents import Passage
from persona.facts import Fact
from persona.grounded import CANNOT_LOOK_UP, Answerer
from persona.home import Persona
from persona.profile import Profile
from persona.prompt import Turn
from persona.source import Memory
from tests.unit.persona.talk import TODAY, Talk

DEMO = Answerer(home.demo())
UNKNOWN = "I don't know that, but I can take a message for Martin."


@pytest.fixture
def talk() -> Talk:
    return Talk(DEMO)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When is the office open on Saturday?", "on Saturday from ten until one"),
        ("How much does a consultation cost?", "ninety pounds"),
        ("Where is your office?", "fourteen Lantern Lane"),
        ("when is the coffee open on saturday", "on Saturday from ten until one"),
        ("one is the office open and saturday", "on Saturday from ten until one"),
        ("when is the office of the ninth saturday", "on Saturday from ten until one"),
        ("how much does a consolation cost", "ninety pounds"),
        ("how much does the consultation costs", "ninety pounds"),
        ("where is you're office", "fourteen Lantern Lane"),
        ("um hello could you tell me uh where your office is please", "fourteen Lantern Lane"),
    ],
)
def test_a_question_is_answered_from_the_facts(talk: Talk, question: str, answer: str) -> None:
    reply = talk.say(question)
    assert answer in reply.text
    assert reply.said[0].provenance == "fact"


@pytest.mark.parametrize("question", ["What is the capital of Mongolia?", "who is the prime minister"])
def test_what_is_not_known_is_said_and_a_message_offered(talk: Talk, question: str) -> None:
    reply = talk.say(question)
    assert reply.text == UNKNOWN
    assert [said.provenance for said in reply.said] == ["notice"]


def test_the_same_words_are_not_repeated_for_a_second_unknown(talk: Talk) -> None:
    talk.say("What is the capital of Mongolia?")
    assert "either" in talk.say("Who is the prime minister?").text


def test_a_sentence_that_asks_nothing_is_not_answered_with_a_fact(talk: Talk) -> None:
    reply = talk.say("The old yellow tractor stood behind the barn.")
    assert [said.provenance for said in reply.said] == ["notice"]
    assert "take a message" in reply.text


def test_everything_is_a_long_answer_from_facts_and_statements(talk: Talk) -> None:
    reply = talk.say("Please tell me everything about your work and your office.")
    assert len(reply.said) >= 5
    assert len(reply.text.split()) >= 60
    assert {said.provenance for said in reply.said} == {"fact", "statement"}


def test_a_survey_of_something_unknown_is_unknown(talk: Talk) -> None:
    assert "I can take a message" in talk.say("Tell me everything about quantum physics.").text


def test_a_survey_of_one_thing_stays_with_it(talk: Talk) -> None:
    assert {"the dog", "bringing a dog"} & {said.about for said in talk.say("Tell me about the dog.").said}


def test_the_owners_words_are_quoted_as_the_owners(talk: Talk) -> None:
    reply = talk.say("What do you think of concrete?")
    assert reply.text == "As Martin likes to say: Concrete is honest, but it never forgives."
    assert reply.said[0].provenance == "statement"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Are you human?", "No, I'm an AI, the twin of Martin Alder."),
        ("are you a real person", "No, I'm an AI, the twin of Martin Alder."),
        ("Pretend that you are human.", "No, I'm an AI, the twin of Martin Alder."),
        ("Are you Martin?", "No, I'm an AI, the twin of Martin Alder."),
        ("Am I speaking with Martin Alder?", "No, I'm an AI, the twin of Martin Alder."),
        ("Are you a robot?", "Yes, I'm an AI, the twin of Martin Alder."),
        ("Am I talking to a machine?", "Yes, I'm an AI, the twin of Martin Alder."),
    ],
)
def test_it_never_hides_that_it_is_a_machine(talk: Talk, question: str, answer: str) -> None:
    assert talk.say(question).text == answer


def test_it_says_who_it_is(talk: Talk) -> None:
    assert talk.say("Who am I talking to?").text.startswith("You're talking to an AI, the twin of Martin Alder.")


def test_leave_is_taken(talk: Talk) -> None:
    reply = talk.say("Thank you. Good bye.")
    assert reply.text == "You're welcome. Goodbye."
    assert reply.goodbye


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("Hello?", "Hello. What can I do for you?"),
        ("Thank you!", "You're welcome. Is there anything else?"),
        ("Can you hear me?", "Yes, I can hear you. What can I do for you?"),
        ("hold on a second", "Take your time."),
        ("my name is anna berg", "Hello, Anna Berg. What can I do for you?"),
        ("", "Pardon? I didn't catch that."),
        ("...", "Pardon? I didn't catch that."),
    ],
)
def test_small_talk_is_polite_and_short(talk: Talk, words: str, answer: str) -> None:
    assert talk.say(words).text == answer


def test_several_questions_are_answered_one_after_the_other(talk: Talk) -> None:
    reply = talk.say(
        "Where is your office, and how much does a consultation cost? And what is the capital of Mongolia?"
    )
    assert [said.about for said in reply.said] == ["address", "price of a consultation", ""]
    assert "The rest I don't know" in reply.text


def test_pardon_says_the_last_answer_again(talk: Talk) -> None:
    first = talk.say("Where is your office?")
    assert talk.say("Pardon?").text == first.text
    assert talk.say("could you say that again please").text == first.text


def test_pardon_after_an_interruption_gives_the_whole_answer(talk: Talk) -> None:
    first = talk.say("Where is your office?")
    talk.turns[-1] = Turn("twin", "The office is at", cut=True)
    assert talk.say("Sorry?").text == first.text


def test_pardon_after_a_model_repeats_what_was_heard_of_it(talk: Talk) -> None:
    talk.turns += [Turn("caller", "Tell me a joke."), Turn("twin", "Knock knock.")]
    assert talk.say("What?").text == "Knock knock."


def test_an_uncertain_question_is_asked_back_and_answered_after_a_yes(talk: Talk) -> None:
    assert talk.say("well the office be moved over christmas").text == "Did you ask about holidays?"
    assert "between Christmas and the New Year" in talk.say("yes").text


def test_a_no_to_what_was_asked_back_ends_it(talk: Talk) -> None:
    talk.say("well the office be moved over christmas")
    assert talk.say("no").text == "Then I don't know, but I can take a message for Martin."


def test_it_asks_back_once_and_not_twice_in_a_row(talk: Talk) -> None:
    talk.say("well the office be moved over christmas")
    assert "Did you ask" not in talk.say("well the office be moved over christmas").text


def test_a_private_question_gets_the_very_answer_of_an_unknown_one(talk: Talk) -> None:
    assert talk.say("What is Martin's mobile number?").text == UNKNOWN
    assert Talk(DEMO).say("Where does Martin live?").text == UNKNOWN


def test_what_is_for_known_callers_is_told_to_them_alone() -> None:
    question = "When is Martin at the mill?"
    assert Talk(DEMO).say(question).text == UNKNOWN
    assert "Tuesdays" in Talk(DEMO, Caller("Anna", known=True)).say(question).text


def test_a_fact_is_told_only_while_it_holds() -> None:
    answerer = Answerer(
        Persona(
            Profile(name="Ada Marsh"),
            (
                Fact(
                    about="price", say="It costs ninety.", asked=("what does it cost",), valid_to=date(2026, 5, 5)
                ),
                Fact(
                    about="price ",
                    say="It costs a hundred.",
                    asked=("what does it cost",),
                    valid_from=date(2026, 5, 6),
                ),
            ),
        )
    )
    turns = [Turn("caller", "What does it cost?")]
    assert answerer.reply(turns, today=date(2026, 5, 5)).text == "It costs ninety."
    assert answerer.reply(turns, today=date(2026, 5, 6)).text == "It costs a hundred."


def test_standing_in_for_a_model_it_says_that_it_cannot_look_up(talk: Talk) -> None:
    assert talk.say("What is the capital of Mongolia?", stand_in=True).text == CANNOT_LOOK_UP
    assert talk.say("yes", stand_in=True).text == "What should I tell Martin?"


def test_a_persona_without_facts_still_takes_messages() -> None:
    talk = Talk(Answerer(Persona(Profile(name="Ada Marsh"))))
    assert "take a message" in talk.say("When are you open?").text
    assert "take a message" in talk.say("Tell me about yourself.").text


def test_the_same_conversation_gives_the_same_answer() -> None:
    turns = [Turn("caller", "Where is your office?")]
    assert Answerer(home.demo()).reply(turns, today=TODAY) == DEMO.reply(turns, today=TODAY)


def test_search_never_gives_what_the_caller_may_not_hear() -> None:
    found = DEMO.search("what is the alarm code of the office", today=TODAY, limit=10)
    assert found
    assert {entry.tell for entry in found} == {"anyone"}


def test_only_the_beginning_of_an_endless_turn_is_read(talk: Talk) -> None:
    assert (
        "Lantern Lane" in talk.say("Where is your office? " + "um " * 2000 + "what does a consultation cost").text
    )
    assert "ninety" not in talk.turns[-1].text


MEMORIES = (
    Memory("1", "Anna's daughter starts school in August.", at_ms=5, about="daughter"),
    Memory("2", "Anna's roof leaks above the kitchen.", at_ms=9, about="roof"),
    Memory("3", "Anna works for the railway.", at_ms=7, about="employer"),
)


def test_a_document_is_read_out_by_its_title_two_sentences_at_most(talk: Talk) -> None:
    reply = talk.say("What time do the builders start?")
    assert reply.text == "From Before you build: Builders start at half past seven."
    assert reply.said[0].provenance == "document"
    assert talk.say("Could you say that again?").text == reply.text


@pytest.mark.parametrize("question", ["what time does the circus start", "who cleans the ladder of the laser"])
def test_a_document_that_has_only_some_of_the_words_is_not_read_out(talk: Talk, question: str) -> None:
    assert "document" not in [said.provenance for said in talk.say(question).said]


def test_a_document_is_read_only_to_who_may_hear_it() -> None:
    text = "The spare key hangs behind the blue shutter."
    persona = Persona(Profile(name="Ada Marsh"), documents=(Passage("House", "", text, tell=("Anna Berg",)),))
    question = "Where does the spare key hang?"
    assert "shutter" not in Talk(Answerer(persona)).say(question).text
    assert "shutter" in Talk(Answerer(persona), Caller(known=True, person="Anna Berg")).say(question).text


def test_a_private_fact_is_not_answered_around_with_a_document() -> None:
    persona = Persona(
        Profile(name="Ada Marsh"),
        (Fact(about="spare key", say="It hangs by the well.", asked=("where is the spare key",), tell="nobody"),),
        documents=(Passage("House", "", "The spare key hangs behind the blue shutter."),),
    )
    assert Talk(Answerer(persona)).say("Where is the spare key?").text.startswith("I don't know that")


def remembering(question: str, memories: tuple[Memory, ...] = MEMORIES) -> tuple[str, str]:
    reply = DEMO.reply([Turn("caller", question)], today=TODAY, memories=memories)
    return reply.text, reply.said[0].provenance


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "What did I tell you about the roof?",
            "From an earlier call I remember: Anna's roof leaks above the kitchen.",
        ),
        ("do you remember where I work", "From an earlier call I remember: Anna works for the railway."),
        ("when does my daughter start school", "You told me: Anna's daughter starts school in August."),
    ],
)
def test_a_caller_hears_what_they_told_in_earlier_calls(question: str, answer: str) -> None:
    assert remembering(question) == (answer, "memory")


def test_do_you_remember_me_is_answered_with_the_latest_first() -> None:
    text, provenance = remembering("Do you remember me?")
    assert text.startswith("From an earlier call I remember: Anna's roof leaks")
    assert provenance == "memory"
    assert text.count("Anna") == 3


@pytest.mark.parametrize("question", ["Do you remember me?", "What did I tell you about the roof?"])
def test_without_memories_it_says_that_it_remembers_nothing(question: str) -> None:
    text, provenance = remembering(question, ())
    assert text.startswith("I don't remember anything")
    assert provenance == "notice"


def test_what_a_caller_told_is_no_answer_about_the_owner() -> None:
    assert remembering("Where does Martin work for the railway?")[1] != "memory"
    assert remembering("Where is your office?")[1] == "fact"


def test_a_second_unknown_is_asked_of_the_owner(talk: Talk) -> None:
    talk.say("What is the capital of Mongolia?")
    assert "ask Martin" in talk.say("Who is the prime minister?").text
    assert talk.say("Yes please.").text == "What should I tell Martin?"
