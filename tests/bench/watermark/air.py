"""What lies between a mouth and an ear: noise, rooms, other people, lost packets, loudness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.bench.watermark.corpus import active_rms

Floats = npt.NDArray[np.float32]

PACKET_MS = 20
_FADED_PACKETS = 3
"""A concealed gap is silent after that many packets in a row, as in appendix I of G.711."""


def telephone_band(sound: Floats, rate_hz: int, low_hz: float = 300.0, high_hz: float = 3400.0) -> Floats:
    """A linear-phase band-pass: -6 dB at both edges, 60 dB down 150 Hz beyond them."""
    half = round(3.3 / 300 * rate_hz)
    at = np.arange(-half, half + 1)
    ideal = (
        2 * high_hz * np.sinc(2 * high_hz / rate_hz * at) - 2 * low_hz * np.sinc(2 * low_hz / rate_hz * at)
    ) / rate_hz
    taps = ideal * np.kaiser(2 * half + 1, 5.65)
    return _convolved(sound, taps)[half : half + len(sound)]


def with_noise(sound: Floats, noise: Floats, snr_db: float, rate_hz: int) -> Floats:
    """Speech and noise so many dB below what is active of the speech."""
    power = float(np.sqrt(np.square(noise).mean()))
    gain = active_rms(sound, rate_hz) / max(power, 1e-9) * 10 ** (-snr_db / 20)
    mixed: Floats = (sound + gain * noise[: len(sound)]).astype(np.float32)
    return mixed


def white(samples: int, seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(samples, np.float32)


def lossy(sound: Floats, rate_hz: int, share: float, seed: int) -> Floats:
    """A share of the packets is lost, each by its own chance; a gap is the last packet again and fainter."""
    packet = rate_hz * PACKET_MS // 1000
    out = sound.copy()
    gap = 0
    for number, is_lost in enumerate(lost(len(sound) // packet, share, seed)):
        gap = gap + 1 if is_lost else 0
        if gap:
            begin = number * packet
            last = out[begin - packet : begin] if begin else np.zeros(packet, np.float32)
            fade = np.linspace(1, 0.6, packet, dtype=np.float32) if gap < _FADED_PACKETS else np.float32(0)
            out[begin : begin + packet] = last * fade
    return out


def lost(packets: int, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which packets are lost: a list that a seed gives."""
    return np.random.default_rng(seed).random(packets) < share


def talked_over(sound: Floats, other: Floats, rate_hz: int) -> Floats:
    """Somebody else speaks all the time, as loud."""
    return with_noise(sound, at_length(other, len(sound)), 0.0, rate_hz)


def in_turns(sound: Floats, other: Floats, rate_hz: int, turn_s: float = 2.5) -> Floats:
    """One speaks, then the other, as loud; of the first only every second turn is left."""
    turn = round(turn_s * rate_hz)
    mine = (np.arange(len(sound)) // turn) % 2 == 0
    theirs = at_length(other, len(sound)) * (active_rms(sound, rate_hz) / max(active_rms(other, rate_hz), 1e-9))
    mixed: Floats = np.where(mine, sound, theirs).astype(np.float32)
    return mixed


def in_a_room(sound: Floats, rate_hz: int, seed: int, fade_s: float = 0.3, direct_db: float = 3.0) -> Floats:
    """A small room: the direct sound and, `direct_db` below its energy, a tail that falls 60 dB in `fade_s`."""
    at = np.arange(1, round(fade_s * rate_hz))
    tail = np.random.default_rng(seed).standard_normal(len(at)) * 10 ** (-3 * at / (fade_s * rate_hz))
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
    return _convolved(sound, np.concatenate([[1.0], tail]))[: len(sound)]


def at_length(sound: Floats, samples: int) -> Floats:
    """From its beginning, over again where it is too short."""
    return np.resize(sound, samples)


def _convolved(sound: Floats, taps: npt.NDArray[np.float64]) -> Floats:
    size = 1 << (len(sound) + len(taps) - 2).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(taps, size)
    whole: Floats = np.fft.irfft(spectrum, size)[: len(sound) + len(taps) - 1].astype(np.float32)
    return whole
