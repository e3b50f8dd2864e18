"""Avatar services through Pipecat: Tavus, HeyGen's LiveAvatar, Simli.

Each call has a session and a small pipeline of its own; speech goes in, pictures and the service's own playing of
the speech come out.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from agent.engines.base import install
from agent.face.elsewhere_options import Options
from agent.face.feed import Feed
from agent.face.hosted.returned import Returned
from agent.face.mailbox import Clear, Mailbox
from avatar.ahead import Ahead
from avatar.ahead_fit import Kind
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout

SPEECH_HZ = 24_000
CLOSE_S = 4.0
CONNECT_S = 30.0
_KINDS: dict[str, Kind] = {"RGB": "rgb", "RGBA": "rgba", "I420": "i420", "JPEG": "jpeg"}


@dataclass(frozen=True, slots=True)
class About:
    """One row of the table."""

    about: str
    module: str
    """Below `pipecat.services`."""
    key: str
    """The environment variable."""
    extra: str
    """Our optional dependency group."""
    build: Callable[[Any, str, Options, Any], Any]
    """Makes the service of the module, the key, the options and an HTTP session."""
    listens: bool = False
    """It stops when the person begins to speak, not at an interruption."""
    skips_silence: bool = False
    """It leaves silence out of the sound that it plays."""


def _tavus(module: Any, key: str, options: Options, session: Any) -> Any:
    persona = options.extra.get("persona", "pipecat0")
    return module.TavusVideoService(api_key=key, replica_id=options.avatar, persona_id=persona, session=session)


def _heygen(module: Any, key: str, options: Options, session: Any) -> Any:
    request = module.LiveAvatarNewSessionRequest(avatar_id=options.avatar) if options.avatar else None
    return module.HeyGenVideoService(
        api_key=key, session=session, session_request=request, service_type=module.ServiceType.LIVE_AVATAR
    )


def _simli(module: Any, key: str, options: Options, session: Any) -> Any:
    address = {"simli_url": options.url} if options.url else {}
    return module.SimliVideoService(api_key=key, face_id=options.avatar, **address)


SERVICES = {
    "tavus": About("Tavus", "tavus.video", "TAVUS_API_KEY", "tavus", _tavus),
    "heygen": About("HeyGen LiveAvatar", "heygen.video", "HEYGEN_API_KEY", "heygen", _heygen, listens=True),
    "simli": About("Simli", "simli.video", "SIMLI_API_KEY", "simli", _simli, skips_silence=True),
}


class Services:
    """The chosen service; a session is opened, and paid for, for each call that shows a face."""

    def __init__(
        self, options: Options, secrets: Mapping[str, str], *, make: Callable[[], Any] | None = None
    ) -> None:
        """`make` gives another Pipecat service in its place. Raises `EngineMissing` without the service's key."""
        self.name = options.engine
        self._about = SERVICES[options.engine]
        self._options = options
        self._key = secrets.get(self._about.key, "")
        if not self._key:
            raise EngineMissing(f"face {self.name}: set {self._about.key}")
        self._make = make
        self._module: Any = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="face pictures")

    async def start(self) -> None:
        """Load the library. Raises `EngineMissing`."""
        if self._make is not None:
            return
        try:
            self._module = await asyncio.to_thread(
                importlib.import_module, f"pipecat.services.{self._about.module}"
            )
        except Exception as error:
            # Pipecat turns a missing package into an ImportError, and some of its modules into a plain Exception.
            if not isinstance(error, ImportError) and "Missing module" not in str(error):
                raise
            raise EngineMissing(f"face {self.name}: {install(self._about.extra)}") from None

    async def close(self) -> None:
        """Nothing is shared but a thread. Safe to call twice."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def play(self, mailbox: Mailbox, ahead: Ahead, rate_hz: int, call_id: str) -> None:
        """One call's face until it is cancelled; see `Source`."""
        import aiohttp

        about, options = self._about, self._options
        returned = Returned(ahead, rate_hz, self._pool, fills_silence=about.skips_silence)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CONNECT_S)) as session:
            try:
                make = self._make
                service = make() if make else about.build(self._module, self._key, options, session)
            except Exception as error:  # noqa: BLE001  each has its own errors; to us it cannot be used
                raise EngineFailed(f"face {self.name}: it refuses its settings ({type(error).__name__})") from None
            hosted = await self._hosted(service)
            sending = asyncio.create_task(
                self._send(hosted, mailbox, returned, Feed(rate_hz, SPEECH_HZ)), name=f"speech to {self.name}"
            )
            receiving = asyncio.create_task(self._receive(hosted, returned, ahead), name=f"{self.name}'s pictures")
            try:
                done, _ = await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                ahead.lost()
                sending.cancel()
                receiving.cancel()
                await asyncio.wait({sending, receiving}, timeout=1.0)
                await hosted.close(limit_s=CLOSE_S)

    async def _hosted(self, service: Any) -> Any:
        from pipecat.frames.frames import (
            OutputImageRawFrame,
            OutputTransportReadyFrame,
            SpeechOutputAudioRawFrame,
            TTSAudioRawFrame,
        )

        from agent.engines.hosted import Hosted

        wanted = (OutputImageRawFrame, SpeechOutputAudioRawFrame, TTSAudioRawFrame)
        hosted = Hosted(
            service,
            name=self.name,
            wanted=wanted,
            audio_out_hz=SPEECH_HZ,
            start_timeout_s=min(self._options.ready_s, CONNECT_S),
        )
        await hosted.start()
        await hosted.put(OutputTransportReadyFrame())
        return hosted

    async def _send(self, hosted: Any, mailbox: Mailbox, returned: Returned, feed: Feed) -> None:
        from pipecat.frames.frames import (
            InterruptionFrame,
            TTSAudioRawFrame,
            TTSStartedFrame,
            TTSStoppedFrame,
            UserStartedSpeakingFrame,
            UserStoppedSpeakingFrame,
        )

        speaking: int | None = None
        while True:
            told = await mailbox.next()
            if isinstance(told, Clear):
                speaking = None
                feed.clear()
                returned.cleared(told.epoch)
                if self._about.listens:
                    await hosted.put(UserStartedSpeakingFrame(), UserStoppedSpeakingFrame())
                else:
                    await hosted.put(InterruptionFrame())
                continue
            returned.sent(told)
            for speech in feed.give(told):
                if speaking != speech.utterance:
                    speaking = speech.utterance
                    await hosted.put(TTSStartedFrame())
                if speech.pcm:
                    await hosted.put(TTSAudioRawFrame(speech.pcm, SPEECH_HZ, 1))
                if speech.last:
                    await hosted.put(TTSStoppedFrame())

    async def _receive(self, hosted: Any, returned: Returned, ahead: Ahead) -> None:
        from pipecat.frames.frames import OutputImageRawFrame

        limit_s = self._options.ready_s
        async with aclosing(hosted.frames()) as frames:
            while True:
                picture = await self._picture(frames, returned, OutputImageRawFrame, limit_s)
                ahead.alive = True
                limit_s = self._options.answer_s
                kind = _KINDS.get(str(picture.format or "RGB").upper())
                if kind is None:
                    raise EngineFailed(f"face {self.name}: its pictures are of an unknown kind")
                await returned.picture(kind, picture.image, picture.size)

    async def _picture(
        self, frames: AsyncIterator[Any], returned: Returned, kind: type[Any], limit_s: float
    ) -> Any:
        """The next picture; the sound before it is listened to."""
        try:
            async with asyncio.timeout(limit_s):
                async for frame in frames:
                    if isinstance(frame, kind):
                        return frame
                    if getattr(frame, "audio", None):
                        returned.sound(frame.audio, frame.sample_rate, frame.num_channels)
        except TimeoutError:
            raise EngineTimeout(f"face {self.name}: no picture within {limit_s:g} s") from None
        raise EngineFailed(f"face {self.name}: the service ended")
