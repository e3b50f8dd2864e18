"""Recordings: sound that callers agreed to have kept, encrypted while the call runs, on the outlet's clock.

    recording = recordings.start("CA1", clock_hz=8_000, caller_hz=8_000, position=clock.position)
    recording.twin(pcm, position)        # every 20 ms, from the outlet
    recording.caller(pcm, position)      # as it arrives
    recording.stop()                     # or .delete()

Two tracks, the caller on the left and the twin on the right, in `<folder>/<id>.rec` (see `chunks`), under a key of
the recording's own, so that it can be destroyed while the rest of the call stays. Nothing is ever a plain file.

A deletion is seen in the file's name before anything else: a process that is killed in the middle of one leaves
a `.gone` file, and the next `open` completes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from compliance.errors import VaultError
from compliance.sound import recorded as rows
from compliance.sound.chunks import LANES, ChunkFile, write_whole
from compliance.sound.playback import Channels, WavFile, WavRange, loudest
from compliance.sound.recorded import RecordingEntry
from compliance.sound.recording import Recording
from compliance.sound.shelf import Shelf
from compliance.sound.stretch import Samples
from compliance.sound.tape import Deck, Tape, Taped
from compliance.store.schema import recordings
from compliance.store.seal import Sealer
from compliance.vault import Vault

logger = logging.getLogger(__name__)

CLOSE_S = 5.0
"""The longest that closing waits for the last chunks."""
_TRIES = 5
_RETRY_S = 2.0
_FILES_KNOWN = 16
"""Recordings whose places are remembered between two reads; playback reads the same one again and again."""
_BLOCK_S = 10
"""How much is opened at once for an export."""
_MOST_PIECES = 200
"""Of one side of a recording."""


class Note(Protocol):
    """Who proves what was done with a recording; returns at once."""

    def __call__(self, kind: str, *, call_id: str | None = None, detail: Mapping[str, Any]) -> None: ...


class Recordings:
    """All recordings of a store. Use it in one event loop, after the vault was opened and before it is closed."""

    def __init__(self, vault: Vault, folder: Path, *, note: Note | None = None) -> None:
        """Nothing is touched before `open`."""
        self._vault = vault
        self._shelf = Shelf(folder)
        self._note = note
        self._deck = Deck()
        self._live: dict[str, Recording] = {}
        self._tasks: set[asyncio.Task[bool]] = set()
        self._files: dict[str, ChunkFile] = {}
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Start the thread, after putting in order what a killed process left. Raises `VaultError`."""
        await self._put_in_order()
        self._deck.start()

    async def close(self) -> None:
        """Stop every recording and write its end, within `CLOSE_S`; safe to call twice."""
        for recording in list(self._live.values()):
            recording.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if not await asyncio.to_thread(self._deck.stop, CLOSE_S):
            logger.error("recordings were not written to their end")

    def start(self, call_id: str, *, clock_hz: int, caller_hz: int, position: int) -> Recording:
        """Begin, at the outlet's `position`. Only after a clear yes: what comes in is stored.

        Returns at once. Raises `VaultError` when the store cannot take the record of it; nothing is stored then.
        """
        recording_id = secrets.token_hex(16)
        rate_hz = 8_000 if clock_hz == 8_000 else 16_000
        row = _row(recording_id, call_id, start_samples=position, clock_hz=clock_hz, rate_hz=rate_hz)
        self._vault.record(partial(rows.begin, row=row))
        self._noted("recording_started", recording_id, call_id, position=position, clock_hz=clock_hz)
        tape = Tape(
            self._shelf.path(recording_id),
            lambda: self._sealer(recording_id),
            clock_hz=clock_hz,
            caller_hz=caller_hz,
            rate_hz=rate_hz,
            position=position,
        )
        recording = Recording(
            recording_id,
            call_id,
            tape,
            wake=self._deck.wake,
            regret=lambda: self._spawn(self._regret(recording_id), recording_id),
        )
        self._live[recording_id] = recording
        recording.kept_by(self._spawn(self._keep(recording, tape), recording_id))
        self._deck.add(tape)
        return recording

    def keep(self, call_id: str, pcm: bytes, *, pcm_hz: int, clock_hz: int, position: int, speaker: str) -> str:
        """Keep what a participant of a meeting said from `position` on, int16 mono; only after a clear yes of all.

        Returns its id at once. It is theirs and goes with them; of somebody who is no participant (any more)
        nothing is kept. Raises as `start` does.
        """
        recording_id = secrets.token_hex(16)
        row = _row(recording_id, call_id, start_samples=position, clock_hz=clock_hz, rate_hz=pcm_hz)
        self._vault.record(partial(rows.begin, row=row, speaker=speaker))
        self._noted("recording_started", recording_id, call_id, position=position, clock_hz=clock_hz)
        self._spawn(self._keep_whole(recording_id, pcm, pcm_hz), recording_id)
        return recording_id

    async def entry(self, recording_id: str) -> RecordingEntry | None:
        """One recording; None when there is none."""
        found = await self._vault.run(
            lambda transaction: rows.entries(transaction, recordings.c.id == recording_id)
        )
        return found[0] if found else None

    async def of(self, call_id: str) -> tuple[RecordingEntry, ...]:
        """A call's recordings, the oldest first."""
        return await self._vault.run(
            lambda transaction: rows.entries(transaction, recordings.c.call_id == call_id)
        )

    async def shape(self, recording_id: str, channels: Channels = "both") -> WavFile:
        """How long it is by now, as a WAV file. Raises `VaultError`."""
        async with self._reading:
            return await asyncio.to_thread(self._shape, recording_id, channels)

    async def read(self, recording_id: str, start_frame: int, frames: int, channels: Channels = "both") -> bytes:
        """Frames as int16, two channels interleaved; fewer at the end.

        Raises `KeyGone` when it was forgotten, `VaultError` when it is missing or was changed.
        """
        async with self._reading:
            return await asyncio.to_thread(self._read, recording_id, start_frame, frames, channels)

    async def as_wav_range(
        self, recording_id: str, first: int = 0, last: int | None = None, channels: Channels = "both"
    ) -> WavRange:
        """Bytes `first` to `last` (inclusive; None: to the end) of the recording as a WAV file.

        Raises `VaultError`, also when `first` is beyond the end.
        """
        shape = await self.shape(recording_id, channels)
        last = shape.total_bytes - 1 if last is None else min(last, shape.total_bytes - 1)
        if not 0 <= first <= last:
            raise VaultError("The recording has no such bytes.")
        pcm = await self.read(recording_id, *shape.frames_of(first, last), channels)
        return WavRange(shape.cut(pcm, first, last), first, last, shape.total_bytes)

    async def as_wav(self, recording_id: str, channels: Channels = "both") -> AsyncIterator[bytes]:
        """The whole recording as a WAV file, a few seconds at a time. Raises `VaultError`."""
        shape = await self.shape(recording_id, channels)
        yield shape.header
        block = _BLOCK_S * shape.rate_hz
        for start in range(0, shape.frames, block):
            yield await self.read(recording_id, start, min(block, shape.frames - start), channels)

    async def pieces(self, recording_ids: Sequence[str]) -> tuple[bytes, ...]:
        """Short pieces of what is heard in these recordings, to look for in other files after an erasure.

        Recordings that cannot be read any more are left out.
        """
        found: list[bytes] = []
        for recording_id in recording_ids:
            with contextlib.suppress(VaultError):
                shape = await self.shape(recording_id)
                step = max(_BLOCK_S * shape.rate_hz, shape.frames // _MOST_PIECES)
                for start in range(0, shape.frames, step):
                    for lane in LANES:
                        found += loudest(await self.read(recording_id, start, shape.rate_hz, lane))
        return tuple(found)

    async def check(self, recording_id: str) -> None:
        """Open every chunk; raises `VaultError` when one was changed or is missing, or there is no end."""
        async with self._reading:
            await asyncio.to_thread(lambda: self._file(recording_id).check(self._sealer(recording_id)))

    async def delete(self, recording_id: str, *, despite_hold: bool = False) -> bool:
        """Leave no readable byte of it; false when the call is on hold, and then it stays.

        Stops it first when it is live. Raises `VaultError`.
        """
        live = self._live.get(recording_id)
        if live is not None:
            live.stop()
            await live.settled()
        return await self._discard(recording_id, despite_hold=despite_hold)

    async def delete_of(self, call_id: str, *, despite_hold: bool = False) -> bool:
        """The same for every recording of a call."""
        ids = {entry.id for entry in await self.of(call_id)}
        ids |= {recording.id for recording in self._live.values() if recording.call_id == call_id}
        done = [await self.delete(recording_id, despite_hold=despite_hold) for recording_id in sorted(ids)]
        return all(done)

    async def _keep_whole(self, recording_id: str, pcm: bytes, rate_hz: int) -> bool:
        path, sealer = self._shelf.path(recording_id), self._sealer(recording_id)
        frames, chunks = await asyncio.to_thread(write_whole, path, sealer, rate_hz, np.frombuffer(pcm, np.int16))
        taped = Taped("ended", frames, chunks)
        settled = await self._patiently(
            partial(self._vault.run, partial(rows.end, recording_id=recording_id, taped=taped))
        )
        if settled is False:
            # They were erased meanwhile, or are no participant.
            await self._discard(recording_id, despite_hold=True)
        return settled is not False

    async def _keep(self, recording: Recording, tape: Tape) -> bool:
        """Wait for the recording's end and write it down; false when nothing of it stays."""
        taped = await asyncio.wrap_future(tape.done)
        detail = {"state": taped.state, "frames": taped.frames, "frames_lost": taped.frames_lost,
                  "frames_cut": taped.frames_cut, "pieces_dropped": tape.dropped}  # fmt: skip
        self._noted_if_possible("recording_stopped", recording.id, recording.call_id, **detail)
        try:
            settled = await self._patiently(partial(self._settle, recording, taped))
        finally:
            self._live.pop(recording.id, None)
        # Where it could not be settled, the file's name says what is to become of it, and the next `open` does it.
        return settled if settled is not None else not recording.unwanted

    async def _regret(self, recording_id: str) -> bool:
        """Delete what has settled already; false when nothing of it stays."""
        return not await self._patiently(partial(self._discard, recording_id, despite_hold=False))

    async def _patiently(self, work: Callable[[], Awaitable[bool]]) -> bool | None:
        """Try again while the store cannot be used; None when it stays so."""
        for attempt in range(_TRIES):
            try:
                return await work()
            except VaultError:
                logger.warning("a recording is not settled yet", extra={"attempt": attempt})
                await asyncio.sleep(_RETRY_S)
        return None

    def _spawn(self, work: Coroutine[Any, Any, bool], recording_id: str) -> asyncio.Task[bool]:
        task = asyncio.create_task(work, name=f"recording {recording_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _settle(self, recording: Recording, taped: Taped) -> bool:
        forgotten = taped.state == "forgotten"
        if recording.unwanted or forgotten:
            await asyncio.to_thread(self._shelf.mark_gone, recording.id)
        if not await self._vault.run(partial(rows.end, recording_id=recording.id, taped=taped)):
            # The call was erased meanwhile.
            return not await self._discard(recording.id, despite_hold=True)
        # Asked again: it may have become unwanted while the store was busy.
        if recording.unwanted or forgotten:
            return not await self._discard(recording.id, despite_hold=forgotten)
        return True

    async def _discard(self, recording_id: str, *, despite_hold: bool) -> bool:
        """Destroy the key, then the bytes, then the record of them."""
        await asyncio.to_thread(self._shelf.mark_gone, recording_id)
        call_id, held = await self._vault.run(partial(rows.call_of, recording_id=recording_id))
        if held and not despite_hold:
            await asyncio.to_thread(self._shelf.mark_kept, recording_id)
            return False
        await self._vault.destroy_keys([rows.key_id(recording_id)])
        async with self._reading:
            self._files.pop(recording_id, None)
            await asyncio.to_thread(self._shelf.wipe, recording_id)
        await self._vault.run(partial(rows.forget, recording_id=recording_id))
        if call_id is not None:
            self._noted_if_possible("recording_deleted", recording_id, call_id)
        return True

    async def _put_in_order(self) -> None:
        """Complete deletions, end what a killed process left live, remove files that nothing points to."""
        for recording_id in await asyncio.to_thread(self._shelf.gone):
            await self._discard(recording_id, despite_hold=False)
        for recording_id in await self._vault.run(rows.unsettled):
            if not await asyncio.to_thread(self._shelf.in_use, recording_id):
                taped = await asyncio.to_thread(self._shelf.left, recording_id)
                await self._vault.run(partial(rows.end, recording_id=recording_id, taped=taped))
        kept = await asyncio.to_thread(self._shelf.kept)
        known = await self._vault.run(rows.all_ids)
        for recording_id in kept:
            if recording_id not in known:
                await self._discard(recording_id, despite_hold=True)

    def _shape(self, recording_id: str, channels: Channels) -> WavFile:
        file = self._file(recording_id)
        return WavFile(file.rate_hz, 2 if channels == "both" else 1, file.frames)

    def _read(self, recording_id: str, start: int, frames: int, channels: Channels) -> bytes:
        file, sealer = self._file(recording_id), self._sealer(recording_id)
        start = max(0, start)
        frames = max(0, min(frames, file.frames - start))
        if channels != "both":
            return file.read(sealer, channels, start, frames).tobytes()
        both: Samples = np.empty((frames, 2), np.int16)
        both[:, 0] = file.read(sealer, "caller", start, frames)
        both[:, 1] = file.read(sealer, "twin", start, frames)
        return both.tobytes()

    def _file(self, recording_id: str) -> ChunkFile:
        file = self._files.pop(recording_id, None)
        if file is None:
            file = ChunkFile(self._shelf.path(recording_id))
        else:
            file.refresh()
        self._files[recording_id] = file
        while len(self._files) > _FILES_KNOWN:
            del self._files[next(iter(self._files))]
        return file

    def _sealer(self, recording_id: str) -> Sealer:
        return self._vault.sealer(rows.key_id(recording_id))

    def _noted(self, kind: str, recording_id: str, call_id: str, **detail: Any) -> None:
        if self._note is not None:
            self._note(kind, call_id=call_id, detail={"recording": recording_id, **detail})

    def _noted_if_possible(self, kind: str, recording_id: str, call_id: str, **detail: Any) -> None:
        """For what has to be done whether or not it can be proven."""
        try:
            self._noted(kind, recording_id, call_id, **detail)
        except VaultError:
            logger.error("what became of a recording could not be noted", extra={"kind": kind})


def _row(recording_id: str, call_id: str, *, start_samples: int, clock_hz: int, rate_hz: int) -> dict[str, Any]:
    return {
        "id": recording_id,
        "call_id": call_id,
        "state": "live",
        "start_samples": start_samples,
        "clock_hz": clock_hz,
        "rate_hz": rate_hz,
        "frames": 0,
        "chunks": 0,
    }
