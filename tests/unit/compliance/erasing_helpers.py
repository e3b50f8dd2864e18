"""Shared by the tests of erasures: a home with every store filled, and an eraser over it."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select

from compliance.erasure import Eraser, Sounds
from compliance.forgetting.forgotten import ErasureLedger
from compliance.forgetting.layout import layout, mirror_of
from compliance.forgetting.needles import Wanted, seek
from compliance.forgetting.stores import Copies, Store, files_below
from compliance.settings import StoreSettings
from compliance.store.schema import calls, recordings
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import heard

ANNA, BEN = "+493011111111", "ben@example.org"
SAID = "my purple elephants drink chamomile on thursdays, number {n}"
CITIES = ["Aachen", "Bremen", "Cottbus", "Dresden", "Erfurt", "Fulda", "Goslar", "Halle", "Ilmenau", "Jena"]
KEY = Ed25519PrivateKey.generate()


class Notes:
    """Stands for the evidence: keeps what it is told."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.details: list[dict[str, Any]] = []

    def __call__(
        self, kind: str, *, call_id: str | None = None, subject: str | None = None, detail: Any = None
    ) -> None:
        assert subject is None
        self.kinds.append(kind)
        self.details.append(dict(detail or {}))


def check(data: bytes, signature: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return True


def eraser(
    vault: Vault,
    home: Path,
    *,
    settings: StoreSettings | None = None,
    copies: Sequence[Copies] = (),
    memory: Store | None = None,
    notes: Notes | None = None,
    now: Callable[[], float] = time.time,
    sounds: Sounds | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> Eraser:
    chosen = settings or StoreSettings()
    plan = layout(vault, home, chosen, forget_search=lambda ids: None, copies=copies, memory=memory)
    return Eraser(
        vault,
        home,
        ErasureLedger(home, mirror_of(home, chosen)),
        plan.stores,
        note=notes or Notes(),
        sign=KEY.sign,
        signing_key="test",
        places=plan.places,
        skip=plan.skip,
        on_step=on_step,
        sounds=sounds,
        now=now,
    )


async def fill(vault: Vault, who: str, name: str, *, calls: int = 4, reference: str = "CA") -> None:
    """Calls of a person with turns of both sides, events, messages and an item."""
    for number in range(calls):
        call = f"{name}-{number}"
        vault.begin_call(
            call,
            channel="phone",
            subject=who,
            detail={"city": f"{name} of {CITIES[number % 10]}"},
            provider_ref=f"{reference}{name}{number}",
        )
        vault.turn_heard(call, heard(0, f"hello, this is {name} speaking, " + SAID.format(n=number)))
        vault.turn_heard(call, heard(1, f"thank you {name}, I noted the elephants of {name}", who="twin"))
        vault.event(call, "dtmf", detail={"digits": f"secret pin of {name} {number}"})
        vault.message(f"message of {name}: call me about {SAID.format(n=number)}", call_id=call, subject=who)
        vault.end_call(call, "hangup")
    await vault.put(who, "summary", f"{name} likes {SAID.format(n=99)}".encode())
    await vault.flush()


async def record_sound(vault: Vault, home: Path, call_id: str) -> Path:
    """A recording of the call: its row and its sealed file."""
    row = {
        "id": f"rec-{call_id}", "call_id": call_id, "state": "done", "started_ms": 1, "ended_ms": 2,
        "start_samples": 0, "clock_hz": 24_000, "rate_hz": 16_000, "frames": 10, "chunks": 1,
    }  # fmt: skip
    await vault.run(lambda tx: tx.connection.execute(insert(recordings), row) and None)
    path = home / "recordings" / f"rec-{call_id}.rec"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(vault.sealer(call_id).seal(b"sound of " + call_id.encode(), place="recordings"))
    return path


def leave_traces(home: Path, who: str, name: str) -> None:
    """What other parts of a house leave: logs, caches, exports, a memory in mem0's own files."""
    said = SAID.format(n=2)
    for folder in ("logs", "cache", "exports", "memory"):
        (home / folder).mkdir(exist_ok=True)
    with (home / "logs" / "twin.log").open("a") as log:
        log.write(f"starting\nheard {base64.b64encode(said.encode()).decode()}\n{name} is on the line\n")
        log.write(f"call from {who}\nstopped\n")
    (home / "cache" / f"{name}.bin").write_bytes(b"\x00" + f"this is {name} speaking, {said}".encode("utf-16-le"))
    (home / "exports" / f"{name}.json").write_text(json.dumps({"from": who, "text": said}))
    with sqlite3.connect(home / "memory" / "history.db") as history:
        history.execute("CREATE TABLE IF NOT EXISTS history (id TEXT PRIMARY KEY, memory_id TEXT, old_memory TEXT,"
                        " new_memory TEXT, event TEXT, is_deleted INTEGER)")  # fmt: skip
        history.execute(
            "CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, session_scope TEXT, content TEXT)"
        )
        memory = f"0000000a-0000-4000-8000-{len(name):06d}{sum(name.encode()):06d}"
        history.execute("INSERT INTO history VALUES (?, ?, ?, ?, 'ADD', 0)",
                        (f"h-{name}", memory, None, f"Likes tea of {name}"))  # fmt: skip
        history.execute(
            "INSERT INTO messages VALUES (?, ?, ?)", (f"m-{name}", f"user_id={who}", f"{name} likes tea")
        )
    history.close()
    with sqlite3.connect(home / "memory" / "vectors.sqlite") as vectors:
        vectors.execute("CREATE TABLE IF NOT EXISTS points (id TEXT PRIMARY KEY, point BLOB)")
        payload = json.dumps({"user_id": who, "data": f"Likes tea of {name}"}).encode()
        vectors.execute("INSERT INTO points VALUES (?, ?)", (memory, b"\x80\x04" + payload))
    vectors.close()


def hits(home: Path, who: str, name: str) -> dict[str, int]:
    """What is left of somebody in any file, by our own plain search: readable bytes, in several forms."""
    said = SAID.format(n=2)
    wanted = Wanted(names=(who,), said=(f"this is {name} speaking, {said}", f"secret pin of {name} 1"))
    sought = seek(wanted)
    plain = [who.encode(), f"Likes tea of {name}".encode(), f"sound of {name}".encode()]
    found = {}
    for path in files_below(home):
        data = path.read_bytes()
        count = sum(data.count(needle) for needle in plain)
        count += sum(1 for needle in sought.needles.hits_in(data) if needle in sought.names)
        if count:
            found[path.relative_to(home).as_posix()] = count
    return found


async def count_calls(vault: Vault) -> int:
    def work(tx: Transaction) -> int:
        return len(tx.connection.execute(select(calls.c.id)).all())

    return await vault.run(work)
