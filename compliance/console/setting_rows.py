"""The settings that matter to the people called, in words, and whether each is stricter than its default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from compliance.console.desk import SettingRow
from compliance.settings import (
    ConsentSettings,
    ConsoleSettings,
    DisclosureSettings,
    PrivacySettings,
    RetentionSettings,
    StoreSettings,
)


@dataclass(frozen=True, slots=True)
class _Shown:
    section: str
    name: str
    meaning: str
    strictness: Sequence[str] = ()
    """The values from the least to the most strict."""
    less_is_stricter: bool = False
    unit: str = ""


_SHOWN = (
    _Shown(
        "disclosure",
        "repeat_minutes",
        "In a long call the twin says again that it is an AI, at the next pause after so long.",
        less_is_stricter=True,
        unit="min",
    ),
    _Shown(
        "consent",
        "recording",
        "ask: the sound is kept only after a clear yes. off: it is never kept.",
        strictness=("ask", "off"),
    ),
    _Shown(
        "consent",
        "transcription",
        "notice: words are written down after the announcement, until the caller objects. ask: only after a clear "
        "yes. off: never.",
        strictness=("notice", "ask", "off"),
    ),
    _Shown("consent", "jurisdiction", "Where you are. Unknown means the strictest rules of all."),
    _Shown("retention", "audio_days", "How long recordings are kept.", less_is_stricter=True, unit="days"),
    _Shown(
        "retention",
        "transcript_days",
        "How long calls are kept, with what was said in them.",
        less_is_stricter=True,
        unit="days",
    ),
    _Shown("retention", "message_days", "How long messages are kept.", less_is_stricter=True, unit="days"),
    _Shown(
        "retention",
        "evidence_days",
        "How long it can be proved what was announced, asked and erased.",
        unit="days",
    ),
    _Shown(
        "console",
        "idle_minutes",
        "A browser that is not used is signed out after so long.",
        less_is_stricter=True,
        unit="min",
    ),
    _Shown(
        "console", "session_hours", "Every browser is signed out after so long.", less_is_stricter=True, unit="h"
    ),
    _Shown("console", "public_url", "The address people use. With https the cookies are for https only."),
    _Shown("store", "master", "What wraps the keys under which everything about people is sealed."),
    _Shown("store", "mirror", "Where the second copy of the ledger's signed heads is; best on another disk."),
    _Shown("privacy", "controller", "Who is responsible, on the public notice."),
    _Shown("privacy", "contact", "Whom to write to, on the public notice."),
    _Shown("privacy", "purpose", "What the words are kept for, on the public notice."),
)


def setting_rows(
    *,
    disclosure: DisclosureSettings,
    consent: ConsentSettings,
    retention: RetentionSettings,
    console: ConsoleSettings,
    store: StoreSettings,
    privacy: PrivacySettings,
) -> tuple[SettingRow, ...]:
    """The rows for `Desk.setting_rows`. No value of them is a secret or a path with a password."""
    sections: dict[str, BaseModel] = {
        "disclosure": disclosure,
        "consent": consent,
        "retention": retention,
        "console": console,
        "store": store,
        "privacy": privacy,
    }
    return tuple(_row(shown, sections[shown.section]) for shown in _SHOWN)


def _row(shown: _Shown, settings: BaseModel) -> SettingRow:
    value, default = getattr(settings, shown.name), type(settings).model_fields[shown.name].default
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return SettingRow(
        section=shown.section,
        name=shown.name,
        value=f"{text} {shown.unit}".strip() or "not set",
        meaning=shown.meaning,
        stricter=_stricter(shown, value, default),
    )


def _stricter(shown: _Shown, value: object, default: object) -> bool | None:
    if value == default:
        return None
    if shown.strictness:
        return shown.strictness.index(str(value)) > shown.strictness.index(str(default))
    if shown.less_is_stricter and isinstance(value, (int, float)) and isinstance(default, (int, float)):
        return value < default
    return None
