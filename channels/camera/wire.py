"""The outlet's last step: chunks to the sound devices of this machine."""

from __future__ import annotations

import asyncio

from channels.camera.sound import RATE_HZ, Sound

LINGER_LIMIT_S = 0.5
LOOK_S = 0.01


class CameraWire:
    """`channels.wire.Wire` for one call."""

    rate_hz = RATE_HZ

    def __init__(self, sound: Sound) -> None:
        self.bytes_sent = 0
        self.closing = False
        self.reason = ""
        """Why it was closed."""
        self._sound = sound

    def send(self, pcm: bytes) -> None:
        self.bytes_sent += len(pcm)
        self._sound.play(pcm)

    def clear(self) -> int:
        return self._sound.clear()

    async def close(self, reason: str) -> None:
        """What left last is still to be heard; the devices stay, they are not the call's."""
        self.closing = True
        self.reason = self.reason or reason
        try:
            async with asyncio.timeout(LINGER_LIMIT_S):
                while self._sound.lead_ms > 0:  # noqa: ASYNC110  a device does not say when it has played
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            # A device that has stopped plays nothing more.
            return
