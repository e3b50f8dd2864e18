"""From the embedder through a telephone to a verdict: found, when, in which call, how fast; never by mistake."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from compliance.watermark.detector import FALSE_ALARM, Detector, Finding
from compliance.watermark.embedder import Embedder
from compliance.watermark.keys import DayKey
from compliance.watermark.layout import RATES_HZ
from tests.bench.watermark.warps import at_tempo, sped
from tests.speech.make import RATE_HZ, TABLE, load

PHONE_HZ = 8_000
DAYS = tuple(DayKey(date(2026, 11, 22 - n), 3 - n % 2, bytes([n + 1]) * 32) for n in range(6))
TODAY, YESTERDAY = DAYS[0], DAYS[1]
TOKEN, OTHER_TOKEN = 0xBEEF1234, 0x00C0FFEE
HARDLY_SPEECH = ("mhm", "alpha", "tango")
"""A murmur, and the same words again and again."""

Sound = NDArray[np.float32]
Samples = NDArray[np.int16]
Heard = TypeVar("Heard", Sound, Samples)


def said(rate_hz: int) -> Samples:
    """30 s of one voice."""
    pcm = np.frombuffer(b"".join(load(name) for name in TABLE if name not in HARDLY_SPEECH), np.int16)
    return pcm if rate_hz == RATE_HZ else soxr.resample(pcm, RATE_HZ, rate_hz)


def marked(rate_hz: int = PHONE_HZ, *, day: DayKey = TODAY, token: int = TOKEN, position: int = 0) -> Samples:
    return Embedder(day.key, token, rate_hz).process(said(rate_hz), position)


def phoned(sound: Samples) -> Sound:
    """Mu-law and back: the continuous law of G.711, in 255 steps."""
    level = sound.astype(np.float64) / 32768
    coded = np.rint(127 * np.sign(level) * np.log1p(255 * np.abs(level)) / np.log(256)) / 127
    heard: Sound = (np.sign(coded) * (256 ** np.abs(coded) - 1) / 255).astype(np.float32)
    return heard


def cut(sound: Heard, first_s: float, last_s: float, rate_hz: int = PHONE_HZ) -> Heard:
    return sound[round(first_s * rate_hz) : round(last_s * rate_hz)]


@pytest.fixture(scope="module")
def plain() -> Sound:
    """What the phone makes of the voice."""
    return phoned(said(PHONE_HZ))


@pytest.fixture(scope="module")
def call() -> Sound:
    """What it makes of the twin's."""
    return phoned(marked())


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(DAYS[:3])


def assert_today(finding: Finding, *, length_s: float) -> None:
    """Found once, all of it, as spoken."""
    assert finding.found
    (region,) = finding.regions
    assert finding.p_value <= region.p_value <= FALSE_ALARM
    assert (region.day, region.generation) == (TODAY.day, TODAY.generation)
    assert region.start_s == pytest.approx(0, abs=1)
    assert region.end_s == pytest.approx(length_s, abs=1)
    assert 0 <= region.start_s < region.end_s <= length_s
    assert (region.speed, region.tempo) == (1.0, 1.0)


def assert_nothing(finding: Finding) -> None:
    assert not finding.found
    assert finding.regions == ()
    assert FALSE_ALARM < finding.p_value <= 1


@pytest.mark.parametrize("first_s", [0.0, 7.7, 11.0, 13.31, 19.999])
@pytest.mark.parametrize("length_s", [3, 5])
def test_a_few_seconds_of_a_phone_call_are_found_wherever_they_begin(
    call: Sound, detector: Detector, first_s: float, length_s: float
) -> None:
    finding = detector.detect(cut(call, first_s, first_s + length_s), PHONE_HZ)
    assert finding.found
    (region,) = finding.regions
    assert (region.day, region.generation) == (TODAY.day, TODAY.generation)
    assert region.short in (None, TOKEN >> 16)
    assert region.full in (None, TOKEN)
    assert 0 <= region.start_s < region.end_s <= length_s


@pytest.mark.parametrize("first_s", [0.0, 4.567, 11.003, 18.8])
def test_ten_seconds_tell_the_first_half_of_the_token(call: Sound, detector: Detector, first_s: float) -> None:
    finding = detector.detect(cut(call, first_s, first_s + 10), PHONE_HZ)
    assert_today(finding, length_s=10)
    assert finding.regions[0].short == TOKEN >> 16
    assert finding.regions[0].full in (None, TOKEN)


