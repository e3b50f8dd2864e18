from __future__ import annotations

from compliance.console.consents import Consent
from compliance.console.sheet import Sheet, sheet
from compliance.entries import CallEntry, Conversation, EventEntry, TurnEntry
from compliance.sound.recorded import RecordingEntry

HZ = 16_000
CALL = CallEntry("CA1", "phone", "+4930901820", 0, 60_000, "caller_hung_up", "ended", language="en")
TURNS = (TurnEntry(0, "twin", "Hello.", 0, HZ, HZ), TurnEntry(1, "caller", "Hi.", 5 * HZ, 6 * HZ, HZ))
KEPT = RecordingEntry("R1", "CA1", "ended", 2_000, 50_000, 2 * HZ, HZ, 8_000, 48 * 8_000, 48)


def consent(purpose: str, status: str, at_ms: int) -> Consent:
    return Consent(f"{purpose}{at_ms}", "CA1", purpose, status, "voice", "en", "2026-11", at_ms, None, "{}")


def shown(
    *answers: Consent,
    kept: tuple[RecordingEntry, ...] = (KEPT,),
    events: tuple[EventEntry, ...] = (),
    masked: bool = True,
) -> Sheet:
    conversation = Conversation(CALL, TURNS, events, ())
    return sheet(
        conversation, evidence=(), consents=answers, kept=kept, hidden={} if masked else None, now_ms=99_000
    )


def test_a_recording_lies_where_it_was_made() -> None:
    page = shown(consent("recording", "granted", 1))

    (sound,) = page.sounds
    assert (sound.start_s, sound.end_s, page.no_sound) == (2.0, 50.0, "")
    assert page.audible == ((0.0, 1.0), (5.0, 6.0))
    assert shown(masked=False).audible is None


def test_the_newest_answer_counts() -> None:
    revoked, granted = consent("recording", "revoked", 5), consent("recording", "granted", 9)

    assert shown(granted, revoked).sounds
    page = shown(consent("recording", "granted", 1), revoked)
    assert page.sounds == ()
    assert "taken back" in page.no_sound
    assert page.lines, "what was said is another matter"


def test_words_are_hidden_when_their_consent_is_taken_back_and_so_is_every_sound_of_them() -> None:
    page = shown(consent("transcription", "revoked", 5))

    assert page.lines == ()
    assert "taken back" in page.no_words
    assert page.audible == ()


def test_why_there_is_nothing_to_hear() -> None:
    refused = (EventEntry("consent_refused", 5),)
    deleted = (EventEntry("recording_deleted", 5),)

    assert "not asked" in shown(kept=()).no_sound
    assert "did not say yes" in shown(kept=(), events=refused).no_sound
    assert "it was deleted" in shown(kept=(), events=deleted).no_sound


def test_lines_and_steps_stand_in_one_order() -> None:
    events = (EventEntry("disclosure_played", 3_000, 3 * HZ, HZ), EventEntry("dtmf", 4_000, 4 * HZ, HZ))
    script = shown(events=events).script

    assert [(at, bool(line), step.kind if step else "") for at, line, step in script] == [
        (0.0, True, ""),
        (3.0, False, "disclosure_played"),
        (5.0, True, ""),
    ]
