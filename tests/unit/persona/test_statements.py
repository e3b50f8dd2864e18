from __future__ import annotations

from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import statements
from persona.statements import Statement

TEXT = """\
# Things I say

<!-- a note
> that is no statement
-->

## concrete

> Concrete is honest,
> but it never forgives.

asked: what do you think of concrete
asked: do you like concrete
source: a talk: 2024

> I still use it for cellars.
tell: known

## wood
> Wood remembers.
"""


def load(folder: Path, text: str) -> tuple[Statement, ...]:
    path = folder / "statements.md"
    path.write_text(text, encoding="utf-8")
    return statements.load(path)


def test_quotations_become_statements_with_their_keys(tmp_path: Path) -> None:
    assert load(tmp_path, TEXT) == (
        Statement(
            about="concrete",
            text="Concrete is honest, but it never forgives.",
            asked=("what do you think of concrete", "do you like concrete"),
            source="a talk: 2024",
        ),
        Statement(about="concrete", text="I still use it for cellars.", tell="known"),
        Statement(about="wood", text="Wood remembers."),
    )


def test_an_empty_file_has_no_statements(tmp_path: Path) -> None:
    assert load(tmp_path, "# Nothing yet\n") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("> Words.\n", ":1: a quotation without a subject"),
        ("## a\n\nsource: x\n", ":3: 'source:' belongs under a quotation"),
        ("## a\n> Words.\n\nand then some\n", ":4: write '# subject', '> quotation' or one of"),
        ("## a\n> Words.\nwho: x\n", ":3: write '# subject'"),
        ("## a\n> Words.\ntell: friends\n", ":3: 'tell' is 'anyone'"),
        ("## a\n> Words.\ntell: known\ntell: anyone\n", ":4: 'tell:' stands twice"),
        ("## a\n> Words.\n\n## b\n\n> words.\n", ":6: the same words as on line 2; remove one"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PersonaError) as error:
        load(tmp_path, text)
    assert error.value.message.startswith(f"{tmp_path / 'statements.md'}{complaint}")
