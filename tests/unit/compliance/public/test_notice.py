from __future__ import annotations

import pytest

from compliance.public.notice import Notice, Processor, notice
from compliance.settings import ConsentSettings, PrivacySettings, RetentionSettings


def written(consent: ConsentSettings, *processors: Processor, **privacy: str) -> Notice:
    return notice(
        "Ada Example",
        privacy=PrivacySettings(**privacy),
        retention=RetentionSettings(audio_days=7, transcript_days=14),
        consent=consent,
        processors=processors,
    )


def test_what_is_not_kept_is_not_in_the_notice() -> None:
    strict = written(ConsentSettings(recording="off", transcription="off"))
    full = written(ConsentSettings(recording="ask", transcription="notice"))

    assert [period.what for period in strict.periods] == [
        "Messages you leave",
        "The proof that you were told and asked",
    ]
    assert [(period.what, period.days) for period in full.periods][:2] == [
        ("Recordings", 7),
        ("What was said, in writing", 14),
    ]
    assert strict.sound == "The sound is not recorded."
    assert strict.words == "What you say is not written down."


@pytest.mark.parametrize("transcription", ["notice", "ask", "off"])
@pytest.mark.parametrize("recording", ["ask", "off"])
def test_every_setting_has_its_sentence(transcription: str, recording: str) -> None:
    page = written(ConsentSettings.model_validate({"transcription": transcription, "recording": recording}))

    assert page.words
    assert page.sound


def test_the_owner_is_responsible_unless_somebody_else_is_named() -> None:
    assert written(ConsentSettings()).controller == "Ada Example"
    assert written(ConsentSettings(), controller="Example Ltd, 1 Road").controller == "Example Ltd, 1 Road"


def test_one_company_that_takes_part_is_enough_to_say_so() -> None:
    here, away = Processor("grounded", "answers", here=True), Processor("Deepgram", "writes", here=False)

    assert written(ConsentSettings(), here).all_here
    assert not written(ConsentSettings(), here, away).all_here
