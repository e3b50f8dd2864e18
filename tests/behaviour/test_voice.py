"""The owner's cloned voice on the telephone: heard while the consent stands, silent once it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from persona.voice.dataset import REFERENCE
from persona.voice.shape import measure
from tests.behaviour.sound import contains, place
from tests.behaviour.test_faults import phone
from tests.behaviour.twin import Twin, answers, twin_that_hears, wav
from tests.unit.agent import enrolling
from tests.unit.agent.owner import owner

RATE_HZ = 8_000
CLONED = '[voice]\nengine = "espeak"\ncloned = true\n'
QUESTION = "Please tell me everything about your work and your office."


def pitch(pcm: bytes) -> float:
    heard = measure(np.frombuffer(pcm, np.int16), RATE_HZ).pitch_hz
    assert heard is not None
    return heard


def left_of_it(running: Twin) -> list[Path]:
    """Files of what was made of the voice."""
    cache = running.house.home / "cache"
    return [*cache.glob("espeak-*.json"), *cache.glob("prepared-clone*")]


async def test_a_caller_hears_the_owners_pitch_until_the_owner_revokes_and_then_an_apology(home: Path) -> None:
    theirs = measure(enrolling.callers().samples, 16_000).pitch_hz
    assert theirs is not None
    async with owner(home) as somebody:
        await somebody.consents()
        await somebody.clones.keep("voice", REFERENCE, enrolling.callers().wav())
        async with twin_that_hears(home, QUESTION, more=CLONED) as (running, _):
            async with phone(running.url) as caller:
                await caller.until_silent(timeout_s=40)
                live = await running.live()
                await caller.say(wav("long_story"))
                await caller.until_sound()
                begun = len(caller.played_pcm())
                await caller.until(lambda: len(caller.played_pcm()) - begun > 2 * 2 * RATE_HZ)
                spoken = caller.played_pcm()[begun:]
                assert live.call.outlet.speaking
                revoked_at = len(caller.played_pcm())
                await somebody.clones.revoke("voice")
                await caller.until(caller.over.is_set)
                rest = caller.played_pcm()[revoked_at:]
            await running.all_over()
            (kept,) = await running.kept()
            await running.until(lambda: not left_of_it(running))
            assert not running.house.lineup.has_voice
            opening, own = live.opening, running.house.openings.of(RATE_HZ, "words")
    assert opening.disclosure.pcm != own.disclosure.pcm
    for cloned in (opening.disclosure.pcm, spoken):
        assert abs(12 * np.log2(pitch(cloned) / theirs)) < 2
    # The house looks four times a second; what lay in the line's buffer was thrown away.
    assert contains(rest, opening.apology.pcm)
    assert place(rest, opening.apology.pcm) < 1.5 * RATE_HZ
    # espeak's own pitch is about 100 Hz.
    assert pitch(opening.apology.pcm) < 125
    assert live.reason == "outlet_failed"
    assert answers(kept)[0]
