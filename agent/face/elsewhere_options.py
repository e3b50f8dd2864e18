"""What a face that is drawn elsewhere is told in `[face]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.settings import ELSEWHERE, FaceSection

NAMES = ELSEWHERE
"""The engines."""


@dataclass(frozen=True, slots=True)
class Options:
    """Checked at birth."""

    engine: str
    """One of `NAMES`."""
    command: tuple[str, ...] = ()
    """neural: the program and its arguments."""
    avatar: str = ""
    """tavus: the replica's id. heygen: the avatar's. simli: the face's. livekit_avatar: the participant's identity
    in the room; empty is the first that sends video."""
    url: str = ""
    """livekit_avatar: the server. simli: another address than the service's own."""
    room: str = "twin-face"
    """livekit_avatar: the beginning of the name of each call's room."""
    agent: str = ""
    """livekit_avatar: the worker to send for, where it waits to be dispatched by name; empty sends for none."""
    ready_s: float = 120.0
    """How long a program may load, or a service may take to begin."""
    answer_s: float = 10.0
    """How long one may be silent while it has speech to draw."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further settings of a service: tavus `persona`; heygen `service` (liveavatar or interactive)."""

    def __post_init__(self) -> None:
        if self.engine not in NAMES:
            raise ValueError(f"engine is one of {', '.join(NAMES)}, got {self.engine!r}")
        if self.engine == "neural" and not self.command:
            raise ValueError("neural needs command: the program that draws, with its arguments")
        if self.engine in ("tavus", "simli") and not self.avatar:
            raise ValueError(f"{self.engine} needs avatar: the id of the face to show")
        if self.engine == "livekit_avatar" and not self.room:
            raise ValueError("livekit_avatar needs room: how the names of its rooms begin")
        if min(self.ready_s, self.answer_s) <= 0:
            raise ValueError("ready_s and answer_s are above 0")

    @classmethod
    def of(cls, face: FaceSection) -> Options:
        """Raises `ValueError` for what is missing."""
        return cls(
            face.engine, tuple(face.command), face.avatar, face.url, face.room, face.agent, extra=face.options
        )
