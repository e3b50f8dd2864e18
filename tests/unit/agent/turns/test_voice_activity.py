"""Whether the caller speaks."""

from __future__ import annotations

from agent.turns.voice_activity import Change, VoiceActivity


def activity() -> VoiceActivity:
    return VoiceActivity(window_ms=32, onset_ms=96, offset_ms=192, threshold=0.5)


def changes(activity: VoiceActivity, *probabilities: float) -> list[tuple[int, Change]]:
    results = ((i, activity.on(probability)) for i, probability in enumerate(probabilities))
    return [(i, change) for i, change in results if change is not None]


def test_three_windows_of_speech_are_an_onset() -> None:
    assert changes(activity(), 0.9, 0.9, 0.9, 0.9) == [(2, Change.ONSET)]


def test_a_click_is_none() -> None:
    assert changes(activity(), *[0.9, 0.9, 0.1] * 10) == []


def test_six_windows_of_silence_are_an_offset() -> None:
    heard = activity()
    changes(heard, 0.9, 0.9, 0.9)
    assert heard.speaking
    assert changes(heard, *[0.1] * 12) == [(5, Change.OFFSET)]
    assert not heard.speaking
    assert heard.silent_ms == 192


def test_a_pause_within_a_word_is_none() -> None:
    heard = activity()
    changes(heard, 0.9, 0.9, 0.9)
    assert changes(heard, *[0.1, 0.1, 0.1, 0.1, 0.1, 0.9] * 10) == []


def test_the_threshold_itself_is_speech() -> None:
    assert changes(activity(), 0.5, 0.5, 0.5) == [(2, Change.ONSET)]
    assert changes(activity(), *[0.4999] * 20) == []


def test_onsets_and_offsets_alternate() -> None:
    talk = ([0.9] * 20 + [0.1] * 20) * 5
    assert [change for _, change in changes(activity(), *talk)] == [Change.ONSET, Change.OFFSET] * 5
