"""From the SDK's participants to `Seat`s: who is a person, who is on the phone, who is a machine."""

from __future__ import annotations

import re
from typing import Any

from channels.livekit.people import Seat
from channels.livekit.signs import IS_TWIN, MAY_COMMAND
from channels.room import Kind, Person

SIP_NUMBER = "sip.phoneNumber"
E164 = re.compile(r"\+[1-9]\d{6,14}")
MAX_NAME_CHARS = 80
STANDARD, SIP, CONNECTOR = 0, 3, 5
"""`ParticipantKind` of LiveKit's protocol; all others are machines: agents, recorders, streams let in."""
CAMERA, MICROPHONE, SCREEN = 1, 2, 3
"""`TrackSource` of LiveKit's protocol."""
AUDIO = 1
"""`TrackKind` of LiveKit's protocol."""


def seat(participant: Any) -> Seat:
    """As the room shows this participant now."""
    attributes = participant.attributes
    microphones = [p for p in participant.track_publications.values() if is_microphone(p)]
    screens = [p for p in participant.track_publications.values() if p.source == SCREEN]
    kind = _kind(participant.kind, attributes)
    person = Person(
        identity=_identity(participant.identity, kind, attributes),
        name=plain_name(participant.name),
        kind=kind,
        # What a participant may change themselves proves nothing.
        may_command=attributes.get(MAY_COMMAND) == "true" and not participant.permissions.can_update_metadata,
    )
    return Seat(
        key=participant.identity,
        person=person,
        muted=all(publication.muted for publication in microphones),
        shares=any(not publication.muted for publication in screens),
    )


def is_microphone(publication: Any) -> bool:
    """Never what a shared screen sounds like."""
    return bool(publication.kind == AUDIO and publication.source == MICROPHONE)


def is_listened_to(participant: Any) -> bool:
    """Machines are not."""
    return _kind(participant.kind, participant.attributes) != "machine"


def plain_name(name: str) -> str:
    """On one line, without what cannot be printed, and not longer than a name."""
    return " ".join("".join(c if c.isprintable() else " " for c in name[: 4 * MAX_NAME_CHARS]).split())[
        :MAX_NAME_CHARS
    ]


def _kind(kind: int, attributes: dict[str, str]) -> Kind:
    if attributes.get(IS_TWIN) == "true":
        return "machine"
    if kind in (SIP, CONNECTOR):
        return "phone"
    return "person" if kind == STANDARD else "machine"


def _identity(key: str, kind: Kind, attributes: dict[str, str]) -> str:
    if kind != "phone":
        return key
    number = re.sub(r"[\s().-]", "", attributes.get(SIP_NUMBER, ""))
    return number if E164.fullmatch(number) else key
