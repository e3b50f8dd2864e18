"""What the twin knows of having met somebody before: their consent to be remembered, their name, since when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from compliance.errors import KeyGone
from persona.introduced import same_name

KIND = "acquaintance"
"""The kind under which the vault keeps it, sealed under the person's own key."""
MOST_NAMES = 8
"""On one number; of more, those who were heard last."""


class Shelf(Protocol):
    """What this needs of `compliance.vault.Vault`."""

    async def get(self, subject: str, kind: str) -> bytes | None: ...

    async def put(self, subject: str, kind: str, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """One number's, address's or identity's. All empty: nobody who is remembered ever called from there."""

    consented_ms: int | None = None
    """When they said that they may be remembered, in Unix milliseconds."""
    names: tuple[str, ...] = ()
    """How they introduced themselves, the last to be heard last; several share the line."""
    last_heard_ms: int | None = None
    """When their last call ended."""

    def heard(self, name: str, at_ms: int) -> Acquaintance:
        """The same after a call in which they gave that name, or none. A fuller name replaces a shorter one."""
        names = self.names
        if name:
            fuller = max([name, *(known for known in names if same_name(name, known))], key=len)
            names = (*(known for known in names if not same_name(name, known)), fuller)[-MOST_NAMES:]
        return replace(self, names=names, last_heard_ms=at_ms)


async def read(shelf: Shelf, subject: str) -> Acquaintance:
    """What is known of them. Raises `VaultError`; of somebody who was forgotten nothing is."""
    try:
        data = await shelf.get(subject, KIND)
    except KeyGone:
        data = None
    return Acquaintance() if data is None else _of(json.loads(data))


async def write(shelf: Shelf, subject: str, acquaintance: Acquaintance) -> None:
    """Keep it. Only for somebody who agreed. Raises `VaultError`."""
    value = {
        "consented_ms": acquaintance.consented_ms,
        "names": list(acquaintance.names),
        "last_heard_ms": acquaintance.last_heard_ms,
    }
    await shelf.put(subject, KIND, json.dumps(value, ensure_ascii=False).encode())


def _of(value: Mapping[str, Any]) -> Acquaintance:
    return Acquaintance(value.get("consented_ms"), tuple(value.get("names", ())), value.get("last_heard_ms"))
