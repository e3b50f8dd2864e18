"""What is said of recordings: a good one passes, and what was done to another is found and told in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from persona.voice import quality
from persona.voice.activity import activity
from persona.voice.checks import Check, Verdict, check_recording, check_together, worst
from persona.voice.sound import Sound, joined, read
from tests.unit.persona.voice.voices import (
    RATE_HZ,
    another,
    assets,
    by_telephone,
    in_a_room,
    overdriven,
    owner,
    part,
    speakers,
    with_noise,
)

Change = Callable[[Sound], Sound]


def named(checks: tuple[Check, ...], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def unwell(checks: tuple[Check, ...]) -> dict[str, Verdict]:
    return {check.name: check.verdict for check in checks if check.verdict != "ok"}


def test_a_good_recording_has_nothing_to_complain_of() -> None:
    checks = check_recording(owner()) + check_together([owner(), owner()])
    assert unwell(checks) == {}
    assert all(check.advice == "" for check in checks)
    assert worst(checks) == "ok"


@pytest.mark.parametrize(
    ("name", "change", "verdict"),
    [
        ("noise", lambda sound: with_noise(sound, snr_db=20), "warn"),
        ("noise", lambda sound: with_noise(sound, snr_db=8), "bad"),
        ("echo", lambda sound: in_a_room(sound, echo_s=1.0), "bad"),
        ("clipping", lambda sound: overdriven(sound, share=0.001), "warn"),
        ("clipping", lambda sound: overdriven(sound, share=0.03), "bad"),
        ("bandwidth", by_telephone, "warn"),
        ("loudness", lambda sound: Sound(sound.samples * np.float32(0.01), RATE_HZ), "bad"),
    ],
)
def test_what_was_done_to_it_is_found(name: str, change: Change, verdict: Verdict) -> None:
    found = named(check_recording(change(owner())), name)
    assert found.verdict == verdict
    assert found.advice.endswith(".")


def test_a_clipped_recording_that_was_turned_down_is_still_clipped() -> None:
    quiet = Sound(overdriven(owner(), share=0.03).samples * np.float32(0.2), RATE_HZ)
    assert named(check_recording(quiet), "clipping").verdict == "bad"


def test_loudness_is_that_of_the_standard() -> None:
    # ITU-R BS.1770: a sine of 997 Hz at full scale in one channel has -3.01 LUFS, at any rate.
    for rate_hz in (16_000, 48_000):
        times = np.arange(rate_hz * 3) / rate_hz
        sine = Sound(np.sin(2 * np.pi * 997 * times).astype(np.float32), rate_hz)
        assert quality.loudness_lufs(sine) == pytest.approx(-3.01, abs=0.02)


def test_silence_between_words_does_not_count() -> None:
    padded = Sound(np.concatenate([owner().samples, np.zeros(30 * RATE_HZ, np.float32)]), RATE_HZ)
    assert quality.loudness_lufs(padded) == pytest.approx(quality.loudness_lufs(owner()), abs=0.3)
    assert activity(padded.samples).speech_s == pytest.approx(activity(owner().samples).speech_s, abs=0.5)


def test_how_much_is_spoken_counts_and_not_how_long_it_is() -> None:
    short = part(owner(), 0, 4)
    padded = Sound(np.concatenate([short.samples, np.zeros(60 * RATE_HZ, np.float32)]), RATE_HZ)
    assert named(check_together([padded]), "length").verdict == "bad"
    assert named(check_together([part(owner(), 0, 16)]), "length").verdict == "warn"


def test_a_hum_is_no_speech() -> None:
    times = np.arange(20 * RATE_HZ) / RATE_HZ
    hum = Sound((0.2 * np.sin(2 * np.pi * 200 * times)).astype(np.float32), RATE_HZ)
    assert named(check_together([hum]), "length").verdict == "bad"
    check_recording(hum)


def test_a_second_voice_is_found_in_one_file_and_in_two() -> None:
    assert named(check_together([owner(), another()]), "second voice").verdict == "bad"
    mixed = joined([part(owner(), 0, 20), part(another(), 0, 14)], RATE_HZ)
    assert named(check_together([mixed]), "second voice").verdict == "bad"


def test_values_are_plain_in_json() -> None:
    value = check_recording(owner())[0].as_json()
    assert value["name"] == "noise"
    assert isinstance(value["value"], float)


def test_real_clean_speech_passes() -> None:
    for voice in speakers().values():
        checks = check_recording(part(voice, 0, 40)) + check_together([voice])
        assert unwell(checks) == {}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("noise", lambda sound: with_noise(sound, snr_db=20)),
        ("echo", lambda sound: in_a_room(sound, echo_s=0.7)),
        ("clipping", lambda sound: overdriven(sound, share=0.01)),
        ("bandwidth", by_telephone),
    ],
)
def test_what_was_done_to_real_speech_is_found(name: str, change: Change) -> None:
    for voice in speakers().values():
        assert named(check_recording(change(part(voice, 0, 30))), name).verdict != "ok"


def test_two_real_speakers_are_told_from_one() -> None:
    voices = list(speakers().values())
    apart = [
        named(check_together([part(one, 0, 20), part(other, 0, 20)]), "second voice").verdict
        for index, one in enumerate(voices)
        for other in voices[index + 1 :]
    ]
    assert len(apart) == 10
    assert apart.count("ok") <= 1


def test_a_real_telephone_recording_is_told_by_its_band() -> None:
    checks = check_recording(read(assets() / "speech" / "harvard_8k.wav"))
    assert unwell(checks) == {"bandwidth": "warn"}
