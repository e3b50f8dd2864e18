"""The privacy notice, written from the settings, so that it says what is done and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.settings import ConsentSettings, PrivacySettings, RetentionSettings


@dataclass(frozen=True, slots=True)
class Processor:
    """A program or company that handles what callers say."""

    name: str
    does: str
    """`writes down what is said`, `words the answers`, ..."""
    here: bool
    """True when it runs on the owner's machine, and nothing leaves it."""
    where: str = ""
    """A country or company, where it is not here."""


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept."""

    what: str
    days: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says."""

    owner: str
    controller: str
    contact: str
    purpose: str
    words: str
    """Whether what is said is written down, in a sentence."""
    sound: str
    """Whether it is recorded."""
    memory: str
    """Whether people are remembered."""
    periods: tuple[Period, ...]
    processors: tuple[Processor, ...]

    @property
    def all_here(self) -> bool:
        """Whether everything runs on the owner's machine."""
        return all(processor.here for processor in self.processors)


_WORDS = {
    "notice": "What you and the twin say is written down, after the twin has told you so. You can say "
    "“stop writing” at any time; what was written is then deleted, and the conversation goes on.",
    "ask": "What you and the twin say is written down only after you have said yes.",
    "off": "What you say is not written down.",
}
_SOUND = {
    "ask": "The sound is recorded only after you have clearly said yes. Saying no changes nothing else. “Stop "
    "recording”, or *9 on the telephone, stops it at once, and what was recorded is deleted.",
    "off": "The sound is not recorded.",
}


_MEMORY = (
    "If you agree before you hang up, what you told about yourself is remembered for your next call, and for "
    "nobody else's. Say “forget me”, or ask on this page, and it is deleted."
)
_NO_MEMORY = "Nothing is remembered from one call to the next."


def notice(
    owner: str,
    *,
    privacy: PrivacySettings,
    retention: RetentionSettings,
    consent: ConsentSettings,
    memory_days: int | None = None,
    processors: Sequence[Processor] = (),
) -> Notice:
    """The notice of one twin. The strictest rule among a call's people may ask more than this says, never less.

    `memory_days` is how long somebody is remembered after they were last heard; None: nobody is.
    """
    periods = [Period("Messages you leave", retention.message_days)]
    if consent.transcription != "off":
        periods.insert(0, Period("What was said, in writing", retention.transcript_days))
    if consent.recording != "off":
        periods.insert(0, Period("Recordings", retention.audio_days))
    if memory_days is not None:
        periods.append(Period("What you agreed to have remembered, after you were last heard", memory_days))
    periods.append(Period("The proof that you were told and asked", retention.evidence_days))
    return Notice(
        owner=owner,
        controller=privacy.controller or owner,
        contact=privacy.contact,
        purpose=privacy.purpose,
        words=_WORDS[consent.transcription],
        sound=_SOUND[consent.recording],
        memory=_NO_MEMORY if memory_days is None else _MEMORY,
        periods=tuple(periods),
        processors=tuple(processors),
    )
