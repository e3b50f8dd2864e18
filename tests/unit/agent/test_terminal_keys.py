import asyncio
import os
import pty
import termios
from collections.abc import Iterator

import pytest

from agent.terminal_keys import ENTER, MAX_WAITING, Keys


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A person's side and a program's side."""
    person, program = pty.openpty()
    yield person, program
    os.close(person)
    os.close(program)


async def test_keys_come_one_by_one_and_without_enter(terminal: tuple[int, int]) -> None:
    person, program = terminal
    async with Keys(program) as keys:
        assert keys.there
        os.write(person, b"M")
        assert await asyncio.wait_for(keys.next(), 5) == "m"
        os.write(person, b"\rq")
        assert [await asyncio.wait_for(keys.next(), 5) for _ in range(2)] == [ENTER, "q"]


async def test_afterwards_the_terminal_is_as_it_was(terminal: tuple[int, int]) -> None:
    _, program = terminal
    before = termios.tcgetattr(program)
    async with Keys(program):
        assert termios.tcgetattr(program) != before
    assert termios.tcgetattr(program) == before


async def test_a_pipe_gives_keys_too_and_its_end_is_no_key() -> None:
    reading, writing = os.pipe()
    async with Keys(reading) as keys:
        os.write(writing, b"q")
        os.close(writing)
        assert await asyncio.wait_for(keys.next(), 5) == "q"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(keys.next(), 0.05)
    os.close(reading)


async def test_without_a_terminal_there_are_no_keys() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    async with Keys(nothing) as keys:
        assert not keys.there
    os.close(nothing)


async def test_leant_on_keys_fill_no_memory() -> None:
    reading, writing = os.pipe()
    async with Keys(reading) as keys:
        os.write(writing, b"m" * 60)
        await asyncio.sleep(0.05)
        for _ in range(MAX_WAITING):
            assert await keys.next() == "m"
        keys.press("q")
        assert await keys.next() == "q"
    os.close(reading)
    os.close(writing)
