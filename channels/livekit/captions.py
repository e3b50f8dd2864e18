"""Words for the eyes of a room, as LiveKit's own clients show them: text streams on `lk.transcription`.

The twin's turn is one stream that grows as it is heard. A person's turn is a stream for each state of it, all with
the same segment; the host decides whether there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from channels.call import Caption
from channels.livekit.outbox import Outbox
from channels.livekit.signs import TRANSCRIPTION

SEGMENT = "lk.segment_id"
TRACK = "lk.transcribed_track_id"
FINAL = "lk.transcription_final"


class Captions:
    """One call's. `track_of` gives the id of somebody's microphone track, of the twin's own for ""; `key_of` the
    room's identity of a person."""

    def __init__(
        self,
        call_id: str,
        local: Callable[[], Any],
        outbox: Outbox,
        *,
        track_of: Callable[[str], str],
        key_of: Callable[[str], str | None],
    ) -> None:
        self._call_id = call_id
        self._local = local
        self._outbox = outbox
        self._track_of = track_of
        self._key_of = key_of
        self._writer: Any = None
        self._turn = -1

    def show(self, caption: Caption) -> None:
        """Returns at once."""
        if caption.who == "twin":
            self._outbox.put(lambda: self._twin(caption))
        elif caption.speaker:
            self._outbox.put(lambda: self._person(caption))

    async def _twin(self, caption: Caption) -> None:
        if caption.text:
            if self._writer is None or self._turn != caption.turn:
                await self._begin(caption.turn)
                text = caption.text
            else:
                text = f" {caption.text}"
            writer, self._writer = self._writer, None
            await writer.write(text)
            # A stream that failed is not gone on with: the next words begin another one.
            self._writer = writer
        if caption.final:
            await self._end()

    async def _begin(self, turn: int) -> None:
        await self._end()
        self._turn = turn
        attributes = _attributes(f"{self._call_id}-twin-{turn}", self._track_of(""), final=False)
        self._writer = await self._local().stream_text(topic=TRANSCRIPTION, attributes=attributes)

    async def _end(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.aclose(attributes={FINAL: "true"})

    async def _person(self, caption: Caption) -> None:
        key = self._key_of(caption.speaker)
        if key is None:
            return
        segment = f"{self._call_id}-{key}-{caption.turn}"
        writer = await self._local().stream_text(
            topic=TRANSCRIPTION,
            attributes=_attributes(segment, self._track_of(key), final=caption.final),
            sender_identity=key,
        )
        await writer.write(caption.text)
        await writer.aclose()


def _attributes(segment: str, track: str, *, final: bool) -> dict[str, str]:
    return {SEGMENT: segment, TRACK: track, FINAL: "true" if final else "false"}
