from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agent.face import elsewhere
from agent.face.elsewhere import TROUBLE, Elsewhere
from agent.face.elsewhere_options import Options
from agent.face.mailbox import MAX_TOLD, Clear, Mailbox, Speech
from avatar.ahead import Ahead
from avatar.stage import Stage
from compliance.errors import EngineFailed
from tests.unit.avatar.elsewhere import RATE, Grey, drawn

LIMIT_S = 10.0
OPTIONS = Options("neural", command=("none",))


class Here:
    """A source that shows one idle picture per call, or fails."""

    name = "here"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.played: list[str] = []
        self.told: list[Speech | Clear] = []
        self.ended: list[str] = []
        self.closed = False

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed = True

    async def play(self, mailbox: Mailbox, ahead: Ahead, rate_hz: int, call_id: str) -> None:
        self.played.append(call_id)
        if self.error is not None:
            raise self.error
        ahead.alive = True
        ahead.take(drawn(None, luma=99))
        try:
            while True:
                self.told.append(await mailbox.next())
        finally:
            self.ended.append(call_id)


def stage() -> Stage:
    return Stage(Grey(), rate_hz=RATE, seed=1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110  the lists have no event to wait on
            await asyncio.sleep(0)


async def test_a_call_has_a_source_until_it_leaves() -> None:
    source = Here()
    faces = Elsewhere(OPTIONS, {}, source=source)
    await faces.start()
    # As the view does it: in another thread.
    face = await asyncio.to_thread(faces.cover, "call", stage(), RATE)
    assert isinstance(face, Ahead)
    await until(lambda: face.alive)
    await asyncio.to_thread(face.expect, 1, bytes(640), (), (), exact=False, last=True)
    await asyncio.to_thread(face.dropped, 0, 1)
    await until(lambda: source.told == [Speech(1, 0, bytes(640), 0, True), Clear(1)])
    face.frame_at(0, 1)
    faces.leave("call")
    await until(lambda: source.ended == ["call"])
    assert not face.alive
    assert faces.shown == {"cover": 1}
    await faces.close()
    assert source.closed


async def test_a_call_that_had_a_face_or_is_over_gets_the_stage() -> None:
    faces = Elsewhere(OPTIONS, {}, source=Here())
    own = stage()
    assert faces.cover("early", own, RATE) is own
    await faces.start()
    assert faces.cover("call", own, RATE) is not own
    assert faces.cover("call", own, RATE) is own
    faces.leave("over")
    assert faces.cover("over", own, RATE) is own
    await faces.close()


@pytest.mark.parametrize("error", [EngineFailed("it broke"), RuntimeError("what the person said")])
async def test_a_source_that_fails_is_tried_again_but_not_for_ever_and_said_once(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(elsewhere, "AGAIN_S", (0.0, 0.0, 0.0))
    source = Here(error)
    faces = Elsewhere(OPTIONS, {}, source=source)
    await faces.start()
    told: list[str] = []
    faces.cover("call", stage(), RATE, tell=told.append)
    await until(lambda: len(source.played) == 4)
    await asyncio.sleep(0)
    assert source.played == ["call"] * 4
    assert told == [TROUBLE]
    assert "what the person said" not in caplog.text
    await faces.close()


async def test_closing_ends_every_call() -> None:
    source = Here()
    faces = Elsewhere(OPTIONS, {}, source=source)
    await faces.start()
    for number in range(3):
        faces.cover(f"call {number}", stage(), RATE)
    await until(lambda: len(source.played) == 3)
    await faces.close()
    assert len(source.ended) == 3
    await faces.close()


async def test_a_mailbox_is_bounded_and_an_interruption_empties_it() -> None:
    mailbox = Mailbox(asyncio.get_running_loop())
    for number in range(2 * MAX_TOLD):
        mailbox.speak(number, 0, b"", 0, last=True)
    await asyncio.sleep(0)
    first = await mailbox.next()
    assert isinstance(first, Speech)
    assert first.utterance == MAX_TOLD
    mailbox.clear(1)
    mailbox.speak(9, 0, b"", 1, last=False)
    await asyncio.sleep(0)
    assert await mailbox.next() == Clear(1)
    assert await mailbox.next() == Speech(9, 0, b"", 1, False)
