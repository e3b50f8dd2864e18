"""Who is meant by a name, as a recogniser may have spelt it."""

from __future__ import annotations

import pytest

from agent.meeting.addressee import Names
from agent.meeting.addressee.reading import Reader

NAMES = Names("Martin Keller", ("Marty",), ("Robo Keller",))


def canonical(text: str, *, others: tuple[str, ...] = ("Ben Okoye",), owner_here: bool = False) -> str:
    return Reader(NAMES, "en").read(text, others, owner_here).canonical


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Martin, are you there?", "@owner , are you there ?"),
        ("marten are you there", "@owner are you there"),
        ("mar tin are you there", "@owner are you there"),
        ("Mr. Keller, are you there?", "@owner , are you there ?"),
        ("Marty's draft is late", "@owner's draft is late"),
        ("martins twin is here", "@twin is here"),
        ("the AI twin of Martin is here", "the @twin is here"),
        ("Can the AI tell us?", "can the @twin tell us ?"),
        ("Robo Keller, go ahead", "@twin , go ahead"),
        ("virtual Martin, go ahead", "@twin , go ahead"),
        ("Martins Zwilling schreibt mit", "@twin schreibt mit"),
        ("Ben, what margin do we market at?", "@other , what margin do we market at ?"),
    ],
)
def test_a_name_is_found_however_it_is_spelt(text: str, read: str) -> None:
    assert canonical(text) == read


def test_the_owners_name_is_anybodys_when_the_owner_is_here() -> None:
    assert canonical("Martin, and the twin", owner_here=True) == "@other , and the @twin"


@pytest.mark.parametrize("text", ["will you do it", "we may go", "mark my words", "the art of it"])
def test_a_name_that_is_a_word_is_one_only_where_it_is_written_as_a_name(text: str) -> None:
    names = Names("Will Markson", ("May", "Art"))
    read = Reader(names, "en").read(text, (), False)
    assert not any(part.role == "called" for part in read.parts)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Martin, can you send it?", "called"),
        ("martin can you send it", "called"),
        ("what do you think martin", "called"),
        ("Well, Martin, that was that.", "called"),
        ("Martin would know that.", "spoken_of"),
        ("I talked with Martin", "spoken_of"),
        ("Anna, Martin and Ben come along", "spoken_of"),
        ('He said "Martin, come here" again.', "quoted"),
        ("and then she goes martin where are you", "quoted"),
    ],
)
def test_somebody_is_called_or_spoken_of(text: str, role: str) -> None:
    read = Reader(NAMES, "en").read(text, ("Ben",), False)
    assert [part.role for part in read.parts if part.whose == "owner"] == [role]
