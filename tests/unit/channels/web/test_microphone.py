import fractions

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from channels.inlet import Inlet
from channels.web.microphone import BURST_S, Microphone


class Ear:
    def __init__(self) -> None:
        self.pcm = b""

    def audio(self, pcm: bytes) -> None:
        self.pcm += pcm

    def digit(self, digit: str) -> None: ...

    def text(self, text: str) -> None: ...


class Decoded(MediaStreamTrack):
    """Frames as aiortc decodes them: 48 kHz stereo, all there at once."""

    kind = "audio"

    def __init__(self, seconds: float, hz: float = 1_000.0) -> None:
        super().__init__()
        self._left = round(seconds * 50)
        mono = 8_000 * np.sin(2 * np.pi * hz * np.arange(960) / 48_000)
        self._chunk = np.repeat(mono.astype(np.int16), 2).tobytes()

    async def recv(self) -> AudioFrame:
        if not self._left:
            raise MediaStreamError
        self._left -= 1
        frame = AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(self._chunk)
        frame.sample_rate = 48_000
        frame.time_base = fractions.Fraction(1, 48_000)
        return frame


async def test_sound_comes_in_as_16_khz_mono() -> None:
    ear = Ear()
    inlet = Inlet(16_000, ear)
    inlet.open()
    signs: list[None] = []

    await Microphone(inlet, on_sign_of_life=lambda: signs.append(None)).listen(Decoded(2.0))

    heard = np.frombuffer(ear.pcm, np.int16)
    assert 1.99 * 16_000 <= len(heard) <= 2 * 16_000
    spectrum = np.abs(np.fft.rfft(heard[1_600:17_600]))
    assert int(np.argmax(spectrum)) == 1_000
    assert abs(int(heard[1_600:].max()) - 8_000) < 300
    assert len(signs) == 100


async def test_a_flood_of_sound_is_cut_to_what_time_allows() -> None:
    inlet = Inlet(16_000, Ear())

    await Microphone(inlet, on_sign_of_life=lambda: None).listen(Decoded(60.0))

    seconds = inlet.bytes_seen / 2 / 16_000
    assert BURST_S * 0.9 <= seconds < 30


async def test_nothing_is_let_in_before_the_door_opens() -> None:
    ear = Ear()
    inlet = Inlet(16_000, ear)

    await Microphone(inlet, on_sign_of_life=lambda: None).listen(Decoded(1.0))

    assert inlet.bytes_seen > 0
    assert ear.pcm == b""