def test_all_of_a_call_tells_all_of_the_token(call: Sound, detector: Detector) -> None:
    finding = detector.detect(call, PHONE_HZ)
    assert_today(finding, length_s=len(call) / PHONE_HZ)
    assert finding.regions[0].full == TOKEN


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_it_is_found_in_what_was_marked_at_any_rate(detector: Detector, rate_hz: int) -> None:
    sound = cut(marked(rate_hz), 3, 13, rate_hz)
    assert_today(detector.detect(sound.astype(np.int16), rate_hz), length_s=10)


def test_it_is_found_in_any_hour_of_a_call(detector: Detector) -> None:
    for hours in (0.3, 1.0, 23.7):
        sound = marked(position=round(hours * 3600 * PHONE_HZ) + 17)
        finding = detector.detect(cut(phoned(sound), 5, 15), PHONE_HZ)
        assert_today(finding, length_s=10)
        assert finding.regions[0].short == TOKEN >> 16


@pytest.mark.parametrize("gain", [-1.0, 0.03, 0.5, 20.0])
def test_loudness_and_polarity_do_not_matter(call: Sound, detector: Detector, gain: float) -> None:
    assert_today(detector.detect(np.float32(gain) * cut(call, 5, 15), PHONE_HZ), length_s=10)


def test_whole_numbers_and_fractions_are_the_same_sound(detector: Detector) -> None:
    sound = cut(marked(), 5, 10).astype(np.int16)
    assert detector.detect(sound, PHONE_HZ) == detector.detect((sound / 32768).astype(np.float32), PHONE_HZ)


def test_the_sound_is_left_as_it_was(call: Sound, detector: Detector) -> None:
    for sound in (cut(call, 5, 8).astype(np.float32), cut(marked(), 5, 8).astype(np.int16)):
        sound[100] = 0 if sound.dtype == np.int16 else np.nan
        before = sound.copy()
        sound.setflags(write=False)
        detector.detect(sound, PHONE_HZ)
        np.testing.assert_array_equal(sound, before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_nothing(detector: Detector, value: float) -> None:
    assert detector.detect(np.full(PHONE_HZ, value, np.float32), PHONE_HZ) == Finding(False, 1.0, ())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_holes_in_a_call_do_not_hide_it(call: Sound, detector: Detector, value: float) -> None:
    sound = cut(call, 5, 15).astype(np.float32)
    sound[::4_001] = value
    sound[30_000:34_000] = value
    assert_today(detector.detect(sound, PHONE_HZ), length_s=10)


@pytest.mark.parametrize("value", [3e38, 1e30, 1e19, -1e12])
def test_a_sample_that_is_absurdly_loud_hides_no_more_than_its_surroundings(
    call: Sound, detector: Detector, value: float
) -> None:
    sound = cut(call, 2, 32).astype(np.float32)
    sound[1_000] = value
    finding = detector.detect(sound, PHONE_HZ)
    assert finding.found
    assert finding.regions[0].day == TODAY.day


@pytest.mark.parametrize("samples", [0, 1, 63, 191, 192, 255, 383, 500, 575, 576, 1_000, 4_000])
def test_too_short_is_not_found_and_no_error(call: Sound, detector: Detector, samples: int) -> None:
    assert_nothing(detector.detect(call[40_000 : 40_000 + samples], PHONE_HZ))
    features = detector.features(call[40_000 : 40_000 + samples], PHONE_HZ)
    assert (detector.search_keys(features, [day.key for day in DAYS]) > FALSE_ALARM).all()


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100])
def test_an_empty_sound_at_any_rate_is_nothing(detector: Detector, rate_hz: int) -> None:
    assert detector.detect(np.zeros(0, np.int16), rate_hz) == Finding(False, 1.0, ())


@pytest.mark.parametrize("seconds", [1, 4])
def test_silence_is_nothing(detector: Detector, seconds: int) -> None:
    assert detector.detect(np.zeros(seconds * PHONE_HZ, np.int16), PHONE_HZ) == Finding(False, 1.0, ())


@pytest.mark.parametrize("kind", ["noise", "tone", "clicks", "constant", "square"])
def test_other_sounds_are_nothing_either(detector: Detector, kind: str) -> None:
    at = np.arange(6 * PHONE_HZ)
    sound = {
        "noise": np.random.default_rng(2).standard_normal(len(at)),
        "tone": np.sin(at * 0.7),
        "clicks": at % 384 == 0,
        "constant": np.ones(len(at)),
        "square": at // 10 % 2,
    }[kind]
    assert_nothing(detector.detect(0.3 * sound.astype(np.float32), PHONE_HZ))


