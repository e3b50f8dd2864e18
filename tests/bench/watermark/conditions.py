"""What may happen to the twin's voice before somebody asks whose it is: pure functions of the sound and a seed.

heard = CONDITIONS["mu-law"].apply(sound, rate_hz, seed)     # float32 mono -> Heard(float32 mono, its rate)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.bench.watermark import air, codecs, corpus, microphones, warps
from tests.bench.watermark.codecs import Codec, resample
from tests.bench.watermark.voices import TUNING, Engine

Floats = npt.NDArray[np.float32]

PHONE_HZ = 8000
WIDE_HZ = 48000
FILE_HZ = 24000
LINE_SNR_DB = 30.0
LOSS = 0.05
BABBLE_DB = 15.0
"""How far people in the room are below the voice, where a microphone's software has to take them off."""
HISS_DB = 25.0
"""Of a microphone in front of a loudspeaker."""
_TALKERS = 6


class Heard(NamedTuple):
    """What arrives."""

    samples: Floats
    rate_hz: int


Change = Callable[[Floats, int, int], Heard]
"""(float32 mono, its rate, a seed) -> what arrives."""


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    apply: Change
    marked_hz: int = WIDE_HZ
    """The rate at which the twin's sound is marked: a phone call leaves at 8 kHz, a browser's at 48."""
    stretch: int = 1
    """How many times longer the sound must be, so that as much of the twin is left as elsewhere."""
    at_hand: bool = True


