from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.engines.base import EngineConfig
from agent.engines.brain.grounded import Grounded, create
from compliance.errors import EngineFailed, PersonaError
from persona import home
from persona.caller import Caller
from persona.prompt import Prompt, Turn, compose

TODAY = date(2026, 5, 5)


async def said(brain: Grounded, prompt: Prompt) -> str:
    return "".join([piece.text async for piece in brain.answer(prompt)]).strip()


async def test_it_answers_from_the_demo_twin_when_nothing_else_is_set() -> None:
    brain = create(EngineConfig("grounded"))
    await brain.start()
    assert "Lantern Lane" in await said(brain, Prompt("", (Turn("caller", "Where is your office?"),)))
    await brain.close()


async def test_it_reads_the_home_that_its_option_names(tmp_path: Path) -> None:
    home.write_example(tmp_path / "twin")
    brain = create(EngineConfig("grounded", options={"home": str(tmp_path / "twin")}))
    await brain.start()
    assert "Harbour Street" in await said(brain, Prompt("", (Turn("caller", "What is your address?"),)))


async def test_a_home_that_cannot_be_read_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"profile\.toml"):
        await create(EngineConfig("grounded", options={"home": str(tmp_path)})).start()


async def test_one_brain_keeps_two_conversations_apart() -> None:
    brain = Grounded(home.demo(), today=lambda: TODAY)
    await brain.start()
    anna: tuple[Turn, ...] = (Turn("caller", "Please tell him that the roof is done."),)
    bert = (Turn("caller", "Can I leave a message?"),)
    assert "the roof is done" in await said(brain, Prompt("", anna))
    assert await said(brain, Prompt("", bert)) == "What should I tell Martin?"
    anna = (*anna, Turn("twin", await said(brain, Prompt("", anna))), Turn("caller", "Yes."))
    assert await said(brain, Prompt("", anna)) == "Who may I say is calling?"


async def test_the_caller_in_the_prompt_is_not_asked_for_name_and_number() -> None:
    persona = home.demo()
    brain = Grounded(persona, today=lambda: TODAY)
    await brain.start()
    turns = (
        Turn("caller", "Tell him that I called."),
        Turn("twin", "Your message for Martin is: I called. Is that right?"),
        Turn("caller", "yes"),
    )
    anna = Caller("Anna Berg", "+441632960112", known=True)
    prompt = compose(persona, turns, today=TODAY, caller=anna)
    assert await said(brain, prompt) == "Thank you. I'll pass it on to Martin."


async def test_without_a_start_it_fails_clearly() -> None:
    with pytest.raises(EngineFailed, match="not started"):
        await said(Grounded(), Prompt("", (Turn("caller", "Hello"),)))


async def test_search_gives_what_a_prompt_takes() -> None:
    brain = Grounded(home.demo(), today=lambda: TODAY)
    await brain.start()
    assert brain.search("where can i park")[0].about == "parking"
    assert all(entry.tell != "nobody" for entry in brain.search("what is the alarm code"))
