"""Shared by the tests of the memory: calls of two people, what they told, and who still finds it in the files."""

from __future__ import annotations

from pathlib import Path

from compliance.forgetting.needles import encoded
from compliance.vault import Vault
from persona.source import Memory

ANNA, BEN = "+493011111111", "ben@example.org"
CANARY = "purple elephants drink chamomile on thursdays"


async def call(vault: Vault, subject: str | None, call_id: str = "CA1") -> None:
    """A call that was and is over."""
    vault.begin_call(call_id, channel="phone", subject=subject)
    vault.end_call(call_id, "hangup")
    await vault.flush()


def memory(
    id_: str, text: str, *, at_ms: int = 1, about: str = "", person: str = "", call_id: str = "CA1"
) -> Memory:
    return Memory(id_, text, at_ms, about, person, call_id)


def texts(memories: tuple[Memory, ...]) -> list[str]:
    return [memory.text for memory in memories]


def files_with(folder: Path, text: str) -> list[str]:
    """The files that hold it: as it is, in UTF-16, in base64, in JSON, or in hexadecimal."""
    forms = [*encoded(text), text.encode().hex().encode()]
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    ]