def test_a_voice_that_is_not_marked_is_not_found(plain: Sound, detector: Detector) -> None:
    assert_nothing(detector.detect(cut(plain, 0, 9), PHONE_HZ))


def test_with_the_wrong_keys_nothing_is_found(call: Sound) -> None:
    assert_nothing(Detector(DAYS[1:4]).detect(cut(call, 0, 10), PHONE_HZ))


def test_without_a_key_nothing_is_found(call: Sound) -> None:
    assert Detector([]).detect(cut(call, 0, 5), PHONE_HZ) == Finding(False, 1.0, ())


@pytest.mark.parametrize("place", [0, 3, 5])
def test_the_right_one_of_several_keys_is_found(call: Sound, place: int) -> None:
    keys = [*DAYS[1:]]
    keys.insert(place, TODAY)
    assert_today(Detector(keys).detect(cut(call, 6, 16), PHONE_HZ), length_s=10)


def test_more_keys_are_more_looks_and_a_key_twice_is_one(call: Sound) -> None:
    sound = cut(call, 6, 11)
    alone, twice, among = (
        Detector(keys).detect(sound, PHONE_HZ) for keys in ([TODAY], [TODAY, TODAY], [*DAYS[1:], TODAY])
    )
    assert alone == twice
    assert among.p_value == pytest.approx(len(DAYS) * alone.p_value, rel=1e-3)


def test_two_calls_in_one_recording_are_two_regions_with_their_days_and_tokens(detector: Detector) -> None:
    spliced = np.concatenate((
        cut(phoned(marked()), 1.0, 15.0),
        cut(phoned(marked(day=YESTERDAY, token=OTHER_TOKEN)), 15.0, 29.0),
    ))  # fmt: skip
    finding = detector.detect(spliced.astype(np.float32), PHONE_HZ)
    first, second = finding.regions
    assert [first.day, second.day] == [TODAY.day, YESTERDAY.day]
    assert [first.short, second.short] == [TOKEN >> 16, OTHER_TOKEN >> 16]
    assert [first.generation, second.generation] == [TODAY.generation, YESTERDAY.generation]
    assert first.start_s == pytest.approx(0, abs=1)
    assert first.end_s == pytest.approx(14, abs=1)
    assert second.start_s == pytest.approx(14, abs=1)
    assert second.end_s == pytest.approx(28, abs=1)


@pytest.mark.parametrize("day", [TODAY, YESTERDAY])
def test_two_calls_within_half_a_minute_are_two_regions_too(detector: Detector, day: DayKey) -> None:
    """Also where the longest window holds both."""
    other = phoned(marked(day=day, token=OTHER_TOKEN, position=77_777))
    spliced = np.concatenate((cut(phoned(marked()), 1.0, 11.0), cut(other, 11.0, 20.0)))
    first, second = detector.detect(spliced, PHONE_HZ).regions
    assert [first.day, second.day] == [TODAY.day, day.day]
    assert first.end_s == pytest.approx(10, abs=1)
    assert second.start_s == pytest.approx(10, abs=1)


def test_two_calls_of_one_day_are_two_regions_too(detector: Detector) -> None:
    spliced = np.concatenate((
        cut(phoned(marked()), 1.0, 15.0),
        cut(phoned(marked(token=OTHER_TOKEN, position=99_999)), 15.0, 29.0),
    ))  # fmt: skip
    first, second = detector.detect(spliced.astype(np.float32), PHONE_HZ).regions
    assert [first.short, second.short] == [TOKEN >> 16, OTHER_TOKEN >> 16]
    assert first.end_s == pytest.approx(14, abs=1)
    assert second.start_s == pytest.approx(14, abs=1)


@pytest.mark.parametrize(
    ("first_s", "last_s", "beside"), [(0.0, 6.0, "silence"), (9.5, 17.0, "voice"), (20.0, 30.0, "silence")]
)
def test_the_times_of_a_region_are_those_of_what_is_marked(
    call: Sound, plain: Sound, detector: Detector, first_s: float, last_s: float, beside: str
) -> None:
    sound = (plain if beside == "voice" else 0 * plain).copy()
    part = slice(round(first_s * PHONE_HZ), round(last_s * PHONE_HZ))
    sound[part] = call[part]
    (region,) = detector.detect(sound, PHONE_HZ).regions
    assert region.start_s == pytest.approx(first_s, abs=1)
    assert region.end_s == pytest.approx(last_s, abs=1)


