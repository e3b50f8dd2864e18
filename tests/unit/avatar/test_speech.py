from __future__ import annotations

import numpy as np

from avatar.speech import EASE_MS, Speech
from avatar.timeline import Part, Phone
from avatar.visemes import MOUTH
from tests.unit.avatar.interruptions import interrupt, undisturbed
from tests.unit.avatar.saying import CHUNK, FRAME, LOUD, RATE, Door, Sentence, curve, mouth, say, sentences

STEP = RATE // 200
AH = Sentence("en", "", (Phone("ɑː", 0, 2_000),))


def loud(length_ms: float) -> bytes:
    return np.full(round(length_ms * RATE / 1000), LOUD, np.int16).tobytes()


def tone(length_ms: float) -> bytes:
    t = np.arange(round(length_ms * RATE / 1000)) / RATE
    sound = 8_000 * np.sin(2 * np.pi * 700 * t) + 4_000 * np.sin(2 * np.pi * 1_200 * t)
    pcm: bytes = sound.astype(np.int16).tobytes()
    return pcm


def speaking(sentence: Sentence = AH, ticks: int = 30) -> tuple[Speech, Door]:
    speech = Speech(RATE)
    door = Door(speech)
    door.tick(5)
    say(speech, door, 1, sentence)
    door.tick(ticks)
    return speech, door


def test_the_mouth_is_shut_60_ms_after_it_is_held() -> None:
    speech, door = speaking()
    stop = door.position
    before = curve(speech, stop - 8 * STEP, stop + STEP, STEP)
    speech.timeline.stopped(stop)
    door.held = True
    after = curve(speech, stop - 8 * STEP, stop + 40 * STEP, STEP)
    assert np.array_equal(before, after[: len(before)])
    assert before[-1, 0] > 0.4
    assert not after[8 + round(EASE_MS / 5) + 1 :].any()
    assert np.abs(np.diff(after, axis=0)).max() * 2 < 0.35


def test_the_old_turn_ends_and_the_next_one_begins_shut() -> None:
    speech, door = speaking()
    speech.timeline.dropped(door.position)
    door.waiting.clear()
    stop = door.position
    say(speech, door, 2, sentences()[0])
    door.tick(30)
    whole = curve(speech, stop, stop + 100 * STEP, STEP)
    assert np.abs(np.diff(whole, axis=0)).max() * 2 < 0.6
    assert np.allclose(mouth(speech, stop + 60 * STEP), undisturbed(sentences()[0], 60 * STEP), atol=1e-4)


def test_interruptions_leave_nothing_behind() -> None:
    tally = interrupt(400, seed=3)
    assert tally.interruptions == 400
    assert (tally.moving, tally.stale, tally.out_of_sync) == (0, 0, 0), tally


def test_speech_known_late_moves_the_mouth_within_a_frame() -> None:
    moved = 0
    for sentence in sentences()[::9]:
        speech = Speech(RATE)
        door = Door(speech)
        door.tick(5)
        begin = say(speech, door, 1, sentence)
        door.tick(10)
        whole = curve(speech, begin, begin + FRAME + STEP, STEP)
        moved += whole.max() > 0.05
        assert np.abs(np.diff(whole, axis=0)).max() * 2 < 0.6
    assert moved >= 0.95 * len(sentences()[::9])


