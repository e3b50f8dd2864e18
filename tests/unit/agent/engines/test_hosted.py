"""A real Pipecat service, subclassed as its documentation says, driven without a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService

from agent.engines import hosted as hosted_module
from agent.engines.hosted import Hosted
from compliance.errors import EngineFailed, EngineTimeout


class Loudness(STTService):
    """Transcribes every chunk of audio as its number of bytes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(settings=STTSettings(model=None, language=None), ttfs_p99_latency=0.1, **kwargs)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        if audio == b"boom":
            yield ErrorFrame("a hiccup")
        elif audio == b"dead":
            await self.push_error("refused", force_treat_as_permanent=True)
        else:
            yield TranscriptionFrame(f"{len(audio)}", "", "")


class Hangs(Loudness):
    async def setup(self, setup: FrameProcessorSetup) -> None:  # type: ignore[override] # as Pipecat itself
        await asyncio.sleep(30)


class NeverEnds(Loudness):
    async def stop(self, frame: EndFrame) -> None:
        await asyncio.sleep(30)


class Beeps(TTSService):
    """Says every sentence as ten milliseconds of silence per character."""

    def __init__(self) -> None:
        super().__init__(
            settings=TTSSettings(model=None, voice=None, language=None),
            push_start_frame=True,
            push_stop_frames=True,
        )

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        yield TTSAudioRawFrame(bytes(2 * 80 * len(text)), 8000, 1, context_id=context_id)


def audio(data: bytes) -> InputAudioRawFrame:
    return InputAudioRawFrame(data, 8000, 1)


async def until_taken(hosted: Hosted) -> None:
    async with asyncio.timeout(5):
        await hosted.room(1)


async def test_audio_in_and_transcripts_out() -> None:
    hosted = Hosted(Loudness(), name="loudness", wanted=(TranscriptionFrame,), audio_in_hz=8000)
    await hosted.start()
    await hosted.put(audio(b"1234"), audio(b"123456"))
    frames = hosted.frames()

    texts = [(await anext(frames)).text for _ in range(2)]  # type: ignore[attr-defined]

    assert texts == ["4", "6"]
    await hosted.close()


async def test_it_counts_the_audio_that_the_service_has_not_taken_yet() -> None:
    hosted = Hosted(Loudness(), name="loudness", wanted=(TranscriptionFrame,))
    await hosted.start()
    await hosted.put(audio(b"1234"))
    assert hosted.audio_in_flight == 1

    await until_taken(hosted)
    await hosted.close()


async def test_a_voice_speaks_a_sentence() -> None:
    hosted = Hosted(Beeps(), name="beeps", wanted=(TTSAudioRawFrame, TTSStoppedFrame), audio_out_hz=8000)
    await hosted.start()
    await hosted.put(TTSSpeakFrame("Hello."))
    sound = b""
    async with asyncio.timeout(10):
        async for frame in hosted.frames():
            if isinstance(frame, TTSStoppedFrame):
                break
            assert isinstance(frame, TTSAudioRawFrame)
            sound += frame.audio

    assert len(sound) >= 2 * 80 * len("Hello.")
    await hosted.close()


async def test_a_passing_error_is_told_and_the_service_goes_on() -> None:
    hosted = Hosted(Loudness(), name="loudness", wanted=(TranscriptionFrame,))
    await hosted.start()
    await hosted.put(audio(b"boom"), audio(b"1234"))
    frames = hosted.frames()

    kinds = {type(await anext(frames)) for _ in range(2)}

    assert kinds == {ErrorFrame, TranscriptionFrame}
    await hosted.close()


async def test_an_error_that_ends_its_work_reaches_the_reader_and_the_next_to_put() -> None:
    hosted = Hosted(Loudness(), name="loudness", wanted=(TranscriptionFrame,))
    await hosted.start()
    await hosted.put(audio(b"dead"))

    with pytest.raises(EngineFailed, match="loudness"):
        await anext(hosted.frames())
    with pytest.raises(EngineFailed):
        await hosted.put(audio(b"1234"))
    await hosted.close()


async def test_frames_nobody_reads_end_it_instead_of_filling_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hosted_module, "MAX_UNREAD_FRAMES", 3)
    hosted = Hosted(Loudness(), name="loudness", wanted=(TranscriptionFrame,))
    await hosted.start()
    await hosted.put(*(audio(b"1234") for _ in range(5)))
    await until_taken(hosted)

    with pytest.raises(EngineFailed, match="not read"):
        async for _ in hosted.frames():
            pass
    await hosted.close()


async def test_a_service_that_cannot_connect_is_given_up_in_time() -> None:
    hosted = Hosted(Hangs(), name="hangs", wanted=(TranscriptionFrame,), start_timeout_s=0.2)

    with pytest.raises((EngineTimeout, EngineFailed), match="hangs"):
        await hosted.start()


async def test_close_does_not_wait_for_a_service_that_never_ends() -> None:
    hosted = Hosted(NeverEnds(), name="never", wanted=(TranscriptionFrame,))
    await hosted.start()

    async with asyncio.timeout(8):
        await hosted.close(limit_s=0.5)
        await hosted.close()
    with pytest.raises(EngineFailed):
        await anext(hosted.frames())


async def test_closing_before_it_started_is_nothing() -> None:
    await Hosted(Loudness(), name="loudness", wanted=()).close()
