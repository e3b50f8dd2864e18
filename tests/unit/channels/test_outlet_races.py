"""G1, further: calls that reconnect, are transferred, and whose stages break when they please.

`test_outlet.py` has one call that everybody assails while its disclosure plays; here a caller comes back on a new
outlet, somebody hands over in mid-call, and a stage raises at any chunk. `make soak` makes many.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from channels.outlet import Outlet, Stage, State
from channels.spoken import Spoken
from compliance.errors import ConsentMissing, DoorClosed
from tests.doubles.mark import NoMark
from tests.doubles.wire import Door, counting

CALLS = int(os.environ.get("TWIN_SOAK_CALLS", "200"))
RATE_HZ = 8_000
CHUNK = 160
DISCLOSURE = Spoken(0, 0, counting(4 * CHUNK + 30, start=20_000), last=True)
SPEECH = counting(12 * CHUNK, start=1)
APOLOGY = counting(2 * CHUNK, start=29_000)
Samples = NDArray[np.int16]

BREAKAGES: tuple[Callable[[Samples], object], ...] = (
    lambda samples: 1 / 0,
    lambda samples: samples[1:],
    lambda samples: samples.astype(np.float32),
    lambda samples: None,
    lambda samples: _refuse(),
)


def _refuse() -> None:
    raise ConsentMissing("The owner's consent to the cloned voice was revoked or is over.")


class Moody:
    """A stage that works until its chunk comes, and then as before, as if nothing had been."""

    def __init__(self, breaks_at: int | None, how: Callable[[Samples], object]) -> None:
        self.chunks = 0
        self.broke = False
        self._breaks_at = breaks_at
        self._how = how

    def process(self, samples: Samples, position: int) -> Samples:
        self.chunks += 1
        if self.chunks == self._breaks_at:
            self.broke = True
            return self._how(samples)  # type: ignore[return-value]
        return samples


class Leg:
    """One outlet of a call, which ends when the caller is cut off, and everything that is tried on it."""

    def __init__(self, chance: random.Random) -> None:
        breaks_at = chance.randrange(1, 60) if chance.random() < 0.5 else None
        self.stage = Moody(breaks_at, chance.choice(BREAKAGES))
        stages: tuple[Stage, ...] = (self.stage,)
        self.door = Door(RATE_HZ, lead_chunks=chance.randrange(0, 5), stages=stages, mark=NoMark(APOLOGY))
        self.apologised_at: int | None = None
        self.opened_at: int | None = None
        """How many bytes had been sent when the door opened."""
        self._chance = chance

    def live(self, attempts: int) -> None:
        given_at = self._chance.randrange(0, 6)
        for at in range(attempts):
            if at == given_at and self.door.outlet.state is State.WAITING:
                self.door.outlet.disclose(DISCLOSURE)
            self._chance.choice((self._say, self._transfer, self._interrupt, self._misreport, self._push))()
            self._tick(self._chance.choice((1, 1, 2, 3)))

    def _tick(self, times: int) -> None:
        for _ in range(times):
            self.door.tick()
            if self.opened_at is None and self.door.disclosed_at:
                self.opened_at = self.door.wire.bytes_sent
        if self.door.failures and self.apologised_at is None:
            self.apologised_at = self.door.wire.bytes_sent
            self.door.outlet.apologise()

    def _say(self) -> None:
        outlet = self.door.outlet
        speech = Spoken(2, outlet.clock.epoch, SPEECH, last=True)
        if outlet.state is State.OPEN:
            outlet.say(speech)
        else:
            with pytest.raises(DoorClosed):
                outlet.say(speech)

    def _transfer(self) -> None:
        """Somebody else takes over and wants to be announced in other words: a door is announced once."""
        outlet, before = self.door.outlet, self.door.outlet.state
        if before is State.WAITING:
            return
        with pytest.raises(DoorClosed):
            outlet.disclose(Spoken(0, outlet.clock.epoch, counting(CHUNK, start=25_000), last=True))
        assert outlet.state is before

    def _interrupt(self) -> None:
        self._chance.choice((Outlet.hold, Outlet.resume, Outlet.drop))(self.door.outlet)

    def _push(self) -> None:
        """Somebody writes past the queue: after a failure that is silence, whatever they write."""
        if self.door.outlet.state is State.FAILED:
            self.door.outlet.write(counting(CHUNK), RATE_HZ)

    def _misreport(self) -> None:
        """The wire reports what cannot be."""
        self.door.outlet.played(self._chance.choice((0, -1, 10**9)))

    def assert_honest(self, seed: int) -> None:
        sent, where = self.door.wire.sent, f"call {seed}"
        disclosure = np.frombuffer(DISCLOSURE.pcm, np.int16)
        apology = np.frombuffer(APOLOGY, np.int16)
        failed, end = self.apologised_at is not None, (self.apologised_at or len(sent) * 2) // 2
        before, after = sent[:end], sent[end:]
        announced = before if self.opened_at is None else before[: self.opened_at // 2]
        sounded = announced[announced != 0]
        assert np.array_equal(sounded, disclosure[: len(sounded)]), where
        if self.opened_at is not None:
            assert len(sounded) == len(disclosure), where
            # Speech, ramped or whole, is below what the disclosure and the apology are made of.
            assert before[self.opened_at // 2 :].max(initial=0) < 20_000, where
        else:
            assert self.door.disclosed_at == [], where
        if failed:
            said = after[after != 0]
            assert np.array_equal(said, apology[: len(said)]), where
        assert failed == self.stage.broke == (self.door.outlet.state is State.FAILED), where
        assert len(self.door.failures) == failed, where
        assert self.door.outlet.bytes_out == self.door.wire.bytes_sent, where


def test_each_connection_of_a_call_is_announced_again_whatever_breaks() -> None:
    broke = opened = 0
    for seed in range(CALLS):
        chance = random.Random(seed)
        for _ in range(chance.choice((1, 2, 3))):
            leg = Leg(chance)
            leg.live(chance.randrange(3, 30))
            leg.assert_honest(seed)
            broke += leg.stage.broke
            opened += leg.opened_at is not None
    assert min(broke, opened) > CALLS // 4, (broke, opened)


def test_what_the_old_connection_had_to_say_does_not_sound_on_the_new_one() -> None:
    old = Door(RATE_HZ).open(DISCLOSURE)
    speech = Spoken(2, 0, SPEECH, last=True)
    old.outlet.say(speech)
    old.tick(3)
    new = Door(RATE_HZ)
    new.tick(20)
    with pytest.raises(DoorClosed):
        new.outlet.say(speech)
    new.outlet.disclose(DISCLOSURE)
    with pytest.raises(DoorClosed):
        new.outlet.say(speech)
    new.tick(20)
    assert new.wire.sent[new.wire.sent != 0].tobytes() == DISCLOSURE.pcm


@pytest.mark.parametrize("how", range(len(BREAKAGES)))
@pytest.mark.parametrize("at", range(1, 9))
def test_a_stage_that_breaks_at_any_chunk_of_the_disclosure_ends_it_there(at: int, how: int) -> None:
    door = Door(RATE_HZ, stages=(Moody(at, BREAKAGES[how]),))
    door.outlet.disclose(DISCLOSURE)
    door.tick(20)
    before = min((at - 1) * CHUNK, len(DISCLOSURE.pcm) // 2)
    assert door.wire.sent[door.wire.sent != 0].tobytes() == DISCLOSURE.pcm[: 2 * before]
    assert door.outlet.state is State.FAILED