def test_a_position_asked_twice_is_answered_the_same() -> None:
    speech, door = speaking(sentences()[5], ticks=0)
    live = []
    asked = []
    for _ in range(60):
        door.tick()
        asked += [door.position - CHUNK, door.position - CHUNK // 2]
        live += [mouth(speech, position) for position in asked[-2:]]
    again = [mouth(speech, position) for position in reversed(asked)][::-1]
    assert np.array_equal(live, again)


def test_phones_in_pieces_are_phones_at_once() -> None:
    sentence = sentences()[3]
    whole, door = speaking(sentence, ticks=0)
    pieces, other = Speech(RATE), Door(Speech(RATE))
    other.told = pieces
    other.tick(5)
    step = 2 * 4_000
    for begin in range(0, len(sentence.pcm), step):
        until_ms = (begin + step) / 2 / RATE * 1000
        phones = [p for p in sentence.phones if begin / 2 / RATE * 1000 < p.end_ms <= until_ms]
        pieces.expect(1, sentence.pcm[begin : begin + step], phones, [], exact=True)
    other.say(1, sentence.samples)
    door.tick(60)
    other.tick(60)
    assert np.allclose(curve(whole, 1_600, 20_000, STEP), curve(pieces, 1_600, 20_000, STEP), atol=1e-6)


def test_late_phones_are_taken_up_without_a_jump() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    door.tick(5)
    speech.expect(1, loud(1_500), [], [], exact=True)
    door.say(1, RATE * 3 // 2)
    door.tick(30)
    told = door.position
    before = curve(speech, told - 40 * STEP, told, STEP)
    speech.expect(1, b"", [Phone("ɑː", 0, 1_400)], [], exact=True)
    door.tick(30)
    whole = curve(speech, told - 40 * STEP, told + 60 * STEP, STEP)
    assert np.array_equal(before, whole[:40])
    assert np.abs(np.diff(whole, axis=0)).max() * 2 < 0.35
    assert whole[60, 0] > 0.5


def test_sound_without_phones_is_guessed_and_says_so() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    speech.expect(0, tone(1_000), [], [], exact=False)
    door.say(0, RATE)
    assert not speech.estimates
    door.tick(20)
    assert speech.estimates
    assert mouth(speech, door.position)[0] > 0.2
    speech.expect(0, b"", [Phone("m", 0, 1_000)], [], exact=False)
    assert not speech.estimates
    door.tick(10)
    assert mouth(speech, door.position)[0] < 0.02


def test_a_measured_voice_is_waited_for() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    speech.expect(1, loud(200), [], [], exact=True)
    door.say(1, RATE // 5)
    door.tick(3)
    assert not speech.estimates
    assert not curve(speech, 0, 5 * CHUNK, STEP).any()


def test_a_short_word_without_phones_is_guessed_at_its_end() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    speech.expect(1, tone(150), [], [], exact=True)
    speech.expect(1, tone(100), [], [], exact=True, last=True)
    door.say(1, RATE // 4)
    door.tick(3)
    assert speech.estimates


def test_a_voice_that_breaks_off_shuts_the_mouth() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    speech.expect(1, loud(400), [Phone("ɑː", 0, 2_000)], [], exact=True)
    door.say(1, RATE * 2 // 5)
    door.tick(40)
    silent = RATE * 2 // 5 + RATE // 8
    assert not curve(speech, silent, silent + 40 * STEP, STEP).any()
    speech.expect(1, loud(1_600), [], [], exact=True)
    door.say(1, 0)
    door.waiting = [(1, RATE * 2 // 5, 2 * RATE)]
    door.tick(20)
    assert mouth(speech, door.position)[0] > 0.4


def test_sentences_follow_each_other_with_all_their_closures() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    door.tick(5)
    begins = [say(speech, door, number, sentences()[number]) for number in range(4)]
    for begin, sentence in zip(begins, sentences(), strict=False):
        while door.position < begin + sentence.samples:
            door.tick()
        for at in range(10 * CHUNK, sentence.samples - 12 * CHUNK, 1_111):
            assert np.allclose(mouth(speech, begin + at), undisturbed(sentence, at), atol=1e-4)


def test_eight_hours_later_the_mouth_is_where_it_was() -> None:
    hours = 8 * 3_600 * RATE + 7
    early, late = Speech(RATE), Speech(RATE)
    for speech, position in ((early, 0), (late, hours)):
        door = Door(speech, position)
        door.tick(5)
        say(speech, door, 1, sentences()[11])
        door.tick(80)
    assert np.array_equal(curve(early, 0, 30_000, 97), curve(late, hours, hours + 30_000, 97))


def test_an_utterance_nobody_expected_moves_nothing() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    door.say(99, RATE)
    door.tick(20)
    assert not curve(speech, 0, door.position, CHUNK).any()


def test_a_long_call_keeps_few_utterances() -> None:
    speech = Speech(RATE)
    door = Door(speech)
    short = Sentence("en", "", (Phone("a", 0, 60),))
    for utterance in range(600):
        say(speech, door, utterance, short)
        door.tick(7)
        if utterance % 11 == 0:
            speech.timeline.dropped(door.position)
            door.waiting.clear()
    assert len(speech._utterances) < 80


def test_words_are_kept_with_their_utterance() -> None:
    speech = Speech(RATE)
    assert speech.words(5) == []
    assert len(MOUTH) == len(mouth(speech, 0))


def test_half_a_sample_is_left_out_as_the_outlet_does() -> None:
    odd, even = Speech(RATE), Speech(RATE)
    for speech, more in ((odd, b"\x7f"), (even, b"")):
        for _ in range(4):
            speech.expect(1, tone(200) + more, [], [], exact=False)
        speech.expect(1, b"", [Phone("a", 0.0, 800.0)], [], exact=False)
        for chunk in range(40):
            speech.sounded(chunk * CHUNK, [Part(0, CHUNK, 1, chunk * CHUNK)])
    assert np.array_equal(curve(odd, 0, 40 * CHUNK, CHUNK), curve(even, 0, 40 * CHUNK, CHUNK))
