"""The owner's consent at the door: the cloned voice sounds while it stands, and not 20 ms longer."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pytest

from agent.permission import Permission
from channels.outlet import State
from channels.spoken import Spoken
from compliance.errors import ConsentMissing, DoorClosed
from tests.doubles.mark import NoMark
from tests.doubles.wire import Door, counting

RATE_HZ = 16_000
CHUNK = 320
DISCLOSURE = Spoken(0, 0, counting(5 * CHUNK, start=20_000), last=True)
CLONE = counting(50 * CHUNK)
APOLOGY = counting(3 * CHUNK, start=9_000)


@dataclass
class Given:
    """A permit that a test takes back."""

    valid: bool = True


@pytest.fixture
def permit() -> Given:
    return Given()


def door(permit: Given, *, lead_chunks: int = 0) -> Door:
    return Door(RATE_HZ, lead_chunks=lead_chunks, stages=(Permission(permit),), mark=NoMark(APOLOGY))


def speaking(permit: Given, *, lead_chunks: int = 0) -> Door:
    """In the middle of a sentence of a second: 200 ms of it have left."""
    here = door(permit, lead_chunks=lead_chunks).open(DISCLOSURE)
    assert here.outlet.say(Spoken(2, 0, CLONE, last=True))
    here.tick(10)
    return here


def sound(pcm: bytes) -> list[int]:
    return [int(sample) for sample in np.frombuffer(pcm, np.int16) if sample]


def test_while_it_stands_the_sound_is_the_same_to_the_sample(permit: Given) -> None:
    samples = np.frombuffer(CLONE, np.int16)
    assert Permission(permit).process(samples, 0) is samples
    here = speaking(permit)
    here.tick(45)
    assert sound(bytes(here.wire.ear)) == sound(CLONE)
    assert here.failures == []


@pytest.mark.parametrize("lead_chunks", [0, 3, 5])
def test_taken_back_in_mid_sentence_not_one_sample_more_leaves(permit: Given, lead_chunks: int) -> None:
    here = speaking(permit, lead_chunks=lead_chunks)
    left = here.wire.bytes_sent
    permit.valid = False
    here.tick()
    assert here.outlet.state is State.FAILED
    assert here.failures == ["ConsentMissing"]
    here.tick(20)
    assert not np.concatenate([np.frombuffer(c, np.int16) for c in here.wire.chunks])[left // 2 :].any()


def test_taken_back_in_the_disclosure_that_ends_too(permit: Given) -> None:
    here = door(permit)
    here.outlet.disclose(DISCLOSURE)
    here.tick(2)
    permit.valid = False
    here.tick(10)
    assert sound(bytes(here.wire.ear)) == sound(DISCLOSURE.pcm)[: 2 * CHUNK]
    assert here.disclosed_at == []


def test_a_fade_that_was_to_come_needs_it_as_well(permit: Given) -> None:
    here = speaking(permit)
    here.outlet.hold()
    permit.valid = False
    here.tick(5)
    assert sound(bytes(here.wire.ear)) == sound(CLONE)[: 10 * CHUNK]
    assert here.outlet.state is State.FAILED


def test_silence_imitates_nobody(permit: Given) -> None:
    here = door(permit).open(DISCLOSURE)
    permit.valid = False
    here.tick(50)
    assert here.outlet.state is State.OPEN
    assert here.failures == []
    here.outlet.say(Spoken(2, 0, CLONE, last=True))
    here.tick()
    assert here.failures == ["ConsentMissing"]
    assert not here.wire.samples.any()


def test_one_sample_is_not_silence(permit: Given) -> None:
    permit.valid = False
    samples = np.zeros(CHUNK, np.int16)
    assert Permission(permit).process(samples, 0) is samples
    samples[-1] = 1
    with pytest.raises(ConsentMissing, match="revoked or is over"):
        Permission(permit).process(samples, 0)


def test_the_apology_follows_and_is_not_the_clones(permit: Given) -> None:
    here = speaking(permit, lead_chunks=2)
    permit.valid = False
    here.tick(2)
    here.quiet()
    heard = len(here.wire.ear)
    here.outlet.apologise()
    here.tick(10)
    assert sound(bytes(here.wire.ear[heard:])) == sound(APOLOGY)


def test_given_again_it_does_not_open_the_door_again(permit: Given) -> None:
    here = speaking(permit)
    permit.valid = False
    here.tick()
    permit.valid = True
    with pytest.raises(DoorClosed):
        here.outlet.say(Spoken(3, 0, CLONE, last=True))
    here.outlet.write(counting(CHUNK), RATE_HZ)
    here.tick(5)
    assert sound(bytes(here.wire.ear)) == sound(CLONE)[: 10 * CHUNK]


def test_the_log_does_not_say_whose_voice_it_was(permit: Given, caplog: pytest.LogCaptureFixture) -> None:
    here = speaking(permit)
    permit.valid = False
    with caplog.at_level(logging.ERROR):
        here.tick()
    (record,) = caplog.records
    assert record.getMessage() == "outlet stage failed, door closed"
    assert record.__dict__["error"] == "ConsentMissing"
