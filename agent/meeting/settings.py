"""How the twin behaves in a meeting."""

from __future__ import annotations

from pydantic import Field

from agent.meeting.addressee.said import Mode
from agent.meeting.hearing.settings import HearingSettings


class MeetingSettings(HearingSettings):
    """The `[meeting]` section."""

    mode: Mode = "on_request"
    """How it begins. `silent`: listens and notes, never speaks but to say what it is, to obey and to leave.
    `on_request`: speaks when it is spoken to. `active`: also raises its hand where it can answer a question that
    is put to everybody. Whoever may, switches it in words: "twin, only listen from now on"."""
    may_command: tuple[str, ...] = ()
    """Identities that may switch the mode, besides the owner and those whom the room's own door lets."""
    owner: tuple[str, ...] = ()
    """The owner's own identities: with one of them here, the owner's name means them and not their twin."""
    nicknames: tuple[str, ...] = ()
    """What the twin is called besides "twin" and the like, e.g. `["Martin Two"]`."""
    max_minutes: float = Field(240.0, gt=0, le=1_440)
    """The twin leaves after so long. Silence does not end a meeting."""
    gap_ms: int = Field(300, ge=100, le=5_000)
    """Nobody has spoken for so long: the twin may begin, or go on."""
    hold_s: float = Field(8.0, ge=1, le=60)
    """Spoken over for so long, it gives up what it was saying."""
    wait_s: float = Field(10.0, ge=1, le=120)
    """Finding no gap for so long, it raises its hand instead of answering."""
    hand_minutes: float = Field(3.0, gt=0, le=60)
    """How long it keeps its hand raised."""
    disclose_within_s: float = Field(8.0, ge=1, le=30)
    """Whoever comes late is told what it is at the next pause, and after so long without one also into what others
    say: until then they are not listened to."""
    record_questions: bool = False
    """Whether everybody is asked if questions to the owner may be kept as sound. Nothing else of a meeting is."""
