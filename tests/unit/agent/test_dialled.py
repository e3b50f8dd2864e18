"""Keys of a telephone become one typed turn."""

from __future__ import annotations

import asyncio

import pytest

from agent import dialled
from agent.dialled import Dialled


async def test_keys_until_the_hash_are_one_turn() -> None:
    turns: list[str] = []
    keys = Dialled(turns.append)
    for key in "12*#":
        keys.press(key)
    assert turns == ["I pressed 1 2 *."]
    keys.press("#")
    assert len(turns) == 1


async def test_a_pause_ends_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialled, "PAUSE_S", 0.01)
    turns: asyncio.Queue[str] = asyncio.Queue()
    keys = Dialled(turns.put_nowait)
    keys.press("4")
    keys.press("2")
    assert await asyncio.wait_for(turns.get(), 5) == "I pressed 4 2."


async def test_keys_that_were_an_answer_are_no_turn() -> None:
    turns: list[str] = []
    keys = Dialled(turns.append, takes=lambda pressed: pressed.endswith("1"))
    keys.press("1")
    keys.press("#")
    assert turns == []


async def test_of_very_many_keys_the_last_count() -> None:
    turns: list[str] = []
    keys = Dialled(turns.append)
    for key in "0" * 50 + "7#":
        keys.press(key)
    assert turns[0].count("0") == dialled.MAX_KEYS - 1


async def test_after_a_stop_no_pause_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialled, "PAUSE_S", 0.0)
    turns: list[str] = []
    keys = Dialled(turns.append)
    keys.press("1")
    keys.stop()
    await asyncio.sleep(0.01)
    assert turns == []
