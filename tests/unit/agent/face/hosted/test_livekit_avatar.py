"""The connection to a LiveKit avatar worker where there is none; with a real server: tests/behaviour."""

from __future__ import annotations

import asyncio

import pytest

from agent.face.elsewhere_options import Options
from agent.face.hosted.livekit_avatar import LiveKitAvatars
from agent.face.mailbox import Mailbox
from avatar.ahead import Ahead
from avatar.stage import Stage
from compliance.errors import EngineFailed, EngineMissing
from tests.livekit_server import free_port
from tests.unit.avatar.elsewhere import Grey

RATE = 16_000
SECRETS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "a secret that is long enough for a test of this kind"}


async def test_a_server_that_is_not_there_is_an_error() -> None:
    pytest.importorskip("livekit.rtc")
    options = Options("livekit_avatar", url=f"ws://127.0.0.1:{free_port()}", ready_s=5.0)
    avatars = LiveKitAvatars(options, SECRETS)
    await avatars.start()
    mailbox = Mailbox(asyncio.get_running_loop())
    face = Ahead(Stage(Grey(), rate_hz=RATE, seed=1), mailbox, rate_hz=RATE, alive=False)
    with pytest.raises(EngineFailed):
        await avatars.play(mailbox, face, RATE, "call")
    await avatars.close()


def test_missing_keys_are_named() -> None:
    with pytest.raises(EngineMissing, match="LIVEKIT_API_SECRET"):
        LiveKitAvatars(Options("livekit_avatar", url="ws://x"), {"LIVEKIT_API_KEY": "key"})
    with pytest.raises(EngineMissing, match="LIVEKIT_URL"):
        LiveKitAvatars(Options("livekit_avatar"), SECRETS)
