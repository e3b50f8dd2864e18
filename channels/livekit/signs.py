"""What marks the twin in a room for eyes and for programs: a name, attributes, a line in the chat."""

from __future__ import annotations

from dataclasses import dataclass

IS_TWIN = "ai.twin"
"""Attribute: `true` on every AI twin."""
TWIN_OF = "ai.twin.of"
"""Attribute: whose likeness it is."""
DISCLOSED_AT = "ai.twin.disclosed_at"
"""Attribute: since when the spoken disclosure has been heard, ISO 8601 in UTC; absent until then."""
HAND = "ai.twin.hand"
"""Attribute: `raised` while the twin asks to speak, else absent: LiveKit drops what is empty."""
MAY_COMMAND = "twin.may_command"
"""Attribute of a person, set by the token: `true` lets them switch the twin's mode."""

CHAT = "lk.chat"
OLD_CHAT = "lk-chat-topic"
"""The topic of clients from before text streams."""
TRANSCRIPTION = "lk.transcription"


@dataclass(frozen=True, slots=True)
class Signs:
    """The texts of one twin, from `compliance.disclosure`."""

    name: str
    """Of the participant; says that it is an AI."""
    chat: str
    """For the room's chat; empty writes nothing."""
    owner: str

    @property
    def attributes(self) -> dict[str, str]:
        """From the moment it enters."""
        return {IS_TWIN: "true", TWIN_OF: self.owner, HAND: ""}
