"""What makes a voice somebody's, in a few numbers: pitch, its range, pace and timbre. Pure, numpy only.

Measured from a sample of speech, of the owner or of a built-in voice that is to come near it; the same measure on
both sides is what makes them comparable.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from compliance.errors import PersonaError
from persona.voice.pitch import is_voiced, periodicity, pitches, thinned

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BANDS_HZ: tuple[float, ...] = (
    100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400,
    7700,
)  # fmt: skip
"""Edges of the 20 bands of the timbre: the Bark scale."""
_HOP_MS, _FRAME_MS = 10, 40
_PAUSE_MS = 200
_SPEECH_BELOW_PEAK_DB = 28.0
_NUCLEUS_DIP_DB, _NUCLEUS_BELOW_PEAK_DB = 1.5, 22.0
_SHORTEST_S = 1.0


@dataclass(frozen=True, slots=True)
class VoiceShape:
    """A voice in numbers; None is unknown."""

    pitch_hz: float | None
    """Geometric mean of the fundamental frequency."""
    range_semitones: float | None
    """From the 5th to the 95th percentile of the pitch."""
    pace_hz: float | None
    """Syllable nuclei per second of speech, pauses left out."""
    timbre_db: tuple[float | None, ...]
    """Level in each band of `BANDS_HZ`, around a mean of zero; None above what the recording holds."""
    tract_cm: float | None
    """The length of the vocal tract that the formants would fit."""
    speech_s: float
    """How much speech it was measured from."""

    def as_toml(self) -> str:
        """The shape as a table `[shape]`; what is unknown is left out."""
        lines = ["[shape]"]
        for key in ("pitch_hz", "range_semitones", "pace_hz", "tract_cm", "speech_s"):
            if (value := getattr(self, key)) is not None:
                lines.append(f"{key} = {value:.3f}")
        # TOML has no null; a level nobody measured is `nan`.
        levels = ", ".join("nan" if level is None else f"{level:.2f}" for level in self.timbre_db)
        return "\n".join([*lines, f"timbre_db = [{levels}]"]) + "\n"

    @classmethod
    def from_table(cls, table: dict[str, object]) -> VoiceShape:
        """The table that `as_toml` wrote. Raises `PersonaError`."""
        try:
            levels = [float(level) for level in table["timbre_db"]]  # type: ignore[attr-defined]
            numbers = {key: float(value) for key, value in table.items() if key != "timbre_db"}  # type: ignore[arg-type]
            shape = cls(
                numbers.get("pitch_hz"), numbers.get("range_semitones"), numbers.get("pace_hz"),
                tuple(None if np.isnan(level) else level for level in levels), numbers.get("tract_cm"),
                numbers.get("speech_s", 0.0),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            raise PersonaError("the voice's shape is damaged; run `twin enroll voice` again") from None
        if len(shape.timbre_db) != len(BANDS_HZ) - 1:
            raise PersonaError("the voice's shape is of another version; run `twin enroll voice` again")
        return shape


def measure(samples: npt.NDArray[np.float32] | npt.NDArray[np.int16], rate_hz: int) -> VoiceShape:
    """The shape of a mono recording, float in -1..1 or int16, of at least 8 kHz.

    What a second of speech cannot show is None. Raises `ValueError` for another shape or rate.
    """
    if samples.ndim != 1 or rate_hz < 8000:
        raise ValueError("a voice is measured from mono audio of at least 8 kHz")
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    audio = samples.astype(np.float64) / scale
    frames = _frames(audio, rate_hz)
    if not len(frames):
        return _unknown(0.0)
    levels_db = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    sounding, spoken = _speech(levels_db)
    speech_s = float(np.sum(spoken)) * _HOP_MS / 1000
    if speech_s < _SHORTEST_S:
        return _unknown(speech_s)
    thin, thin_hz = thinned(frames, rate_hz)
    periods = periodicity(thin, sounding, thin_hz)
    pitches_hz = pitches(periods, thin_hz)
    voiced = pitches_hz > 0
    pitch_hz = range_semitones = None
    if np.sum(voiced) * _HOP_MS >= 300:
        semitones = 12 * np.log2(pitches_hz[voiced])
        pitch_hz = float(2 ** (np.mean(semitones) / 12))
        range_semitones = float(np.percentile(semitones, 95) - np.percentile(semitones, 5))
    loud = sounding & (levels_db > np.percentile(levels_db[sounding], 30))
    return VoiceShape(
        pitch_hz=pitch_hz,
        range_semitones=range_semitones,
        pace_hz=_pace(audio, rate_hz, spoken, is_voiced(periods, thin_hz)),
        timbre_db=_timbre(frames[loud], rate_hz),
        tract_cm=_tract(frames[voiced & loud], rate_hz),
        speech_s=speech_s,
    )


def _unknown(speech_s: float) -> VoiceShape:
    return VoiceShape(None, None, None, (None,) * (len(BANDS_HZ) - 1), None, speech_s)


def _frames(audio: Floats, rate_hz: int) -> Floats:
    """Overlapping frames, one row each, each without its constant part."""
    size, hop = rate_hz * _FRAME_MS // 1000, rate_hz * _HOP_MS // 1000
    if len(audio) < size:
        return np.zeros((0, size))
    frames = np.lib.stride_tricks.sliding_window_view(audio, size)[::hop]
    return np.asarray(frames - np.mean(frames, axis=1, keepdims=True))


def _speech(levels_db: Floats) -> tuple[Mask, Mask]:
    """Which frames sound, being not far below the loud ones, and the same with gaps filled that are no pause."""
    peak = float(np.percentile(levels_db, 95))
    floor = float(np.percentile(levels_db, 5))
    # A noisy room lies close below the speech, and would count as speech of a quiet speaker.
    border = max(peak - _SPEECH_BELOW_PEAK_DB, floor + 0.3 * (peak - floor), -60.0)
    sounding = levels_db > border
    spoken = sounding.copy()
    inside = np.flatnonzero(sounding)
    for before, after in pairwise(inside):
        if 1 < after - before <= _PAUSE_MS // _HOP_MS:
            spoken[before:after] = True
    return sounding, spoken


def _pace(audio: Floats, rate_hz: int, spoken: Mask, voiced: Mask) -> float | None:
    """Syllable nuclei per second: voiced peaks of the level between 300 and 3300 Hz with a dip on either side
    (after de Jong and Wempe, 2009)."""
    level_db = _syllable_level(audio, rate_hz, len(spoken))
    floor_db = float(np.percentile(level_db[spoken], 90)) - _NUCLEUS_BELOW_PEAK_DB
    nuclei = peak_at = 0
    low_db, peak_db = float("inf"), -float("inf")
    for index in np.flatnonzero(spoken):
        now_db = float(level_db[index])
        if now_db > peak_db:
            peak_db, peak_at = now_db, int(index)
        if peak_db - now_db >= _NUCLEUS_DIP_DB:
            rose = peak_db - low_db >= _NUCLEUS_DIP_DB and peak_db > floor_db
            nuclei += bool(rose and voiced[max(0, peak_at - 4) : peak_at + 5].any())
            low_db = peak_db = now_db
        if now_db < low_db:
            low_db = peak_db = now_db
    seconds = float(np.sum(spoken)) * _HOP_MS / 1000
    return nuclei / seconds if nuclei >= 3 else None


def _syllable_level(audio: Floats, rate_hz: int, frames: int) -> Floats:
    """The level of each frame between 300 and 3300 Hz, smooth enough that a syllable has one peak."""
    length = 1 << len(audio).bit_length()
    hertz = np.fft.rfftfreq(length, 1 / rate_hz)
    passed = (hertz > 300) & (hertz < 3300)
    band = np.fft.irfft(np.fft.rfft(audio, length) * passed, length)[: len(audio)]
    power = np.concatenate([[0.0], np.cumsum(band**2)])
    half = rate_hz * _FRAME_MS // 2000
    centres = np.arange(frames) * (rate_hz * _HOP_MS // 1000) + half
    inside = power[np.minimum(centres + half, len(audio))] - power[np.maximum(centres - half, 0)]
    window = np.hanning(5)
    return np.convolve(10 * np.log10(inside / (2 * half) + 1e-12), window / np.sum(window), "same")


def _timbre(frames: Floats, rate_hz: int) -> tuple[float | None, ...]:
    """The long-term spectrum in bands: the mean power density of the louder frames."""
    size = frames.shape[1]
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2, axis=0)
    hertz = np.fft.rfftfreq(size, 1 / rate_hz)
    levels: list[float | None] = []
    for low, high in pairwise(BANDS_HZ):
        inside = (hertz >= low) & (hertz < high)
        known = high <= 0.485 * rate_hz and inside.any()
        levels.append(10 * float(np.log10(np.mean(power[inside]) + 1e-15)) if known else None)
    known_db = [level for level in levels if level is not None]
    middle = sum(known_db) / len(known_db) if known_db else 0.0
    return tuple(None if level is None else level - middle for level in levels)


def _tract(frames: Floats, rate_hz: int) -> float | None:
    """The tract length from the spacing of the formants, by linear prediction of the voiced frames."""
    if len(frames) < 30:
        return None
    chosen = frames[:: max(1, len(frames) // 250)]
    used_hz = rate_hz
    if rate_hz > 11000:
        chosen, used_hz = _halved(chosen, rate_hz)
    order = 2 + 2 * round(used_hz / 2 / 1000)
    spacings: list[float] = []
    for frame in chosen:
        formants = _formants(frame, used_hz, order)
        # The third and fourth depend least on the vowel.
        for number in (3, 4):
            if len(formants) >= number and formants[number - 1] < 0.46 * used_hz:
                spacings.append(formants[number - 1] / (number - 0.5))
    if len(spacings) < 30:
        return None
    return float(35000.0 / (2 * np.median(spacings)))


def _halved(frames: Floats, rate_hz: int) -> tuple[Floats, int]:
    """Frames at about 10 kHz, by cutting their spectra."""
    size = frames.shape[1]
    new = round(size * 10000 / rate_hz)
    spectrum = np.fft.rfft(frames * np.hanning(size), axis=1)[:, : new // 2 + 1]
    return np.fft.irfft(spectrum, new, axis=1), 10000


def _formants(frame: Floats, rate_hz: int, order: int) -> list[float]:
    """Formants of one frame in hertz, by linear prediction."""
    sharp = np.append(frame[0], frame[1:] - 0.97 * frame[:-1]) * np.hamming(len(frame))
    same = np.correlate(sharp, sharp, "full")[len(sharp) - 1 : len(sharp) + order]
    if same[0] <= 0:
        return []
    index = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))
    matrix = same[index] + np.eye(order) * same[0] * 1e-6
    roots = np.roots(np.append(1.0, -np.linalg.solve(matrix, same[1:])))
    roots = roots[np.imag(roots) > 0]
    hertz = np.angle(roots) * rate_hz / (2 * np.pi)
    widths = -np.log(np.abs(roots) + 1e-9) * rate_hz / np.pi
    return sorted(float(f) for f, width in zip(hertz, widths, strict=True) if f > 180 and width < 500)
