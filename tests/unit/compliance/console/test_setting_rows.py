"""The settings page's table."""

from __future__ import annotations

from compliance.console.desk import SettingRow
from compliance.console.setting_rows import setting_rows
from compliance.settings import (
    ConsentSettings,
    ConsoleSettings,
    DisclosureSettings,
    PrivacySettings,
    RetentionSettings,
    StoreSettings,
)


def rows(
    consent: ConsentSettings | None = None,
    retention: RetentionSettings | None = None,
    store: StoreSettings | None = None,
) -> dict[tuple[str, str], SettingRow]:
    made = setting_rows(
        disclosure=DisclosureSettings(),
        consent=consent or ConsentSettings(),
        retention=retention or RetentionSettings(),
        console=ConsoleSettings(),
        store=store or StoreSettings(),
        privacy=PrivacySettings(),
    )
    return {(row.section, row.name): row for row in made}


def test_nothing_is_stricter_than_the_defaults_at_first() -> None:
    assert {row.stricter for row in rows().values()} == {None}


def test_asking_before_writing_down_is_stricter_and_recording_less() -> None:
    found = rows(consent=ConsentSettings(transcription="ask", recording="ask"))
    assert found["consent", "transcription"].stricter is True
    assert found["consent", "recording"].stricter is False


def test_keeping_for_shorter_is_stricter() -> None:
    found = rows(retention=RetentionSettings(audio_days=7, message_days=400))
    assert (found["retention", "audio_days"].value, found["retention", "audio_days"].stricter) == ("7 days", True)
    assert found["retention", "message_days"].stricter is False


def test_what_is_empty_says_so_and_no_database_address_is_shown() -> None:
    found = rows(store=StoreSettings(url="postgresql+pg8000://twin:hunter2@db.example/twin"))
    assert found["consent", "jurisdiction"].value == "not set"
    assert not any("hunter2" in row.value for row in found.values())