def _unchanged(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(sound, rate_hz)


def _law(law: str) -> Change:
    return lambda sound, rate_hz, seed: Heard(codecs.g711(sound, rate_hz, law=law), PHONE_HZ)


def _chain(sound: Floats, rate_hz: int, seed: int) -> Heard:
    """A telephone network and the line at its end."""
    narrow = air.telephone_band(resample(sound, rate_hz, PHONE_HZ), PHONE_HZ)
    coded = codecs.g711(narrow, PHONE_HZ)
    return Heard(air.with_noise(coded, air.white(len(coded), seed), LINE_SNR_DB, PHONE_HZ), PHONE_HZ)


def _coded(codec: Codec) -> Change:
    return lambda sound, rate_hz, seed: Heard(codecs.through(codec, sound, rate_hz), codec.rate_hz)


def _gsm(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(codecs.gsm(sound, rate_hz), PHONE_HZ)


def _law_then_opus(sound: Floats, rate_hz: int, seed: int) -> Heard:
    """A phone call that a browser records."""
    return Heard(codecs.through(codecs.OPUS_16K, codecs.g711(sound, rate_hz), PHONE_HZ), codecs.OPUS_16K.rate_hz)


def _noise(snr_db: float) -> Change:
    def apply(sound: Floats, rate_hz: int, seed: int) -> Heard:
        narrow = resample(sound, rate_hz, PHONE_HZ)
        return Heard(air.with_noise(narrow, air.white(len(narrow), seed), snr_db, PHONE_HZ), PHONE_HZ)

    return apply


def _babble(snr_db: float) -> Change:
    def apply(sound: Floats, rate_hz: int, seed: int) -> Heard:
        narrow = resample(sound, rate_hz, PHONE_HZ)
        return Heard(air.with_noise(narrow, babble(len(narrow), seed), snr_db, PHONE_HZ), PHONE_HZ)

    return apply


def _loss(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(air.lossy(codecs.g711(sound, rate_hz), PHONE_HZ, LOSS, seed), PHONE_HZ)


def _over(sound: Floats, rate_hz: int, seed: int) -> Heard:
    coded = codecs.g711(sound, rate_hz)
    return Heard(air.talked_over(coded, someone(len(coded), seed), PHONE_HZ), PHONE_HZ)


def _turns(sound: Floats, rate_hz: int, seed: int) -> Heard:
    coded = codecs.g711(sound, rate_hz)
    return Heard(air.in_turns(coded, someone(len(coded), seed), PHONE_HZ), PHONE_HZ)


def _speed(speed: float) -> Change:
    return lambda sound, rate_hz, seed: Heard(warps.sped(sound, rate_hz, speed), rate_hz)


def _tempo(tempo: float) -> Change:
    def apply(sound: Floats, rate_hz: int, seed: int) -> Heard:
        return Heard(warps.at_tempo(resample(sound, rate_hz, FILE_HZ), FILE_HZ, tempo), FILE_HZ)

    return apply


def _gain(gain_db: float) -> Change:
    def apply(sound: Floats, rate_hz: int, seed: int) -> Heard:
        return Heard(np.clip(sound * np.float32(10 ** (gain_db / 20)), -1, 1), rate_hz)

    return apply


def _upside_down(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(-sound, rate_hz)


def _rate(to_hz: int) -> Change:
    return lambda sound, rate_hz, seed: Heard(resample(sound, rate_hz, to_hz), to_hz)


def _room(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(air.in_a_room(sound, rate_hz, seed), rate_hz)


def _browser(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(microphones.browser(sound, rate_hz), microphones.BROWSER_HZ)


def _rnnoise(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(microphones.rnnoise(sound, rate_hz), microphones.RNNOISE_HZ)


def _among_people(software: Change) -> Change:
    babbled = _babble(BABBLE_DB)
    return lambda sound, rate_hz, seed: software(*babbled(sound, rate_hz, seed), seed)


def _loudspeaker(sound: Floats, rate_hz: int, seed: int) -> Heard:
    """A call on a loudspeaker, that somebody records with another phone."""
    room = air.in_a_room(resample(sound, rate_hz, WIDE_HZ), WIDE_HZ, seed)
    heard = air.with_noise(room, air.white(len(room), seed), HISS_DB, WIDE_HZ)
    sent = microphones.browser(heard, WIDE_HZ)
    return Heard(codecs.through(codecs.AMR_122, sent, microphones.BROWSER_HZ), codecs.AMR_122.rate_hz)


def _resynthesis(sound: Floats, rate_hz: int, seed: int) -> Heard:
    return Heard(warps.from_mel(resample(sound, rate_hz, FILE_HZ), FILE_HZ), FILE_HZ)


def _codec(name: str, codec: Codec, marked_hz: int = WIDE_HZ) -> Condition:
    return Condition(name, _coded(codec), marked_hz, at_hand=codec.at_hand)


_ALL: tuple[Condition, ...] = (
    Condition("unchanged", _unchanged),
    Condition("mu-law", _law("ULAW"), PHONE_HZ),
    Condition("phone chain", _chain, PHONE_HZ),
    Condition("mu-law, Opus 16k", _law_then_opus, PHONE_HZ, at_hand=codecs.OPUS_16K.at_hand),
    Condition("A-law", _law("ALAW"), PHONE_HZ),
    Condition("GSM-FR", _gsm, PHONE_HZ),
    _codec("AMR-NB 12.2", codecs.AMR_122, PHONE_HZ),
    _codec("AMR-NB 4.75", codecs.AMR_475, PHONE_HZ),
    _codec("Opus 12k", codecs.OPUS_12K),
    _codec("Opus 24k", codecs.OPUS_24K),
    _codec("MP3 64k", codecs.MP3_64K),
    _codec("AAC 64k", codecs.AAC_64K),
    _codec("G.722", codecs.G722),
    _codec("G.723.1", codecs.G723, PHONE_HZ),
    Condition("white noise 20 dB", _noise(20)),
    Condition("white noise 10 dB", _noise(10)),
    Condition("babble 20 dB", _babble(20)),
    Condition("babble 10 dB", _babble(10)),
    Condition("5 % packets lost", _loss, PHONE_HZ),
    Condition("both sides, talking over", _over, PHONE_HZ),
    Condition("both sides, in turns", _turns, PHONE_HZ, stretch=2),
    Condition("speed +5 %", _speed(1.05)),
    Condition("speed -5 %", _speed(0.95)),
    Condition("speed +2 %", _speed(1.02)),
    Condition("speed -2 %", _speed(0.98)),
    Condition("tempo +3 %", _tempo(1.03)),
    Condition("tempo -3 %", _tempo(0.97)),
    Condition("gain -20 dB", _gain(-20)),
    Condition("gain +6 dB", _gain(6)),
    Condition("polarity", _upside_down),
    Condition("44.1 kHz", _rate(44100)),
    Condition("22.05 kHz", _rate(22050)),
    Condition("small room", _room),
    Condition("WebRTC's microphone", _browser),
    Condition("WebRTC's microphone in babble", _among_people(_browser)),
    Condition("RNNoise", _rnnoise, at_hand=microphones.has_rnnoise()),
    Condition("RNNoise in babble", _among_people(_rnnoise), at_hand=microphones.has_rnnoise()),
    Condition("loudspeaker, microphone, AMR-NB 12.2", _loudspeaker, PHONE_HZ, at_hand=codecs.AMR_122.at_hand),
    Condition("from 80 mel bands", _resynthesis),
)
CONDITIONS: dict[str, Condition] = {condition.name: condition for condition in _ALL}


def babble(samples: int, seed: int) -> Floats:
    """Six people at once, at 8 kHz."""
    mixed: Floats = np.sum(
        [someone(samples, seed + number) for number in range(_TALKERS)], axis=0, dtype=np.float32
    )
    return mixed


def someone(samples: int, seed: int) -> Floats:
    """Somebody who is not the twin, at 8 kHz, from a moment that the seed gives."""
    voices = _others()
    return air.at_length(np.roll(voices[seed % len(voices)], -7919 * (seed % 1009)), samples)


@cache
def _others() -> tuple[Floats, ...]:
    """Voices that are not scored; `_TALKERS` in a row are different ones."""
    voices = [voice for voice in TUNING if voice.at_hand and voice.engine is not Engine.PERSON]
    minutes = (corpus.floats(corpus.minute(voice, 0)) for voice in voices)
    return tuple(resample(minute, corpus.RATE_HZ, PHONE_HZ) for minute in minutes)
