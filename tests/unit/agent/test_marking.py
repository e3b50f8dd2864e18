"""The watermark of a process: every call has its own, a failing one its apology, every day its key."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from agent.engines.voice.prepared import Prepared
from agent.marking import MOST_APOLOGIES, Marking
from compliance.errors import WatermarkError
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from compliance.watermark.keys import KEY_FILE, DayKey, MarkKeys
from compliance.watermark.register import Marks
from compliance.watermark.stage import Samples, Watermark
from tests.doubles.mark import PlainEmbedder
from tests.doubles.wire import counting

RATE_HZ = 8_000
APOLOGY = Prepared(counting(800), RATE_HZ, ())
DAY_S = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 23, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


class Making:
    """A `Make` that remembers, and can be broken."""

    def __init__(self) -> None:
        self.made: list[PlainEmbedder] = []
        self.broken = False
        self.stuck: threading.Event | None = None

    def __call__(self, key: bytes, call_token: int, rate_hz: int) -> PlainEmbedder:
        if self.broken:
            raise WatermarkError("The watermark cannot be made.")
        if self.stuck is not None:
            self.stuck.wait(30)
        self.made.append(PlainEmbedder(key, call_token, rate_hz))
        return self.made[-1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
async def vault(home: Path) -> AsyncIterator[Vault]:
    async with Vault(home) as vault:
        yield vault


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def making() -> Making:
    return Making()


@pytest.fixture
async def marking(home: Path, vault: Vault, clock: Clock, making: Making) -> AsyncIterator[Marking]:
    marking = Marking(home, vault, make=making, now=clock, limit_s=2.0)
    await marking.start([RATE_HZ, 48_000], [APOLOGY])
    yield marking
    if making.stuck is not None:
        making.stuck.set()
    await marking.close()


async def begun(marking: Marking, vault: Vault, call_id: str = "CA1") -> Watermark:
    stage = marking.stage(RATE_HZ)
    vault.begin_call(call_id, channel="web")
    await marking.begin(stage, call_id, APOLOGY)
    return stage


def sound() -> Samples:
    return np.frombuffer(counting(160), np.int16)


async def test_a_call_is_marked_with_the_key_of_the_day_and_a_token_of_its_own(
    marking: Marking, vault: Vault, home: Path, making: Making
) -> None:
    stage = await begun(marking, vault)
    token = await Marks(vault).of("CA1")
    assert token is not None
    assert token.day == date(2026, 11, 22)
    embedder = next(made for made in making.made if made.call_token == token.bits)
    assert embedder.rate_hz == RATE_HZ
    assert embedder.key == MarkKeys.open(home, vault.master).of(token.day).key
    assert np.array_equal(stage.process(sound(), 0), sound() + embedder.louder)
    assert marking.tally.samples == len(sound())


async def test_what_begin_returns_is_what_the_register_says(marking: Marking, vault: Vault) -> None:
    stage = marking.stage(RATE_HZ)
    vault.begin_call("CA1", channel="web")
    token = await marking.begin(stage, "CA1", APOLOGY)
    assert token == await Marks(vault).of("CA1")


async def test_an_apology_is_marked_once_a_day_for_all_calls(
    marking: Marking, vault: Vault, clock: Clock, making: Making
) -> None:
    first = await begun(marking, vault, "CA1")
    assert first.apology not in (b"", APOLOGY.pcm)
    assert (await begun(marking, vault, "CA2")).apology == first.apology
    clock.now += 2 * 3_600
    tomorrow = await begun(marking, vault, "CA3")
    assert await Marks(vault).of("CA3") is not None
    of_apologies = [made for made in making.made if made.heard == len(APOLOGY.pcm) // 2]
    assert [made.call_token.bit_count() + 1 for made in of_apologies] == [
        np.frombuffer(stage.apology, np.int16)[0] - np.frombuffer(APOLOGY.pcm, np.int16)[0]
        for stage in (first, tomorrow)
    ]
    assert [day.isoformat() for day in await Marks(vault).days()] == ["2026-11-23", "2026-11-22"]


async def test_a_call_that_gets_no_embedder_has_the_apology_of_before_and_lets_nothing_else_out(
    marking: Marking, vault: Vault, clock: Clock, making: Making, caplog: pytest.LogCaptureFixture
) -> None:
    before = (await begun(marking, vault, "CA1")).apology
    making.broken = True
    clock.now += DAY_S
    with caplog.at_level(logging.CRITICAL):
        stage = await begun(marking, vault, "CA2")
    assert stage.apology == before
    with pytest.raises(WatermarkError):
        stage.process(sound(), 0)
    assert marking.tally.closed == 1


async def test_a_call_does_not_wait_for_ever(
    home: Path, vault: Vault, clock: Clock, making: Making, caplog: pytest.LogCaptureFixture
) -> None:
    marking = Marking(home, vault, make=making, now=clock, limit_s=0.05)
    await marking.start([RATE_HZ], [APOLOGY])
    making.stuck = threading.Event()
    clock.now += DAY_S
    with caplog.at_level(logging.CRITICAL):
        stage = await begun(marking, vault)
    making.stuck.set()
    await marking.close()
    assert stage.apology
    with pytest.raises(WatermarkError):
        stage.process(sound(), 0)


async def test_the_first_word_of_a_call_waits_for_nothing(marking: Marking, vault: Vault) -> None:
    """What was made before is taken within one step of the loop; the store is asked nothing."""
    held, over = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> bool:
        held.set()
        return over.wait(30)

    vault.record(hold)
    await asyncio.to_thread(held.wait, 30)
    stage = marking.stage(RATE_HZ)
    vault.begin_call("CA1", channel="web")
    beginning = marking.begin(stage, "CA1", APOLOGY)
    with pytest.raises(StopIteration) as returned:
        beginning.send(None)
    over.set()
    token = returned.value.value
    assert not np.array_equal(stage.process(sound(), 0), sound())
    await vault.flush()
    assert await Marks(vault).of("CA1") == token
    assert await Marks(vault).find(token.day, token.short, token.bits) == ["CA1"]


async def test_more_calls_at_once_than_marks_were_made_for_get_theirs(marking: Marking, vault: Vault) -> None:
    stages = await asyncio.gather(*(begun(marking, vault, f"CA{number}") for number in range(12)))
    tokens = {await Marks(vault).of(f"CA{number}") for number in range(12)}
    assert len(tokens) == 12
    assert None not in tokens
    assert all(stage.process(sound(), 0).any() for stage in stages)


async def test_marks_that_nobody_took_name_no_day(home: Path, vault: Vault, making: Making, clock: Clock) -> None:
    marks = Marks(vault)
    marking = Marking(home, vault, make=making, now=clock)
    await marking.start([RATE_HZ])
    assert await marks.days() == []
    await marks.spare(DayKey(date(2026, 11, 1), 1, bytes(32)))
    old = await marks.spare(DayKey(date(2026, 11, 2), 1, bytes(32)))
    assert await marks.tokens(old.day, old.short) == [old]
    await marks.spare(DayKey(date(2026, 11, 22), 1, bytes(32)))
    assert await marks.tokens(old.day, old.short) == []


async def test_keys_that_are_gone_let_nothing_out(
    marking: Marking, vault: Vault, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / KEY_FILE).unlink()
    with caplog.at_level(logging.CRITICAL):
        stage = await begun(marking, vault)
    with pytest.raises(WatermarkError):
        stage.process(sound(), 0)


async def test_after_a_rotation_elsewhere_the_next_call_has_the_new_key_and_this_one_keeps_its(
    marking: Marking, vault: Vault, home: Path, making: Making
) -> None:
    await begun(marking, vault, "CA1")
    old = {made.key for made in making.made}
    MarkKeys.open(home, vault.master).rotate()
    await begun(marking, vault, "CA2")
    token = await Marks(vault).of("CA2")
    assert token is not None
    assert token.generation == 2
    (new,) = {made.key for made in making.made if made.call_token == token.bits}
    assert new not in old
    assert await Marks(vault).of("CA1") is not None


async def test_without_a_mark_it_does_not_start(home: Path, vault: Vault, making: Making) -> None:
    making.broken = True
    with pytest.raises(WatermarkError):
        await Marking(home, vault, make=making).start([RATE_HZ])


async def test_a_mark_that_changes_nothing_is_none(home: Path, vault: Vault) -> None:
    class Idle(PlainEmbedder):
        def process(self, samples: Samples, position: int | None = None) -> Samples:
            return samples

    with pytest.raises(WatermarkError, match="as it was"):
        await Marking(home, vault, make=Idle).start([RATE_HZ])


async def test_before_it_has_started_nothing_is_marked(home: Path, vault: Vault) -> None:
    with pytest.raises(WatermarkError, match="have not been read"):
        await Marking(home, vault, make=PlainEmbedder).of_file(RATE_HZ)


async def test_a_file_has_a_token_of_its_own(marking: Marking, vault: Vault, making: Making) -> None:
    stage, token = await marking.of_file(24_000)
    assert making.made[-1].call_token == token.bits
    assert stage.rate_hz == 24_000
    assert not np.array_equal(stage.process(sound(), 0), sound())
    assert await Marks(vault).tokens(token.day, token.short) == [token]


async def test_apologies_of_long_ago_are_let_go(marking: Marking, vault: Vault) -> None:
    for number in range(MOST_APOLOGIES + 5):
        stage = marking.stage(RATE_HZ)
        await marking.begin(stage, "CA1", Prepared(counting(80, start=number), RATE_HZ, ()))
        assert stage.apology
    assert len(marking._apologies) == MOST_APOLOGIES
