"""Marking: exact whatever the chunks are, silent where it is silent, and the pattern's gains and nothing else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.errors import WatermarkError
from compliance.watermark.embedder import FADE_MS, STRENGTH_DB, TAPS_MS, Embedder, gains_db
from compliance.watermark.layout import BANDS, EDGE, HIGH_HZ, LOW_HZ, PERIOD_SLOTS, RATES_HZ, slot_samples
from compliance.watermark.pattern import whole
from tests.speech.make import load

KEY = bytes(range(32))
TOKEN = 0x1234ABCD
OVERSHOOT = 1.3
"""Between a louder and a softer band a short filter swings beyond both."""

Samples = NDArray[np.int16]


def noise(rate_hz: int, seconds: float, *, seed: int = 1, rms: float = 3000.0) -> Samples:
    sound = np.random.default_rng(seed).normal(0, rms, round(rate_hz * seconds))
    return np.clip(sound, -32768, 32767).astype(np.int16)


def speech() -> Samples:
    """At 16 kHz."""
    return np.frombuffer(load("ask_hours") + load("take_message"), np.int16)


def embedder(rate_hz: int = 16_000, *, key: bytes = KEY, token: int = TOKEN) -> Embedder:
    return Embedder(key, token, rate_hz)


def chunks(length: int, rng: np.random.Generator, longest: int) -> Iterator[slice]:
    """Of every order of magnitude, empty ones and such of one sample among them."""
    at = 0
    while at < length:
        size = int(longest ** rng.random()) if rng.random() > 0.1 else int(rng.integers(0, 2))
        yield slice(at, min(at + size, length))
        at += size


def in_chunks(marking: Embedder, sound: Samples, seed: int, *, longest: int = 20_000) -> Samples:
    parts = [marking.process(sound[part]) for part in chunks(len(sound), np.random.default_rng(seed), longest)]
    return np.concatenate(parts)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("seed", range(4))
def test_the_size_of_the_chunks_changes_no_sample(rate_hz: int, seed: int) -> None:
    sound = noise(rate_hz, 1.5, seed=seed, rms=12_000)
    whole_at_once = embedder(rate_hz).process(sound)
    np.testing.assert_array_equal(in_chunks(embedder(rate_hz), sound, seed), whole_at_once)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_chunks_of_one_sample_are_as_good_as_any(rate_hz: int) -> None:
    sound = noise(rate_hz, 0.15)
    marking = embedder(rate_hz)
    one_by_one = np.concatenate([marking.process(sound[at : at + 1]) for at in range(len(sound))])
    np.testing.assert_array_equal(one_by_one, embedder(rate_hz).process(sound))


@pytest.mark.parametrize("chunk", [1, 7, 159, 160, 161, 320, 767, 768, 769, 16_000])
def test_speech_in_chunks_of_one_size_is_the_same_speech(chunk: int) -> None:
    sound = speech()[: 300 * chunk]
    marking = embedder()
    marked = np.concatenate([marking.process(sound[at : at + chunk]) for at in range(0, len(sound), chunk)])
    np.testing.assert_array_equal(marked, embedder().process(sound))


def test_as_many_samples_come_out_as_went_in_of_the_same_kind() -> None:
    marking = embedder()
    for size in (0, 1, 320, 0, 5_000):
        marked = marking.process(noise(16_000, size / 16_000))
        assert marked.shape == (size,)
        assert marked.dtype == np.int16


def test_what_comes_in_is_left_as_it_was() -> None:
    sound = noise(16_000, 0.5)
    before = sound.copy()
    sound.setflags(write=False)
    embedder().process(sound)
    np.testing.assert_array_equal(sound, before)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_nothing_is_waited_for(rate_hz: int) -> None:
    """The first sample that sounds comes out at once, and what comes later changes nothing before it."""
    sound = noise(rate_hz, 0.4)
    sound[: rate_hz // 10] = 0
    marked = embedder(rate_hz).process(sound)
    assert np.flatnonzero(marked)[0] == np.flatnonzero(sound)[0]
    other = sound.copy()
    other[rate_hz // 4 :] = 0
    np.testing.assert_array_equal(embedder(rate_hz).process(other)[: rate_hz // 4], marked[: rate_hz // 4])


def test_streams_in_turns_are_as_streams_apart() -> None:
    """Ten at once, with keys, tokens and rates of their own, in chunks that follow each other at random."""
    rng = np.random.default_rng(7)
    made = [(bytes([n // 2 + 1]) * 32, 0x1000 * n, RATES_HZ[n % 4]) for n in range(10)]
    sounds = [noise(rate_hz, 0.8, seed=n) for n, (_, _, rate_hz) in enumerate(made)]
    streams = [Embedder(*one) for one in made]
    parts: list[list[Samples]] = [[] for _ in made]
    waiting = [list(chunks(len(sound), rng, 4_000)) for sound in sounds]
    while any(waiting):
        number = int(rng.choice([n for n, left in enumerate(waiting) if left]))
        part = waiting[number].pop(0)
        parts[number].append(streams[number].process(sounds[number][part], part.start))
    for one, sound, marked in zip(made, sounds, parts, strict=True):
        np.testing.assert_array_equal(np.concatenate(marked), Embedder(*one).process(sound))


def test_the_same_key_token_and_sound_make_the_same_mark_and_any_other_another() -> None:
    sound = speech()
    marked = embedder().process(sound)
    np.testing.assert_array_equal(embedder().process(sound), marked)
    for other in (embedder(key=bytes(32)), embedder(token=TOKEN ^ 1), embedder(token=TOKEN ^ (1 << 31))):
        assert (other.process(sound) != marked).any()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_position_says_where_in_the_pattern_a_sound_is(rate_hz: int) -> None:
    """A stream joined in its middle is, once the filter has heard enough, the stream from its beginning."""
    sound = noise(rate_hz, 2)
    marked = embedder(rate_hz).process(sound)
    for start_s in (0.1, 0.4567, 1.234):
        start, taps = round(start_s * rate_hz), rate_hz * TAPS_MS // 1000
        joined = embedder(rate_hz).process(sound[start:], start)
        np.testing.assert_array_equal(joined[taps:], marked[start + taps :])


def test_a_jump_goes_on_from_what_was_heard_with_the_pattern_of_the_new_place() -> None:
    sound = noise(16_000, 1)
    cut, to = 7_000, 123_456
    jumped = embedder()
    before = jumped.process(sound[:cut], 0)
    after = jumped.process(sound[cut:], to)
    np.testing.assert_array_equal(before, embedder().process(sound)[:cut])
    # As if all of it had been heard there.
    np.testing.assert_array_equal(after, embedder().process(sound, to - cut)[cut:])
    np.testing.assert_array_equal(jumped.process(sound[:cut]), jumped_on(sound, cut, to)[-cut:])


def jumped_on(sound: Samples, cut: int, to: int) -> Samples:
    """What follows a jump without a position, said with positions throughout."""
    marking = embedder()
    marking.process(sound[cut:], to)
    return marking.process(sound[:cut], to + len(sound) - cut)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_after_a_period_the_pattern_begins_anew(rate_hz: int) -> None:
    sound = noise(rate_hz, 0.5)
    period = PERIOD_SLOTS * slot_samples(rate_hz)
    for start in (100, slot_samples(rate_hz) * 5):
        once = embedder(rate_hz).process(sound, start + period)
        np.testing.assert_array_equal(once, embedder(rate_hz).process(sound, start + 1_000 * period))
        np.testing.assert_array_equal(
            once[rate_hz // 10 :], embedder(rate_hz).process(sound, start)[rate_hz // 10 :]
        )


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_digital_silence_stays_silent_and_what_follows_it_is_as_if_it_had_not_been(rate_hz: int) -> None:
    marking = embedder(rate_hz)
    silence, sound = np.zeros(rate_hz // 2, dtype=np.int16), noise(rate_hz, 0.5)
    assert not marking.process(silence).any()
    after = marking.process(sound)
    np.testing.assert_array_equal(after, embedder(rate_hz).process(sound, len(silence)))
    tail = marking.process(silence)
    assert not tail[rate_hz * TAPS_MS // 1000 :].any()
    assert not marking.process(silence).any()
    np.testing.assert_array_equal(
        marking.process(sound), embedder(rate_hz).process(sound, 3 * len(silence) + len(sound))
    )


def held(rate_hz: int, slot: int, sound: Samples, strength_db: float = STRENGTH_DB) -> Samples:
    """The sound through the filter of one slot, for as long as it lasts: always at the place where none fades."""
    marking = Embedder(KEY, TOKEN, rate_hz, strength_db=strength_db)
    fade, length = rate_hz * FADE_MS // 1000, slot_samples(rate_hz)
    size = length - fade
    at = slot * length + fade
    return np.concatenate([marking.process(sound[n : n + size], at) for n in range(0, len(sound), size)])


def response_db(sound: Samples, marked: Samples, rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies, and the gain at each of them; the first tenth of a second is left out."""
    size = rate_hz // 10
    window = np.hanning(size)
    pieces = [
        np.fft.rfft(
            np.lib.stride_tricks.sliding_window_view(one.astype(np.float64), size)[size :: size // 2] * window
        )
        for one in (sound, marked)
    ]
    cross = (pieces[1] * pieces[0].conj()).sum(axis=0) / np.square(np.abs(pieces[0])).sum(axis=0)
    hz = np.arange(size // 2 + 1) * rate_hz / size
    return hz, 20 * np.log10(np.abs(cross))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_noise_gets_in_every_band_and_slot_the_gain_that_the_pattern_says_and_none_outside(rate_hz: int) -> None:
    edges = np.linspace(LOW_HZ, HIGH_HZ, BANDS + 1)
    soft = EDGE * (edges[1] - edges[0])
    sound = noise(rate_hz, 2)
    signs = whole(KEY, TOKEN)
    for slot in (0, 1, 77, 300, PERIOD_SLOTS - 1):
        hz, gains = response_db(sound, held(rate_hz, slot, sound), rate_hz)
        # Between two bands it goes from the one's gain to the other's.
        inner = [gains[(hz > low + soft) & (hz < high - soft)] for low, high in pairwise(edges)]
        measured = np.array([float(band.mean()) for band in inner])
        np.testing.assert_allclose(measured, gains_db() * signs[slot], atol=0.6)
        assert np.abs(gains).max() < OVERSHOOT * STRENGTH_DB
        outside = (hz < LOW_HZ - 2 * soft) | (hz > HIGH_HZ + 2 * soft)
        assert np.abs(gains[outside]).max() < 0.3


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_one_slot_goes_over_into_the_next_evenly(rate_hz: int) -> None:
    sound, length, fade = noise(rate_hz, 0.5), slot_samples(rate_hz), rate_hz * FADE_MS // 1000
    before = length - fade
    for slot in (1, 200, PERIOD_SLOTS):
        old, new = held(rate_hz, slot - 1, sound), held(rate_hz, slot % PERIOD_SLOTS, sound)
        marked = embedder(rate_hz).process(sound, slot * length - before)
        np.testing.assert_array_equal(marked[:before], old[:before])
        share = np.arange(fade) / fade
        mixed = old[before:length] * (1 - share) + new[before:length] * share
        assert np.abs(marked[before:length] - mixed).max() <= 1.01


@pytest.mark.parametrize("strength_db", [0.0, 0.8, 3.0])
def test_the_strength_is_what_was_asked_for(strength_db: float) -> None:
    sound = noise(16_000, 1)
    _, gains = response_db(sound, held(16_000, 9, sound, strength_db=strength_db), 16_000)
    assert strength_db <= np.abs(gains).max() <= OVERSHOOT * strength_db + 0.05


@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
def test_over_a_stream_the_cells_are_louder_and_softer_as_the_pattern_says(rate_hz: int) -> None:
    """Slot by slot as a stream runs, with its fades: all of a cell points the pattern's way."""
    sound = noise(rate_hz, 10)
    marked = embedder(rate_hz).process(sound)
    length, fade = slot_samples(rate_hz), rate_hz * FADE_MS // 1000
    size = length - fade
    slots = len(sound) // length
    window = np.hanning(size)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    edges = np.linspace(LOW_HZ, HIGH_HZ, BANDS + 1)
    energies = []
    for one in (sound, marked):
        pieces = one[: slots * length].reshape(slots, length)[:, fade:].astype(np.float64)
        power = np.square(np.abs(np.fft.rfft(pieces * window)))
        energies.append([power[:, (hz >= low) & (hz < high)].sum(axis=1) for low, high in pairwise(edges)])
    gains = 10 * np.log10(np.array(energies[1]) / np.array(energies[0])).T
    signs = whole(KEY, TOKEN)[:slots]
    # So short a piece of noise leaks over into its neighbours, so a single cell says less than many do.
    assert (gains * signs > 0).mean() > 0.9
    assert float((gains * signs).mean()) == pytest.approx(STRENGTH_DB, rel=0.5)


def square(rate_hz: int, hz: int) -> Samples:
    """At full scale."""
    phase = np.arange(rate_hz) * hz // (rate_hz // 2) % 2
    return np.where(phase == 0, 32767, -32768).astype(np.int16)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("hz", [50, 440, 1000, 2500])
def test_what_is_as_loud_as_can_be_never_wraps_around(rate_hz: int, hz: int) -> None:
    sound = square(rate_hz, hz)
    marked = embedder(rate_hz).process(sound)
    np.testing.assert_array_equal(in_chunks(embedder(rate_hz), sound, hz), marked)
    # Wrapped around, a sample would be a whole range away from where it was.
    assert np.abs(marked.astype(np.int64) - sound).max() < 40_000
    assert change_db(sound, marked) == pytest.approx(0, abs=2 * STRENGTH_DB)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("level", [-32768, -20_000, -1, 1, 100, 32767])
def test_a_constant_stays_one_within_half_a_decibel(rate_hz: int, level: int) -> None:
    sound = np.full(rate_hz, level, dtype=np.int16)
    marked = embedder(rate_hz).process(sound)[rate_hz * TAPS_MS // 1000 :]
    assert (np.sign(marked) == np.sign(level)).all()
    assert np.abs(marked.astype(np.int64) - level).max() <= max(1, abs(level) * 0.05)


def test_white_noise_at_full_scale_is_clipped_not_folded() -> None:
    sound = np.random.default_rng(2).integers(-32768, 32767, 32_000, endpoint=True).astype(np.int16)
    marked = embedder().process(sound)
    assert np.corrcoef(sound, marked)[0, 1] > 0.95
    assert {int(marked.min()), int(marked.max())} == {-32768, 32767}


def change_db(sound: Samples, marked: Samples) -> float:
    before, after = (np.square(one, dtype=np.float64).mean() for one in (sound, marked))
    return float(10 * np.log10(after / before))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_faintest_sounds_stay_faint(rate_hz: int) -> None:
    sound = np.random.default_rng(3).integers(-1, 1, rate_hz, endpoint=True).astype(np.int16)
    marked = embedder(rate_hz).process(sound)
    assert np.abs(marked).max() <= 2
    assert abs(change_db(sound, marked)) < 1.5


def test_speech_keeps_its_loudness() -> None:
    sound = speech()
    assert abs(change_db(sound, embedder().process(sound))) < 0.8 * STRENGTH_DB


def test_a_long_stream_holds_no_more_memory_than_a_short_one() -> None:
    rng = np.random.default_rng(4)
    sound, marking = noise(8_000, 3), embedder(8_000)
    sizes = [1, 20, 160, 161, 320, 1_600]

    def go_on(seconds: float) -> None:
        until = round(seconds * 8_000)
        while until > 0:
            size = int(rng.choice(sizes))
            marking.process(sound[:size])
            until -= size

    go_on(3)
    tracemalloc.start()
    try:
        go_on(2)
        before, _ = tracemalloc.get_traced_memory()
        go_on(40)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 40_000


@pytest.mark.parametrize("rate_hz", [0, -8_000, 11_025, 12_000, 22_050, 44_100, 96_000])
def test_speech_at_another_rate_is_refused_in_one_line(rate_hz: int) -> None:
    with pytest.raises(WatermarkError, match=f"at {rate_hz} Hz cannot be marked; use one of") as caught:
        embedder(rate_hz)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("key", "token"), [(KEY, -1), (KEY, 1 << 32), (b"", TOKEN), (bytes(15), TOKEN)])
def test_a_token_or_a_key_that_is_none_is_refused_in_one_line(key: bytes, token: int) -> None:
    with pytest.raises(WatermarkError, match="16 bytes or more and a token of 32 bits") as caught:
        Embedder(key, token, 16_000)
    assert "\n" not in str(caught.value)
    assert KEY.hex() not in str(caught.value)


@pytest.mark.parametrize("token", [0, (1 << 32) - 1])
def test_the_first_and_the_last_token_are_tokens(token: int) -> None:
    assert embedder(token=token).process(noise(16_000, 0.1)).any()
