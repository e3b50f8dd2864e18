"""What software makes of what a microphone hears, before it is sent: noise taken off, loudness levelled.

- WebRTC's audio processing, as in every browser: the real code, from LiveKit's SDK.
- RNNoise, a network that takes noise off (Mumble, OBS and others use it): the library in the package `pyrnnoise`,
  whose Python is not needed.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from livekit.rtc import AudioFrame, AudioProcessingModule

from tests.bench.watermark.codecs import resample
from tests.bench.watermark.corpus import floats, to_int16

Floats = npt.NDArray[np.float32]

BROWSER_HZ = 16_000
RNNOISE_HZ = 48_000
_FRAME = 480
_FULL_SCALE = np.float32(32768)


def browser(sound: Floats, rate_hz: int) -> Floats:
    """High pass, noise suppression and gain control of WebRTC, frame by frame of 10 ms; at `BROWSER_HZ`."""
    module = AudioProcessingModule(noise_suppression=True, high_pass_filter=True, auto_gain_control=True)
    pcm = to_int16(resample(sound, rate_hz, BROWSER_HZ))
    samples = BROWSER_HZ // 100
    heard = []
    for piece in pcm[: len(pcm) // samples * samples].reshape(-1, samples):
        frame = AudioFrame(bytearray(piece.tobytes()), BROWSER_HZ, 1, samples)
        module.process_stream(frame)
        heard.append(np.array(frame.data, np.int16))
    return floats(np.concatenate(heard))


def has_rnnoise() -> bool:
    return _rnnoise_file() is not None


def rnnoise(sound: Floats, rate_hz: int) -> Floats:
    """What RNNoise takes for a voice; at `RNNOISE_HZ`."""
    library = _rnnoise()
    wide = resample(sound, rate_hz, RNNOISE_HZ) * _FULL_SCALE
    frames = np.ascontiguousarray(wide[: len(wide) // _FRAME * _FRAME].reshape(-1, _FRAME))
    state = library.rnnoise_create(None)
    try:
        for frame in frames:
            place = frame.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
            library.rnnoise_process_frame(state, place, place)
    finally:
        library.rnnoise_destroy(state)
    return np.asarray(frames.ravel() / _FULL_SCALE, np.float32)


@cache
def _rnnoise() -> ctypes.CDLL:
    library = ctypes.CDLL(str(_rnnoise_file()))
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [ctypes.c_void_p], ctypes.c_void_p
    library.rnnoise_destroy.argtypes, library.rnnoise_destroy.restype = [ctypes.c_void_p], None
    samples = ctypes.POINTER(ctypes.c_float)
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, samples, samples]
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library


def _rnnoise_file() -> Path | None:
    found = find_spec("pyrnnoise")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("*rnnoise.[ds]*"), None)