@pytest.mark.parametrize("before_s", [25.1, 26.0])
def test_the_last_seconds_of_a_long_recording_are_searched_like_the_first(
    call: Sound, plain: Sound, detector: Detector, before_s: float
) -> None:
    sound = np.concatenate((cut(plain, 0, before_s), cut(call, 13.0, 16.5))).astype(np.float32)
    (region,) = detector.detect(sound, PHONE_HZ).regions
    assert region.start_s == pytest.approx(before_s, abs=1)
    assert region.end_s == pytest.approx(before_s + 3.5, abs=1)


@pytest.mark.parametrize("speed", [1.03, 0.97])
def test_played_faster_or_slower_it_is_found_and_said_by_how_much(
    call: Sound, detector: Detector, speed: float
) -> None:
    sound = sped(cut(call, 5, 15).astype(np.float32), PHONE_HZ, speed)
    (region,) = detector.detect(sound, PHONE_HZ).regions
    assert region.day == TODAY.day
    assert region.speed == pytest.approx(speed, abs=0.003)
    assert region.tempo == 1.0
    assert region.short in (None, TOKEN >> 16)
    assert region.end_s == pytest.approx(10 / speed, abs=1)


@pytest.mark.parametrize("seconds", [3.0, 4.5, 10.0])
def test_as_spoken_is_not_said_to_be_a_little_faster(call: Sound, detector: Detector, seconds: float) -> None:
    for begin_s in (0.5, 5.0, 8.3):
        heard = cut(call, begin_s, begin_s + seconds).astype(np.float32)
        for region in detector.detect(heard, PHONE_HZ).regions:
            assert (region.speed, region.tempo) == (1.0, 1.0)


def test_what_was_sped_up_is_found_beside_what_was_not(call: Sound, detector: Detector) -> None:
    sound = cut(call, 5, 17).astype(np.float32)
    pieces = (sound, np.zeros(PHONE_HZ, np.float32), sped(sound, PHONE_HZ, 1.04))
    first, second = detector.detect(np.concatenate(pieces), PHONE_HZ).regions
    assert first.speed == 1.0
    assert second.speed == pytest.approx(1.04, abs=0.003)
    assert second.start_s == pytest.approx(13, abs=2)


@pytest.mark.parametrize("tempo", [1.03, 0.97])
def test_stretched_at_its_pitch_it_is_found_and_said_by_how_much(
    call: Sound, detector: Detector, tempo: float
) -> None:
    sound = at_tempo(cut(call, 5, 17).astype(np.float32), PHONE_HZ, tempo)
    (region,) = detector.detect(sound, PHONE_HZ).regions
    assert region.day == TODAY.day
    assert region.tempo == pytest.approx(tempo, abs=0.003)
    assert region.speed == 1.0
    assert region.short in (None, TOKEN >> 16)


def test_each_key_alone_and_all_of_them_say_the_same(call: Sound, plain: Sound) -> None:
    detector = Detector([TODAY])
    for sound in (cut(plain, 0, 3), cut(call, 6, 9)):
        features = detector.features(sound.astype(np.float32), PHONE_HZ)
        (alone,) = detector.search_keys(features, [TODAY.key])
        assert alone == pytest.approx(detector.detect(sound.astype(np.float32), PHONE_HZ).p_value, rel=1e-3)


def test_the_right_key_stands_out_among_hundreds(call: Sound, detector: Detector) -> None:
    keys = [number.to_bytes(32, "big") for number in range(200)]
    keys[123] = TODAY.key
    found = detector.search_keys(detector.features(cut(call, 6, 10).astype(np.float32), PHONE_HZ), keys)
    assert found[123] < FALSE_ALARM
    assert np.delete(found, 123).min() > FALSE_ALARM


def test_of_wrong_keys_no_more_look_right_than_the_p_value_says(
    call: Sound, plain: Sound, detector: Detector
) -> None:
    """Over the whole search, in a marked and an unmarked voice and in noise: 2,000 pairs."""
    noise = 0.1 * np.random.default_rng(3).standard_normal(3 * PHONE_HZ)
    rng = np.random.default_rng(4)
    found = np.concatenate([
        detector.search_keys(
            detector.features(sound.astype(np.float32), PHONE_HZ), [rng.bytes(32) for _ in range(250)]
        )
        for sound in (cut(call, 6, 9), cut(plain, 9, 12), cut(plain, 18, 21), noise)
        for _ in range(2)
    ])  # fmt: skip
    assert found.min() > 0
    for limit in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001):
        most = limit * len(found)
        assert (found <= limit).sum() <= most + 4 * np.sqrt(most)
    assert found.min() > FALSE_ALARM
