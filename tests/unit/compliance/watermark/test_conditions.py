"""The benchmark's conditions do to a sound what their names say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tests.bench.watermark import air, codecs, conditions, corpus, microphones, warps
from tests.bench.watermark.alarms import LEVELS, Alarms, Counted
from tests.bench.watermark.conditions import CONDITIONS, LOSS, PHONE_HZ, Condition
from tests.bench.watermark.goals import GOALS, TOKENS
from tests.bench.watermark.intervals import Share
from tests.bench.watermark.rows import alarm_rows
from tests.bench.watermark.text import LANGUAGES, sentences
from tests.bench.watermark.trials import cut
from tests.bench.watermark.voices import SCORING, TUNING
from tests.need import need, need_module
from tests.speech.make import RATE_HZ, load

Floats = npt.NDArray[np.float32]

HISS = air.white(20 * RATE_HZ, seed=1)


def said(*names: str) -> Floats:
    """At 16 kHz."""
    pcm = b"".join(load(name) for name in names)
    return corpus.floats(np.frombuffer(pcm, np.int16))


@pytest.fixture(scope="module")
def speech() -> Floats:
    return said("long_story", "ask_hours")


@pytest.fixture(autouse=True)
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever talks besides, without an engine that has to speak first."""
    voices = tuple(
        codecs.resample(said(name), RATE_HZ, PHONE_HZ)
        for name in (
            "take_message",
            "ask_price",
            "ask_address",
            "unrelated",
            "unknown",
            "over_disclosure",
            "goodbye",
        )
    )
    monkeypatch.setattr(conditions, "_others", lambda: voices)


def tone(hz: float, seconds: float = 1.0, rate_hz: int = PHONE_HZ) -> Floats:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def rms_db(sound: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.square(sound, dtype=np.float64).mean() + 1e-20))


