"""What rooms can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LiveKitSettings(BaseModel):
    """Section `[livekit]` of twin.toml. The server and its keys come from the environment: LIVEKIT_URL,
    LIVEKIT_API_KEY, LIVEKIT_API_SECRET, and LIVEKIT_E2EE_KEY where rooms are encrypted from end to end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_minutes: Annotated[float, Field(gt=0, le=1_440)] = 10.0
    """A room into which nobody comes is left after so long."""
    alone_minutes: Annotated[float, Field(gt=0, le=1_440)] = 2.0
    """A room that everybody has left is left after so long."""
    connect_limit_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """A room that cannot be entered by then is given up."""
    lost_after_s: Annotated[float, Field(ge=3, le=300)] = 30.0
    """A broken connection is made anew, with the same call, until it was broken for so long."""
    lead_ms: Annotated[int, Field(ge=40, le=100, multiple_of=20)] = 80
    """How much of the twin's voice may wait in LiveKit's buffer: stalls of this program shorter than this are not
    heard, and an interruption takes back as much."""
    batch_ms: Annotated[int, Field(ge=10, le=100, multiple_of=10)] = 40
    """How much of somebody's sound is taken in at once. Less notices an interruption earlier, more costs less."""
    audio_kbps: Annotated[int, Field(ge=16, le=256)] = 64
    """Of the twin's voice, as Opus."""
    video_kbps: Annotated[int, Field(ge=0, le=20_000)] = 0
    """Of the twin's picture, at most; 0 is chosen by its size. The resolution is never lowered: where the network
    takes less, there are fewer pictures."""
    write_chat: bool = True
    """Whether the disclosure is also written into the room's chat, to each person when they come."""
    write_captions: bool = True
    """Whether what the twin says is sent as captions while it is heard."""
