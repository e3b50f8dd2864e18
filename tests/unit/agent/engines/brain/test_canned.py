from __future__ import annotations

import contextlib
from datetime import date

import pytest

from agent.engines.base import Piece
from agent.engines.brain.canned import CannedBrain
from compliance.errors import EngineFailed
from persona.canned import Canned
from persona.facts import Fact
from persona.home import Persona
from persona.profile import Profile
from persona.prompt import Prompt, Turn, compose
from persona.source import Provenance
from persona.tool import ToolCall
from tests.doubles.engines import ScriptedBrain, Step

TODAY = date(2026, 5, 5)


def asked(say: str = "We open at nine.") -> Prompt:
    persona = Persona(Profile(name="Ada Marsh"), (Fact(about="hours", say=say),))
    return compose(persona, (Turn("caller", "When are you open?"),), today=TODAY)


def attribute(sentence: str, prompt: Prompt) -> Provenance:
    """What is shown word for word is known, the rest is guessed."""
    return next((source.kind for source in prompt.sources if source.text == sentence), "guess")


def brain(*answers: list[Step]) -> tuple[CannedBrain, ScriptedBrain]:
    model = ScriptedBrain(*answers)
    return CannedBrain(model, Canned(), attribute), model


async def said(brain: CannedBrain, prompt: Prompt) -> list[Piece]:
    return [piece async for piece in brain.answer(prompt)]


def words(*texts: str) -> list[Step]:
    return [Piece(text) for text in texts]


async def test_the_second_caller_gets_the_answer_without_the_model() -> None:
    canned, model = brain(words("We open ", "at nine."))
    first = await said(canned, asked())
    assert [piece.text for piece in first] == ["We open ", "at nine."]
    assert await said(canned, asked()) == [Piece("We open at nine. ", "fact")]
    assert len(model.prompts) == 1


async def test_after_the_fact_changed_the_model_is_asked_anew() -> None:
    canned, model = brain(words("We open at nine."), words("We open at ten."))
    await said(canned, asked())
    assert [piece.text for piece in await said(canned, asked("We open at ten."))] == ["We open at ten."]
    assert len(model.prompts) == 2


@pytest.mark.parametrize(
    "answer",
    [
        words("We open at nine.", " I think he is ill."),
        [Piece("We open at nine."), Piece("", goodbye=True)],
        [Piece("We open at nine."), Piece("", call=ToolCall("1", "hang_up", "{}"))],
        words(""),
    ],
    ids=["guess", "goodbye", "tool", "empty"],
)
async def test_what_may_not_be_said_again_is_asked_again(answer: list[Step]) -> None:
    canned, model = brain(answer, answer)
    await said(canned, asked())
    await said(canned, asked())
    assert len(model.prompts) == 2


async def test_an_answer_that_broke_off_is_not_kept() -> None:
    canned, model = brain([Piece("We open at nine."), EngineFailed("gone")], words("We open at nine."))
    with pytest.raises(EngineFailed):
        await said(canned, asked())
    await said(canned, asked())
    assert len(model.prompts) == 2


async def test_an_answer_that_was_interrupted_is_not_kept_and_stops_at_its_source() -> None:
    canned, model = brain(words("We open at nine. ", "And close."), words("We open at nine."))
    async with contextlib.aclosing(canned.answer(asked())) as answer:  # type: ignore[type-var]
        await anext(answer)
    assert model.closed == 1
    await said(canned, asked())
    assert len(model.prompts) == 2


async def test_it_is_the_brain_it_stands_before() -> None:
    canned, _ = brain(words("We open at nine."))
    await canned.start()
    assert canned.name == "scripted"
    await said(canned, asked())
    await canned.close()
