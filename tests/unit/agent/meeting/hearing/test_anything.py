"""Whatever people, lines and engines do: every utterance begins, ends, and is told once."""

from __future__ import annotations

import random

import pytest

from agent.meeting.events import Began, Fell, Guessed, HallEvent, Unheard, Uttered
from tests.unit.agent.meeting.hearing.people import NAMES, RATE_HZ, STEP_MS, People, knowing, people, voice

CROWD = ("anna", "bert", "carl", "dora", "emil")
STEPS = 120
BYTES_PER_STEP = RATE_HZ * STEP_MS // 500


def check(events: list[HallEvent]) -> None:
    """One person's: utterances open with Began, alternate with Fell, and each is told once, in order."""
    speaking, begun, told, last_end = False, 0, 0, 0
    for event in events:
        match event:
            case Began(_, at):
                assert not speaking
                speaking = True
                begun += 1
                assert at >= 0
            case Fell():
                assert speaking
                speaking = False
            case Uttered(_, text, start, end, typed):
                assert text
                if not typed:
                    told += 1
                    assert last_end <= start <= end
                    last_end = end
            case Unheard(_, start, end, _):
                told += 1
                assert start <= end
            case Guessed():
                assert begun
    assert not speaking
    assert told <= begun
    assert bool(told) == bool(begun)


async def anything(here: People, chance: random.Random) -> None:
    """A hundred steps in which people speak, pause, leave, come back, are muted and lose their line."""
    saying: dict[str, bytes] = {}
    for _ in range(STEPS):
        for who in CROWD:
            if who not in saying and chance.random() < 0.08:
                saying[who] = voice(chance.choice(NAMES))
            match chance.random():
                case x if x < 0.01 and who in here.doors:
                    here.hall.leave(who)
                    del here.doors[who]
                case x if x < 0.03:
                    here.enter(who)
                case x if x < 0.04:
                    here.hall.muted(who, True)
                case x if x < 0.08:
                    here.hall.muted(who, False)
        sounds = {who: pcm[:BYTES_PER_STEP] for who, pcm in saying.items()}
        saying = {who: rest for who, pcm in saying.items() if (rest := pcm[BYTES_PER_STEP:])}
        await here.step(sounds, others=chance.random() < 0.9)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_every_utterance_is_told_once(seed: int) -> None:
    chance = random.Random(seed)
    engine = knowing(capacity=chance.randint(2, 5))
    limit = chance.randint(1, 4)
    async with people(engine, knowing(), here=CROWD[:3], recognisers=limit, patience_s=1) as here:
        await anything(here, chance)
        for who in CROWD:
            here.hall.leave(who)
        await here.until(lambda: not here.hall.unsettled)
        for who in CROWD:
            check(here.of(who))
        assert engine.most_open <= limit
        await here.until(lambda: engine.open_now == 0)
        assert here.uttered
        assert here.deaf == 0
