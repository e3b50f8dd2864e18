"""A voice's sample as it arrives: WAV to numbers, in memory."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np

from persona.voice.server.engine import Refused, Samples

MAX_BYTES = 64 * 1024 * 1024
MIN_S = 1.0
_SCALE = {1: 128.0, 2: 32768.0, 4: 2147483648.0}


def read(data: bytes) -> tuple[Samples, int]:
    """Mono samples and their rate in Hz. Raises `Refused` for what is no PCM WAV, or too short to learn from."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        raise Refused("the voice's sample is not a WAV file with PCM sound") from None
    if width not in _SCALE or not 8000 <= rate_hz <= 192000:
        raise Refused("the voice's sample must be PCM of 8, 16 or 32 bits, from 8 to 192 kHz")
    whole = len(raw) // (width * channels) * channels
    numbers = np.frombuffer(raw, {1: "u1", 2: "<i2", 4: "<i4"}[width], whole).astype(np.float32)
    samples = (numbers - (128.0 if width == 1 else 0.0)) / _SCALE[width]
    mono: Samples = samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)
    if len(mono) < MIN_S * rate_hz:
        raise Refused(f"the voice's sample is shorter than {MIN_S:g} s")
    return mono, rate_hz


def header(rate_hz: int) -> bytes:
    """Of a WAV whose length is not known yet: the sizes say "as long as it goes on"."""
    endless = 0xFFFFFFFF
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return b"".join((b"RIFF", struct.pack("<I", endless), b"WAVEfmt ", form, b"data", struct.pack("<I", endless)))
