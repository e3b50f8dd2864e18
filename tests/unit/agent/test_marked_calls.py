"""A whole house: on every channel the twin's sound carries the mark of its call, or there is none.

The house, its voice, its store, the watermark and its detector are real; sound leaves by ticks.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from agent import marking
from agent.metrics import render
from agent.run import LiveCall
from agent.stages.honesty import Line
from agent.tap import Tap
from channels.call import Caller, Channel
from channels.outlet import State
from compliance.errors import WatermarkError
from compliance.watermark.detector import Detector, Finding
from compliance.watermark.keys import MarkKeys
from compliance.watermark.register import Marks
from compliance.watermark.stage import Embedding, Watermark
from tests.doubles.mark import MARKED, heard_as
from tests.doubles.wire import EarWire
from tests.unit.agent.test_house import LIMIT_S, LONG, Here, house

CHANNELS: dict[Channel, int] = {"phone": 8_000, "web": 48_000, "room": 48_000, "camera": 48_000}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith("TWIN_")]:
        monkeypatch.delenv(key)


@asynccontextmanager
async def calling(here: Here, channel: Channel, rate_hz: int) -> AsyncIterator[tuple[LiveCall, EarWire]]:
    wire = EarWire(rate_hz)
    call = here.house.begin(channel, wire, Caller())
    live = next(live for live in here.house.live if live.call is call)
    carrying = asyncio.create_task(here.house.carry(call), name="carry")
    try:
        yield live, wire
    finally:
        live.hang_up("test_over")
        await asyncio.wait_for(carrying, LIMIT_S)


async def hears(live: LiveCall, wire: EarWire, until: State) -> None:
    """Sound leaves until the door is in that state."""
    async with asyncio.timeout(LIMIT_S):
        while live.call.outlet.state is not until:
            live.call.outlet.tick()
            live.call.outlet.played(wire.played)
            await asyncio.sleep(0.0005)


async def detected(here: Here, wire: EarWire) -> Finding:
    keys = await asyncio.to_thread(MarkKeys.open, here.house.home, here.house.vault.master)
    candidates = keys.candidates(await Marks(here.house.vault).days())
    return await asyncio.to_thread(Detector(candidates).detect, wire.sent, wire.rate_hz)


async def test_on_every_channel_the_disclosure_is_marked_and_the_ledger_says_of_which_call(tmp_path: Path) -> None:
    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        for channel, rate_hz in CHANNELS.items():
            async with calling(here, channel, rate_hz) as (live, wire):
                assert isinstance(live.call.outlet._mark, Watermark)
                await hears(live, wire, State.OPEN)
            said = live.opening.disclosure.pcm
            assert heard_as(wire.sent, said) > MARKED, channel
            finding = await detected(here, wire)
            assert finding.found, (channel, finding.p_value)
            token = await Marks(here.house.vault).of(live.call.id)
            assert token is not None
            assert finding.regions[0].short in (None, token.short), channel
            of_call = await here.house.archive.evidence.of(live.call.id)
            noted = [(one.detail, one.state) for one in of_call if one.kind == "watermarked"]
            assert noted == [({"token": token.text}, "proved")]


async def test_what_a_call_was_is_found_from_half_a_minute_of_it(tmp_path: Path) -> None:
    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        async with calling(here, "phone", 8_000) as (live, wire):
            await hears(live, wire, State.OPEN)
            outlet = live.call.outlet
            live.consenting.say([Line(LONG)] * 6)
            async with asyncio.timeout(LIMIT_S):
                while np.count_nonzero(wire.sent) < 30 * 8_000:
                    outlet.tick()
                    outlet.played(wire.played)
                    await asyncio.sleep(0.0005)
        finding = await detected(here, wire)
        token = await Marks(here.house.vault).of(live.call.id)
        assert token is not None
        told = {(region.short, region.full) for region in finding.regions if region.full is not None}
        assert told == {(token.short, token.bits)}
        assert await Marks(here.house.vault).find(token.day, token.short, token.bits) == [live.call.id]


async def test_a_recording_is_handed_what_left_with_its_mark(tmp_path: Path) -> None:
    async with (
        house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here,
        calling(here, "web", 48_000) as (live, _),
    ):
        *_, mark, tap = live.call.outlet._stages
        assert isinstance(mark, Watermark)
        assert isinstance(tap, Tap)


async def test_a_call_without_a_mark_is_silent_apologises_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(key: bytes, call_token: int, rate_hz: int) -> Embedding:
        raise WatermarkError("The watermark cannot be made.")

    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        monkeypatch.setattr(here.house.marking, "_make", broken)
        here.house.marking._spares.clear()
        with caplog.at_level(logging.CRITICAL):
            async with calling(here, "phone", 8_000) as (live, wire):
                await hears(live, wire, State.FAILED)
                assert not wire.sent.any()
                assert not live.call.inlet.is_open
                for _ in range(400):
                    live.call.outlet.tick()
                apology = live.opening.apology.pcm
                assert heard_as(wire.sent, apology) > MARKED
                heard = wire.sent[np.flatnonzero(wire.sent)[0] :][: len(apology) // 2]
                assert heard.tobytes() != apology
                async with asyncio.timeout(LIMIT_S):
                    while not live.reason:  # noqa: ASYNC110  nothing announces the reason
                        await asyncio.sleep(0.01)
                assert live.reason == "outlet_failed"
        assert here.house.marking.tally.closed == 1
        assert "twin_marking_closed_total 1\n" in render(here.house)


async def test_without_a_mark_the_twin_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(key: bytes, call_token: int, rate_hz: int) -> Embedding:
        raise WatermarkError("The watermark cannot be made (ImportError).")

    monkeypatch.setattr(marking, "make_embedder", missing)
    with pytest.raises(WatermarkError, match="cannot be made"):
        async with house(tmp_path, voice='engine = "espeak"\n', cloned=False):
            pass
