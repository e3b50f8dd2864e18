"""The face that was enrolled: where it is kept, sealed, and what it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Literal, Protocol

Kind = Literal["photo", "clip", "head"]
KEPT: dict[Kind, str] = {"photo": "face.photo", "clip": "face.clip", "head": "face.glb"}
"""What the file of each kind is called among the clone's."""
INVENTED = "faces"
"""The folder in the home with a head that is nobody's likeness."""
WANTED: dict[str, tuple[Kind, ...]] = {"portrait": ("clip", "photo"), "head": ("head",)}
"""What each engine takes, the first that is there."""


class Clones(Protocol):
    """`compliance.clone.Clones`: sealed files of a clone."""

    async def read(self, likeness: Literal["face"], name: str) -> bytes | None: ...


async def invented(home: Path) -> bytes | None:
    """The head that is nobody's likeness; None when there is none."""
    file = home / INVENTED / KEPT["head"]
    return await asyncio.to_thread(file.read_bytes) if file.is_file() else None


async def likeness(clones: Clones, engine: str) -> tuple[Kind, bytes] | None:
    """The owner's face for an engine; None when there is none of that kind.

    Raises `ConsentMissing`, `VaultError` and `OSError`.
    """
    for kind in WANTED[engine]:
        if data := await clones.read("face", KEPT[kind]):
            return kind, data
    return None


def write_private(file: Path, data: bytes) -> None:
    """A file that is there whole or not at all, and that its owner alone can read. Raises `OSError`."""
    draft = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
            written.write(data)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
