"""The drawn face is kept, and what is kept is not believed when it is not the face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.face import drawn
from agent.face.drawn import FOLDER, puppet
from avatar.illustrated.draw import draw
from avatar.illustrated.look import Look
from avatar.puppet import Puppet

LOOK = Look(hair="bob")
SIDE = 128


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """Every look that was drawn."""
    made: list[Look] = []

    def drawing(look: Look, width: int, height: int) -> object:
        made.append(look)
        return draw(look, width, height)

    monkeypatch.setattr(drawn, "draw", drawing)
    return made


def kept(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).iterdir())


def test_it_is_drawn_once(tmp_path: Path, drawings: list[Look]) -> None:
    first, second = puppet(LOOK, SIDE, SIDE, tmp_path), puppet(LOOK, SIDE, SIDE, tmp_path)

    assert drawings == [LOOK]
    assert isinstance(first, Puppet)
    assert np.array_equal(first.plate, second.plate)
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


def test_another_look_is_drawn_anew_and_kept_instead(tmp_path: Path, drawings: list[Look]) -> None:
    puppet(LOOK, SIDE, SIDE, tmp_path)
    before = kept(tmp_path)
    puppet(Look(hair="bun"), SIDE, SIDE, tmp_path)

    assert len(drawings) == 2
    assert len(kept(tmp_path)) == 1
    assert kept(tmp_path) != before


def test_a_damaged_file_is_drawn_anew(tmp_path: Path, drawings: list[Look]) -> None:
    puppet(LOOK, SIDE, SIDE, tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    puppet(LOOK, SIDE, SIDE, tmp_path)

    assert len(drawings) == 2
    assert len(file.read_bytes()) == len(whole)


def test_where_nothing_can_be_kept_it_is_drawn_all_the_same(tmp_path: Path, drawings: list[Look]) -> None:
    (tmp_path / FOLDER).write_bytes(b"in the way")

    assert isinstance(puppet(LOOK, SIDE, SIDE, tmp_path), Puppet)
    assert isinstance(puppet(LOOK, SIDE, SIDE, None), Puppet)
    assert len(drawings) == 2


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    draft = tmp_path / FOLDER / ".1.other.face"
    draft.parent.mkdir()
    draft.write_bytes(b"half")
    puppet(LOOK, SIDE, SIDE, tmp_path)

    assert draft.read_bytes() == b"half"
    assert [file.stat().st_mode & 0o777 for file in kept(tmp_path) if file != draft] == [0o600]
