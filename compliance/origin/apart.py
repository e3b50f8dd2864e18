"""A file's manifest, read in a process of its own: the file may be anybody's, and a reader may fall over it.

    verdict = await verdict_apart(path, anchors=read_anchors(home))
    python -m compliance.origin.apart FILE CPU_S MEMORY_BYTES < asked > verdict

`FILE` is the number of the open file. What comes in is JSON with the anchors and, of a file whose own manifest was
stripped, that one; what goes out is the verdict.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import struct
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from compliance.confined import Bounds, confine, start
from compliance.errors import ProvenanceError
from compliance.provenance import Verdict, judged, mapped

LIMIT_S = 60
MEMORY_BYTES = 2 << 30
"""Beside the file itself."""
UNREAD = "manifest.unread"
"""Ours, not C2PA's: reading it took too much time or memory, or failed."""
_HERE = "compliance.origin.apart"


async def verdict_apart(
    path: Path, *, anchors: bytes | None, manifest: bytes | None = None, limit_s: float = LIMIT_S
) -> Verdict:
    """As `provenance.verify`, or with `manifest` as `provenance.recovered`; this process only waits.

    A file that its reader cannot cope with says nothing of itself, and has the problem `UNREAD`. Raises
    `ProvenanceError` when there is no such file.
    """
    asked = json.dumps({"anchors": _text(anchors), "manifest": _text(manifest)}).encode("ascii")
    async with contextlib.AsyncExitStack() as started:
        try:
            file = await asyncio.to_thread(path.open, "rb")
            with file:
                limits = (str(int(limit_s)), str(MEMORY_BYTES + os.fstat(file.fileno()).st_size))
                process = await start(
                    started, _HERE, str(file.fileno()), *limits,
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, pass_fds=(file.fileno(),),
                )  # fmt: skip
        except OSError as error:
            raise ProvenanceError(f"{path}: cannot be read ({error.strerror}).") from error
        try:
            async with asyncio.timeout(limit_s):
                told, _ = await process.communicate(asked)
        except TimeoutError:
            told = b""
    return _verdict(told)


def _verdict(told: bytes) -> Verdict:
    try:
        value = json.loads(told)
        return Verdict(**{**value, "problems": tuple(value["problems"])})
    except (ValueError, KeyError, TypeError):
        return Verdict(found=False, problems=(UNREAD,))


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def main() -> None:
    """The process."""
    file: BinaryIO = io.BufferedReader(io.FileIO(int(sys.argv[1])))
    asked: dict[str, Any] = json.load(sys.stdin)
    _warm()
    with mapped(file) as data:
        confine(Bounds(int(sys.argv[2]), int(sys.argv[3])))
        verdict = judged(file, data, manifest=_bytes(asked["manifest"]), anchors=_bytes(asked["anchors"]))
        sys.stdout.write(json.dumps(asdict(verdict)))
        sys.stdout.flush()
    os._exit(0)


def _warm() -> None:
    """Look at a file of ours: what the library loads at first use can be loaded now alone."""
    form = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16, b"data", 0
    )
    judged(io.BytesIO(form), form)


if __name__ == "__main__":
    main()
