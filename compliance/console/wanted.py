"""Which calls somebody wants to see: the filters of the list, as they stand in its address. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

CHANNELS = {"phone": "Telephone", "web": "Browser", "room": "Meeting room", "camera": "Camera"}
LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "ja": "Japanese",
    "zh": "Chinese",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the list, as they stand in its address."""

    q: str = ""
    channel: str = ""
    language: str = ""
    sound: str = ""
    since: str = ""
    until: str = ""
    who: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str], *, owner: bool) -> Wanted:
        """From a query; what is unknown is left out. Only an owner may ask for one caller's calls."""
        return cls(
            q=given.get("q", "").strip()[:200],
            channel=_among(given.get("channel", ""), CHANNELS),
            language=_among(given.get("language", ""), LANGUAGES),
            sound=_among(given.get("sound", ""), ("yes", "no")),
            since=_day(given.get("since", "")),
            until=_day(given.get("until", "")),
            who=given.get("who", "").strip()[:320] if owner else "",
            before=given.get("before", "")[:128],
        )

    @property
    def since_ms(self) -> int | None:
        return _midnight_ms(self.since, days=0)

    @property
    def until_ms(self) -> int | None:
        """The end of that day."""
        return _midnight_ms(self.until, days=1)

    @property
    def any(self) -> bool:
        """Whether anything is filtered."""
        return any((self.q, self.channel, self.language, self.sound, self.since, self.until, self.who))

    def older_than(self, call_id: str) -> str:
        """The query of the next page."""
        fields = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return urlencode({**fields, "before": call_id})


def _among(value: str, allowed: Collection[str]) -> str:
    return value if value in allowed else ""


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight_ms(day: str, *, days: int) -> int | None:
    if not day:
        return None
    midnight = datetime.combine(date.fromisoformat(day) + timedelta(days=days), time())
    return int(midnight.astimezone().timestamp() * 1000)
