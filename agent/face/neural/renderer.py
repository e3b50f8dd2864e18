"""The side of a renderer of one's own: a program that turns speech into pictures, for `[face] engine = "neural"`.

It needs Python 3.8 and nothing else, so that it can be copied into the environment of the network:

    from renderer import Face, Renderer, serve

    class MyFace(Face):                                     # one for each call
        def speech(self, utterance, offset, pcm, last):     # int16 mono at rate_hz
            for at, rgb in self.model.frames(pcm):
                yield offset + at, rgb                      # which sample the picture shows, and the picture
        def clear(self): self.model.reset()                 # an interruption: none of it will sound
        def idle(self): return self.still                   # a picture of the face in silence, or None

    class MyRenderer(Renderer):
        name, width, height, fps, rate_hz, kind = "mine", 512, 512, 25, 16000, "rgb"
        def open(self): return MyFace()

    serve(MyRenderer())

`serve` speaks this protocol over stdin and stdout. A message is two big-endian uint32, the lengths of a JSON
header and of a binary payload, then both. The header's `op` says what it is; `call` is a number for each call.

    to the program     open   {call}
                       speech {call, epoch, utterance, offset, last}   payload: int16 mono at rate_hz
                       clear  {call, epoch}                            what was given before will not sound
                       close  {call}
    from the program   ready  {version, name, width, height, fps, rate_hz, kind}   first, once it has loaded
                       frame  {call, epoch, utterance, offset}         payload: the picture; idle without utterance
                       done   {call}                                   a `speech` was worked off, or skipped
                       error  {message}                                why it cannot work, then it ends

`offset` counts samples at rate_hz from the first of the utterance; that of a frame is the sample it shows. `kind`
is rgb, rgba, i420 or jpeg. `epoch` comes back as it was given; frames of an old one are thrown away. Speech comes
up to two seconds before it sounds, and its pictures should come well before it does. The program ends with its
stdin.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, BinaryIO

VERSION = 1
LENGTHS = struct.Struct(">II")
MAX_HEADER_BYTES = 64 * 1024
MAX_PAYLOAD_BYTES = 64 * 1024 * 1024
MAX_WAITING = 4096


class Face(ABC):
    """One call's face."""

    @abstractmethod
    def speech(self, utterance: int, offset: int, pcm: bytes, last: bool) -> Iterable[tuple[int, bytes]]:
        """The pictures that this speech makes possible, each with the sample that it shows.

        Speech comes in order. What needs more of it is kept for the next call; `last` says that none follows,
        and may come with no sound. It is not asked for more once an interruption came.
        """

    def clear(self) -> None:  # noqa: B027  there may be nothing to forget
        """An interruption: forget all speech."""

    def idle(self) -> bytes | None:
        """The next picture of the face in silence; None to leave silence to the twin's own face."""
        return None


class Renderer(ABC):
    """What makes faces, and what their pictures are like. It is loaded before `serve`."""

    name = "renderer"
    width = 512
    height = 512
    fps = 25
    rate_hz = 16000
    kind = "rgb"

    @abstractmethod
    def open(self) -> Face:
        """A new call's face."""


def encode(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """A message as bytes."""
    head = json.dumps(header).encode()
    return LENGTHS.pack(len(head), len(payload)) + head + payload


class _Call:
    def __init__(self, face: Face, now: float) -> None:
        self.face = face
        self.epoch = 0
        self.next_idle = now


class _Served:
    """The program's two ends; a thread reads, so that an interruption is seen during work."""

    def __init__(self, renderer: Renderer, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._renderer = renderer
        self._stdin = stdin
        self._stdout = stdout
        self._jobs: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue(MAX_WAITING)
        self._epochs: dict[int, int] = {}
        """The newest of each call, also of what still waits."""
        self._calls: dict[int, _Call] = {}

    def run(self) -> None:
        threading.Thread(target=self._read, name="twin", daemon=True).start()
        mine = self._renderer
        about = {"name": mine.name, "width": mine.width, "height": mine.height, "fps": mine.fps}
        self._send({"op": "ready", "version": VERSION, **about, "rate_hz": mine.rate_hz, "kind": mine.kind})
        while True:
            try:
                header, payload = self._jobs.get(timeout=self._pause_s())
            except queue.Empty:
                self._idle()
            else:
                self._work(header, payload)

    def _read(self) -> None:
        while True:
            lengths = self._stdin.read(LENGTHS.size)
            if len(lengths) < LENGTHS.size:
                os._exit(0)
            head_bytes, payload_bytes = LENGTHS.unpack(lengths)
            header = json.loads(self._stdin.read(head_bytes) or b"{}")
            payload = self._stdin.read(payload_bytes)
            if not header or len(payload) < payload_bytes:
                os._exit(0)
            if header["op"] == "clear":
                self._epochs[header["call"]] = header["epoch"]
            self._jobs.put((header, payload))

    def _work(self, header: dict[str, Any], payload: bytes) -> None:
        op, number = header["op"], header["call"]
        if op == "open":
            self._calls[number] = _Call(self._renderer.open(), time.monotonic())
        elif op == "close":
            self._calls.pop(number, None)
            self._epochs.pop(number, None)
        elif number in self._calls and op == "clear":
            self._calls[number].face.clear()
            self._calls[number].epoch = header["epoch"]
        elif number in self._calls and op == "speech":
            self._speech(self._calls[number], header, payload)

    def _speech(self, call: _Call, header: dict[str, Any], payload: bytes) -> None:
        number, epoch, utterance = header["call"], header["epoch"], header["utterance"]
        call.epoch = max(call.epoch, epoch)
        if epoch >= self._epochs.get(number, 0):
            for offset, picture in call.face.speech(utterance, header["offset"], payload, header["last"]):
                if epoch < self._epochs.get(number, 0):
                    break
                self._frame(number, epoch, utterance, offset, picture)
        self._send({"op": "done", "call": number})
        call.next_idle = time.monotonic()

    def _pause_s(self) -> float | None:
        """How long until somebody's idle picture is due."""
        if not self._calls:
            return None
        return max(0.0, min(call.next_idle for call in self._calls.values()) - time.monotonic())

    def _idle(self) -> None:
        now = time.monotonic()
        for number, call in self._calls.items():
            if call.next_idle <= now:
                call.next_idle = max(call.next_idle + 1 / self._renderer.fps, now)
                picture = call.face.idle()
                if picture is not None:
                    self._frame(number, call.epoch, None, 0, picture)

    def _frame(self, number: int, epoch: int, utterance: int | None, offset: int, picture: bytes) -> None:
        self._send(
            {"op": "frame", "call": number, "epoch": epoch, "utterance": utterance, "offset": offset},
            bytes(picture),
        )

    def _send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        self._stdout.write(encode(header, payload))
        self._stdout.flush()


def serve(renderer: Renderer) -> None:
    """Work until the twin is gone. What is printed goes to stderr: stdout belongs to the protocol."""
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _Served(renderer, stdin, stdout).run()
    except BrokenPipeError:
        sys.exit(0)


def refuse(message: str) -> None:
    """Instead of `serve`: say in one line why this program cannot work, e.g. where its weights belong, and end."""
    sys.stdout.buffer.write(encode({"op": "error", "message": message}))
    sys.stdout.buffer.flush()
    sys.exit(1)