def pitch_hz(sound: Floats, rate_hz: int) -> float:
    """Of a tone."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * rate_hz / len(sound)


def available() -> list[Condition]:
    return [condition for condition in CONDITIONS.values() if condition.at_hand]


@pytest.mark.parametrize("condition", available(), ids=lambda condition: condition.name)
def test_each_gives_sound_of_about_the_same_length_the_same_every_time_and_leaves_its_input_alone(
    condition: Condition, speech: Floats
) -> None:
    sound = codecs.resample(speech, RATE_HZ, condition.marked_hz)
    before = sound.copy()
    heard = condition.apply(sound, condition.marked_hz, 5)
    again = condition.apply(sound, condition.marked_hz, 5)
    np.testing.assert_array_equal(sound, before)
    np.testing.assert_array_equal(heard.samples, again.samples)
    assert heard.samples.dtype == np.float32
    assert np.isfinite(heard.samples).all()
    assert heard.samples.any()
    assert len(heard.samples) / heard.rate_hz == pytest.approx(len(speech) / RATE_HZ, rel=0.06, abs=0.1)


def test_every_goal_names_a_condition_and_every_condition_has_a_goal() -> None:
    assert {goal.condition for goal in (*GOALS, *TOKENS)} == set(CONDITIONS)


@pytest.mark.parametrize(
    ("hz", "least_db", "most_db"), [(150, -99, -50), (500, -0.1, 0.1), (3000, -0.1, 0.1), (3700, -99, -50)]
)
def test_the_telephone_band_keeps_what_is_inside_and_nothing_else(
    hz: float, least_db: float, most_db: float
) -> None:
    sound = tone(hz)
    kept = air.telephone_band(sound, PHONE_HZ)
    middle = slice(PHONE_HZ // 4, -PHONE_HZ // 4)
    assert least_db <= rms_db(kept[middle]) - rms_db(sound[middle]) <= most_db


@pytest.mark.parametrize(("name", "snr_db"), [
    ("white noise 20 dB", 20), ("white noise 10 dB", 10), ("babble 20 dB", 20), ("babble 10 dB", 10),
    ("both sides, talking over", 0),
])  # fmt: skip
def test_noise_is_as_far_below_what_is_active_of_the_speech_as_it_says(
    name: str, snr_db: float, speech: Floats
) -> None:
    narrow = codecs.resample(speech, RATE_HZ, PHONE_HZ)
    clean = codecs.g711(narrow, PHONE_HZ) if snr_db == 0 else narrow
    heard = CONDITIONS[name].apply(narrow, PHONE_HZ, 3)
    active_db = 20 * np.log10(corpus.active_rms(clean, PHONE_HZ))
    assert active_db - rms_db(heard.samples - clean) == pytest.approx(snr_db, abs=0.2)


def test_the_phone_chain_has_its_band_its_law_and_its_line_noise(speech: Floats) -> None:
    heard = CONDITIONS["phone chain"].apply(speech, RATE_HZ, 3)
    coded = codecs.g711(air.telephone_band(codecs.resample(speech, RATE_HZ, PHONE_HZ), PHONE_HZ), PHONE_HZ)
    assert heard.rate_hz == PHONE_HZ
    active_db = 20 * np.log10(corpus.active_rms(coded, PHONE_HZ))
    assert active_db - rms_db(heard.samples - coded) == pytest.approx(30, abs=0.2)
    quiet = CONDITIONS["phone chain"].apply(tone(100, rate_hz=RATE_HZ), RATE_HZ, 3)
    assert rms_db(quiet.samples) < -45


@pytest.mark.parametrize("name", ["mu-law", "A-law"])
def test_a_telephone_law_knows_256_levels_and_stays_near_the_speech(name: str, speech: Floats) -> None:
    heard = CONDITIONS[name].apply(speech, RATE_HZ, 0)
    narrow = codecs.resample(speech, RATE_HZ, PHONE_HZ)
    assert heard.rate_hz == PHONE_HZ
    assert len(np.unique(heard.samples)) <= 256
    assert rms_db(narrow) - rms_db(heard.samples - narrow) > 30


def test_the_two_telephone_laws_are_not_the_same(speech: Floats) -> None:
    mu, a = (CONDITIONS[name].apply(speech, RATE_HZ, 0).samples for name in ("mu-law", "A-law"))
    assert (mu != a).any()


def test_packets_are_lost_by_chance_at_the_rate_that_is_said_and_concealed() -> None:
    lost = air.lost(200_000, LOSS, seed=4)
    assert lost.mean() == pytest.approx(LOSS, abs=0.002)
    np.testing.assert_array_equal(lost, air.lost(200_000, LOSS, seed=4))
    assert (lost != air.lost(200_000, LOSS, seed=5)).any()
    sound = tone(300, 60)
    packet = PHONE_HZ * air.PACKET_MS // 1000
    heard = air.lossy(sound, PHONE_HZ, LOSS, seed=4)
    changed = (heard != sound).reshape(-1, packet).any(axis=1)
    np.testing.assert_array_equal(changed[1:], lost[1 : len(changed)])
    first = int(np.flatnonzero(lost[1:])[0]) + 1
    gap, before = (heard[number * packet : (number + 1) * packet] for number in (first, first - 1))
    assert rms_db(before) - 6 < rms_db(gap) < rms_db(before)


def test_in_turns_one_speaks_and_then_the_other_as_loud(speech: Floats) -> None:
    long = np.tile(speech, 3)
    heard = CONDITIONS["both sides, in turns"].apply(long, RATE_HZ, 1).samples
    alone = codecs.g711(long, RATE_HZ)
    same = np.array(
        [
            np.array_equal(*pair)
            for pair in zip(*(one[:80_000].reshape(-1, 20_000) for one in (heard, alone)), strict=True)
        ]
    )
    assert same.tolist() == [True, False, True, False]
    theirs = heard[20_000:40_000]
    assert 20 * np.log10(
        corpus.active_rms(theirs, PHONE_HZ) / corpus.active_rms(alone, PHONE_HZ)
    ) == pytest.approx(0, abs=4)


@pytest.mark.parametrize("speed", [1.05, 0.95, 1.02, 0.98])
def test_speed_changes_length_and_pitch_alike(speed: float) -> None:
    faster = warps.sped(tone(1000, 4), PHONE_HZ, speed)
    assert len(faster) / PHONE_HZ == pytest.approx(4 / speed, rel=1e-3)
    assert pitch_hz(faster, PHONE_HZ) == pytest.approx(1000 * speed, abs=1)


@pytest.mark.parametrize("tempo", [1.03, 0.97])
def test_tempo_changes_length_and_not_pitch(tempo: float) -> None:
    faster = warps.at_tempo(tone(1000, 4), PHONE_HZ, tempo)
    assert len(faster) / PHONE_HZ == pytest.approx(4 / tempo, rel=0.01)
    assert pitch_hz(faster, PHONE_HZ) == pytest.approx(1000, abs=2)
    middle = slice(PHONE_HZ, 2 * PHONE_HZ)
    assert rms_db(faster[middle]) == pytest.approx(rms_db(tone(1000)), abs=0.5)


def test_a_pace_of_one_is_the_same_sound(speech: Floats) -> None:
    same = warps.at_tempo(speech, RATE_HZ, 1.0)
    count = len(same) - RATE_HZ // 10
    middle = slice(RATE_HZ // 10, count)
    np.testing.assert_allclose(same[middle], speech[middle], atol=1e-4)


def test_from_mel_bands_the_spectrum_is_kept_and_the_waveform_is_not(speech: Floats) -> None:
    made = warps.from_mel(speech, RATE_HZ)
    bands = [np.abs(np.fft.rfft(one))[: len(one) // 4].reshape(-1) for one in (speech, made)]
    shapes = [np.log(np.square(np.array_split(band, 20)[number]).sum()) for band in bands for number in range(20)]
    assert np.corrcoef(shapes[:20], shapes[20:])[0, 1] > 0.95
    assert abs(np.corrcoef(speech, made)[0, 1]) < 0.5


def test_a_room_answers_for_a_third_of_a_second() -> None:
    click = np.zeros(PHONE_HZ, np.float32)
    click[100] = 1
    room = air.in_a_room(click, PHONE_HZ, seed=1)
    assert room[100] == pytest.approx(1, abs=1e-4)
    tail = room[101:]
    assert rms_db(tail) + 10 * np.log10(len(tail)) == pytest.approx(-3, abs=0.1)
    early, late = rms_db(tail[:200]), rms_db(tail[2000:2200])
    assert early - late == pytest.approx(60 * 2000 / (0.3 * PHONE_HZ), abs=3)


def test_a_browser_puts_noise_further_below_the_voice(speech: Floats) -> None:
    sound = air.with_noise(np.concatenate([np.zeros(3 * RATE_HZ, np.float32), speech]), HISS, 20, RATE_HZ)
    heard = microphones.browser(sound, RATE_HZ)
    hiss, voice = slice(2 * RATE_HZ, 3 * RATE_HZ), slice(4 * RATE_HZ, 6 * RATE_HZ)
    before, after = (rms_db(one[voice]) - rms_db(one[hiss]) for one in (sound, heard))
    assert after > before + 6


def test_rnnoise_leaves_of_noise_nothing_and_keeps_the_voice(speech: Floats) -> None:
    need_module("pyrnnoise")
    hiss = np.float32(0.01) * HISS[: 2 * RATE_HZ]
    assert rms_db(microphones.rnnoise(hiss, RATE_HZ)[microphones.RNNOISE_HZ :]) < rms_db(hiss) - 20
    heard = codecs.resample(microphones.rnnoise(speech, RATE_HZ), microphones.RNNOISE_HZ, RATE_HZ)
    assert rms_db(heard) == pytest.approx(rms_db(speech), abs=3)


def test_a_vocoder_keeps_the_loudness_and_not_the_waveform(speech: Floats) -> None:
    need("c2enc")
    narrow = codecs.resample(speech, RATE_HZ, PHONE_HZ)
    heard = codecs.codec2(speech, RATE_HZ, "3200")
    assert len(heard) == pytest.approx(len(narrow), abs=PHONE_HZ // 25)
    assert rms_db(heard) == pytest.approx(rms_db(narrow), abs=4)
    same = np.corrcoef(heard[: len(narrow)], narrow[: len(heard)])[0, 1]
    assert abs(same) < 0.5


def test_gain_is_a_gain_and_polarity_turns_the_sound_over(speech: Floats) -> None:
    soft = (speech / 4).astype(np.float32)
    for name, gain_db in (("gain -20 dB", -20), ("gain +6 dB", 6)):
        heard = CONDITIONS[name].apply(soft, RATE_HZ, 0).samples
        assert rms_db(heard) - rms_db(soft) == pytest.approx(gain_db, abs=0.1)
    np.testing.assert_array_equal(CONDITIONS["polarity"].apply(speech, RATE_HZ, 0).samples, -speech)


def test_pieces_share_no_sample_and_lie_anywhere() -> None:
    sound = np.arange(1000, dtype=np.float32)
    pieces = list(cut(sound, 150, 6, drawn=3))
    assert [len(piece) for piece in pieces] == [150] * 6
    assert all(first[-1] < second[0] for first, second in pairwise(pieces))
    assert [piece[0] for piece in pieces] != [piece[0] for piece in cut(sound, 150, 6, drawn=4)]
    assert list(cut(sound, 1001, 1, drawn=3)) == []


def test_no_voice_is_tuned_on_and_scored() -> None:
    assert not {voice.name for voice in TUNING} & {voice.name for voice in SCORING}
    assert not {voice.source for voice in TUNING} & {voice.source for voice in SCORING}
    assert len(TUNING) + len(SCORING) >= 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_is_the_same_for_a_seed_and_seldom_said_twice(language: str) -> None:
    first, same, other = (
        [next(talk) for _ in range(300)] for talk in map(sentences, [language] * 3, ["a", "a", "b"])
    )
    assert first == same
    assert first != other
    assert len(set(first)) > 150
    assert not [sentence for sentence in first if "{" in sentence]


@pytest.mark.parametrize(("count", "of", "low", "high"), [
    (0, 100, 0.0, 0.03622), (100, 100, 0.96378, 1.0), (95, 100, 0.88717, 0.98357), (8, 10, 0.44390, 0.97479),
    (0, 3_000_000, 0.0, 1.22963e-6),
])  # fmt: skip
def test_intervals_are_those_of_clopper_and_pearson(count: int, of: int, low: float, high: float) -> None:
    share = Share(count, of)
    assert share.low == pytest.approx(low, rel=1e-4)
    assert share.high == pytest.approx(high, rel=1e-4)


@pytest.mark.parametrize(("pairs", "alarms_seen", "holds"), [
    (17_400, 0, None), (4_000_000, 0, True), (4_000_000, 2, None), (4_000_000, 5, False),
])  # fmt: skip
def test_no_alarm_among_few_pairs_proves_nothing_yet(pairs: int, alarms_seen: int, holds: bool | None) -> None:
    counted = Alarms()
    counted.unmarked.pairs = pairs
    counted.unmarked.at_most[-1] = alarms_seen
    all_keys = alarm_rows(counted)[0]
    assert all_keys.holds is holds
    assert all_keys.measured == f"{alarms_seen} of {pairs} pairs"


def test_p_values_are_counted_where_they_are_at_most_a_level() -> None:
    counted = Counted()
    counted.add(np.array([0.5, 0.1, 2e-3, 1e-6]), seconds=10)
    counted.add(np.array([5e-6]), seconds=10)
    assert dict(zip(LEVELS, counted.at_most.tolist(), strict=True)) == {
        0.1: 4, 0.01: 3, 0.001: 2, 1e-4: 2, 1e-5: 2, 1e-6: 1,
    }  # fmt: skip
    assert (counted.pairs, counted.clips, counted.seconds, counted.least) == (5, 2, 20, 1e-6)
    assert counted.alarms == 1
