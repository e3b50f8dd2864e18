import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from channels.camera.port_audio import BLOCK_SAMPLES, MAX_UNHEARD_BLOCKS, PortAudioSound
from channels.camera.sound import RATE_HZ
from compliance.errors import SoundMissing


class Stream:
    latency = 0.01

    def __init__(self, library: "Library", **options: Any) -> None:
        if options["device"] not in library.devices:
            raise ValueError("no such device")
        self.options = options
        self.started = self.closed = False

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True


class Library:
    """`sounddevice`, with a device's thread that the test plays."""

    class PortAudioError(Exception): ...

    def __init__(self, *devices: str) -> None:
        self.devices = devices
        self.streams: list[Stream] = []

    def RawOutputStream(self, **options: Any) -> Stream:  # noqa: N802  its name
        return self._made(options)

    def RawInputStream(self, **options: Any) -> Stream:  # noqa: N802  its name
        return self._made(options)

    def _made(self, options: dict[str, Any]) -> Stream:
        self.streams.append(Stream(self, **options))
        return self.streams[-1]

    def takes(self, samples: int = BLOCK_SAMPLES) -> bytes:
        out = bytearray(samples * 2)
        self.streams[0].options["callback"](memoryview(out), samples, None, None)
        return bytes(out)

    def brings(self, pcm: bytes) -> None:
        self.streams[1].options["callback"](pcm, len(pcm) // 2, None, None)


async def opened(library: Library) -> PortAudioSound:
    sound = PortAudioSound("into", "from", lead_ms=60, library=library)
    await sound.open()
    return sound


async def begun(sound: PortAudioSound, on_wanted: Callable[[], None] = lambda: None) -> list[bytes]:
    heard: list[bytes] = []
    await sound.begin(on_wanted, heard.append, lambda: heard.append(b"lost"))
    return heard


async def test_the_device_takes_what_was_given_and_silence_for_the_rest() -> None:
    library = Library("into", "from")
    sound = await opened(library)
    asked: list[int] = []
    await begun(sound, lambda: asked.append(sound.wanted))
    pcm = np.arange(1, 701, dtype=np.int16).tobytes()
    sound.play(pcm)

    assert library.takes() == pcm[: 2 * BLOCK_SAMPLES]
    assert library.takes() == pcm[2 * BLOCK_SAMPLES :].ljust(2 * BLOCK_SAMPLES, b"\0")
    await asyncio.sleep(0)
    assert len(asked) == 2
    assert sound.lead_ms == 10, "what the device itself holds"
    assert sound.played == 700 - RATE_HZ // 100
    await sound.close()


async def test_it_wants_no_more_than_the_lead() -> None:
    sound = await opened(Library("into", "from"))
    wanted = sound.wanted
    assert wanted == RATE_HZ * (60 - 10) // 1000
    sound.play(bytes(2 * wanted))
    assert sound.wanted == 0
    assert sound.lead_ms == 60
    await sound.close()


async def test_cleared_what_waits_is_gone() -> None:
    library = Library("into", "from")
    sound = await opened(library)
    sound.play(b"\1\0" * 1_000)
    library.takes()
    assert sound.clear() == BLOCK_SAMPLES
    assert library.takes() == bytes(2 * BLOCK_SAMPLES)
    sound.play(b"\2\0" * BLOCK_SAMPLES)
    library.takes()
    assert sound.played == 1_000 + BLOCK_SAMPLES - RATE_HZ // 100
    await sound.close()


async def test_the_meetings_sound_comes_at_a_third_of_the_rate() -> None:
    library = Library("into", "from")
    sound = await opened(library)
    heard = await begun(sound)
    for _ in range(20):
        library.brings(bytes(2 * BLOCK_SAMPLES))
        await asyncio.sleep(0)
    samples = len(b"".join(heard)) // 2
    assert 20 * BLOCK_SAMPLES // 3 - 400 < samples <= 20 * BLOCK_SAMPLES // 3
    await sound.close()


async def test_a_loop_that_is_busy_loses_sound_and_not_memory() -> None:
    library = Library("into", "from")
    sound = await opened(library)
    heard = await begun(sound)
    for _ in range(MAX_UNHEARD_BLOCKS + 30):
        library.brings(bytes(2 * BLOCK_SAMPLES))
    await asyncio.sleep(0)
    assert sound.dropped_blocks == 30
    assert len(heard) == MAX_UNHEARD_BLOCKS
    library.brings(bytes(2 * BLOCK_SAMPLES))
    await asyncio.sleep(0)
    assert len(heard) == MAX_UNHEARD_BLOCKS + 1
    await sound.close()


async def test_a_device_that_goes_is_told() -> None:
    library = Library("into", "from")
    sound = await opened(library)
    heard = await begun(sound)
    library.streams[0].options["finished_callback"]()
    await asyncio.sleep(0)
    assert heard == [b"lost"]
    await sound.close()


async def test_closed_it_says_nothing_more_and_frees_its_streams() -> None:
    library = Library("into", "from")
    sound = await opened(library)
    heard = await begun(sound)
    await sound.close()
    await sound.close()
    library.streams[0].options["finished_callback"]()
    await asyncio.sleep(0)
    assert heard == []
    assert [stream.closed for stream in library.streams] == [True, True]


@pytest.mark.parametrize("devices", [("from",), ("into",)])
async def test_a_device_that_is_not_there_is_refused_and_the_other_is_freed(devices: tuple[str, ...]) -> None:
    library = Library(*devices)
    with pytest.raises(SoundMissing, match="python -m sounddevice"):
        await opened(library)
    assert all(stream.closed for stream in library.streams)


async def test_without_the_extra_one_line_says_what_adds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    with pytest.raises(SoundMissing, match="microphone"):
        await PortAudioSound("into", "from", lead_ms=60).open()
