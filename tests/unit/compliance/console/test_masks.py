from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from compliance.console.masks import EVERYTHING, Mask, Masks, caller, with_masks
from compliance.entries import TurnEntry
from compliance.redaction import Line, Redacted, Redactor


def turn(sequence: int, text: str) -> TurnEntry:
    return TurnEntry(sequence, "caller", text, 0, 100, 100)


@dataclass
class Counting:
    """The real redactor, counting how often it is asked."""

    redactor: Redactor = field(default_factory=Redactor)
    asked: int = 0

    async def lines_redacted(
        self, lines: Sequence[Line], language: str, known: Iterable[str] = ()
    ) -> Sequence[Redacted]:
        self.asked += 1
        return await self.redactor.lines_redacted(lines, language, known)


async def test_without_a_redactor_everything_is_hidden() -> None:
    masks = Masks(None)

    assert not masks.there
    assert await masks.of_turns([turn(4, "Hi"), turn(5, "")], language="en") == {
        4: (Mask(EVERYTHING, 0, 2),),
        5: (),
    }
    assert await masks.text("My name is Ada.") == "[everything]"


async def test_names_and_numbers_are_hidden_but_not_whose_twin_it_is() -> None:
    counting = Counting()
    masks = Masks(counting, "Ada Example")
    text = await masks.text(
        "This is the AI twin of Ada Example. My name is John Appleseed, 030 90 18 20.", language="en"
    )
    counting.redactor.close()

    assert text == "This is the AI twin of Ada Example. My name is [name], [number]."


async def test_a_namesake_of_the_owner_is_hidden_with_their_other_name() -> None:
    counting = Counting()
    masks = Masks(counting, "Ada Example")
    assert await masks.text("My name is Ada Appleseed.", language="en") == "My name is [name]."
    counting.redactor.close()


async def test_a_text_is_looked_through_once() -> None:
    counting = Counting()
    masks = Masks(counting)
    turns = [turn(0, "My number is 030 90 18 20."), turn(1, "Thanks.")]
    first = await masks.of_turns(turns, language="en")
    assert await masks.of_turns(turns, language="en") == first
    assert counting.asked == 1
    await masks.of_turns([*turns, turn(2, "More.")], language="en")
    await masks.of_turns(turns, language="de")
    counting.redactor.close()

    assert counting.asked == 3


def test_masks_that_touch_or_overlap_leave_nothing_between() -> None:
    assert with_masks("abcdef", [Mask("x", 1, 4), Mask("y", 3, 5)]) == "a[x][y]f"
    assert with_masks("abc", []) == "abc"


@pytest.mark.parametrize(
    ("subject", "digits", "shown"),
    [
        (None, 2, "Unknown caller"),
        ("+4930901820", 0, "+49 •••"),
        ("+4930901820", 2, "+49 ••• 20"),
        ("+14155550100", 2, "+1 ••• 00"),
        ("ada@example.org", 2, "Somebody by e-mail address"),
        ("ada-lovelace", 2, "A participant by name"),
    ],
)
def test_whoever_calls_is_named_without_saying_who_it_is(subject: str | None, digits: int, shown: str) -> None:
    assert caller(subject, digits=digits) == shown
