"""`twin requests`, `twin access` and `twin erase`: what people asked about their data, and carrying it out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.archive import Archive, opened
from agent.home import Home
from compliance.access import Package
from compliance.erasure import Preview
from compliance.errors import RequestError
from compliance.forgetting.erasure_receipt import ErasureReceipt
from compliance.forgetting.layout import EXPORTS
from compliance.requests import Request, State

BY = "command line"


async def listed(home: Home, *, state: State | None = None, limit: int = 50) -> tuple[Request, ...]:
    """The requests, the newest first. Raises `TwinError`."""
    async with opened(home) as archive:
        return await archive.requests.list(state=state, limit=limit)


async def approve(
    home: Home, number: str, *, reason: str = "", output: Path | None = None
) -> tuple[Request, ErasureReceipt | Package]:
    """Approve a request and carry it out; one that was approved before is carried out again.

    `output` is where an access package goes; without it, into the home's exports. Raises `TwinError`.
    """
    async with opened(home) as archive:
        request = await archive.requests.get(number)
        if request.state in ("open", "verified"):
            request = await archive.requests.approve(number, by=BY, reason=reason)
        request = await archive.requests.begin(number)
        about = request.about
        done: ErasureReceipt | Package
        if request.kind == "erasure":
            done = await archive.eraser.erase(about, request_id=request.number)
        else:
            file = output or await _export(archive, about, request.number)
            done = await archive.access.write(about, file)
            ready = json.dumps({"type": "access-ready", "request": request.number})
            await archive.requests.finish(request.number, receipt=ready, done=True)
        return await archive.requests.get(number), done


async def reject(home: Home, number: str, *, reason: str) -> Request:
    """Refuse a request, with the reason that the person is told. Raises `TwinError`."""
    async with opened(home) as archive:
        return await archive.requests.reject(number, by=BY, reason=reason)


async def access(home: Home, subject: str, output: Path) -> Package:
    """Write what is kept about a person into a ZIP. Raises `TwinError`."""
    async with opened(home) as archive:
        return await archive.access.write(subject, output)


async def preview(home: Home, subject: str) -> Preview:
    """What `erase` would take. Raises `TwinError`."""
    async with opened(home) as archive:
        return await archive.eraser.preview(subject)


async def erase(home: Home, subject: str) -> tuple[ErasureReceipt, str]:
    """Erase a person; also the signed receipt, as JSON. Raises `TwinError`."""
    async with opened(home) as archive:
        done = await archive.eraser.erase(subject)
        return done, await archive.eraser.receipt(done.id) or ""


def in_words(found: Preview) -> str:
    """What would be erased, in a line, and that nothing was."""
    counts = [(found.calls, "call"), (found.texts, "text"), (found.recordings, "recording")]
    if found.meetings:
        counts.insert(1, (found.meetings, "share in a meeting"))
    listed = ", ".join(f"{count} {what if count == 1 else _several(what)}" for count, what in counts)
    held = f", {found.held} of the calls although they are held" if found.held else ""
    if not any(count for count, _ in counts):
        return f"would erase {listed}: is the subject written as it is kept (+493012345)? If so, add --yes"
    return f"would erase {listed}{held}; nothing was erased: add --yes"


def _several(what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{first}s {rest.replace('a meeting', 'meetings')}".strip()


def vacant(file: Path) -> Path:
    """A file that may be written, to be asked for before anything is erased. Raises `RequestError`."""
    if file.exists() or not file.parent.is_dir():
        raise RequestError(f"{file}: already exists, or its folder does not; name another file.")
    return file


def save(text: str, file: Path) -> None:
    """Write a signed receipt, for this user alone. Raises `RequestError` when the file is there."""
    vacant(file).touch(mode=0o600, exist_ok=False)
    file.write_text(text + "\n", "utf-8")


def as_json(entry: Request | tuple[Request, ...] | ErasureReceipt | Package | Preview) -> str:
    """For scripts: times in Unix milliseconds."""
    if isinstance(entry, tuple):
        return json.dumps([_public(request) for request in entry], ensure_ascii=False, indent=2)
    if isinstance(entry, Request):
        return json.dumps(_public(entry), ensure_ascii=False, indent=2)
    more = {"done": entry.done} if isinstance(entry, ErasureReceipt) else {}
    return json.dumps({**asdict(entry), **more}, ensure_ascii=False, indent=2, default=str)


def print_list(console: Console, requests: tuple[Request, ...], *, now: Callable[[], float]) -> None:
    """A line for each request, with how long there is."""
    if not requests:
        console.print("No requests.")
        return
    table = Table("request", "what", "from", "state", "made", "due", box=None, header_style="bold")
    table.columns[0].no_wrap = True
    for request in requests:
        made = datetime.fromtimestamp(request.created_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d")
        table.add_row(
            request.number, request.kind, Text(request.subject or "unknown"), request.state, made,
            _left(request, int(now() * 1000)),
        )  # fmt: skip
    console.print(table)


def print_receipt(console: Console, receipt: ErasureReceipt) -> None:
    """What became of each store, and whether it is done."""
    table = Table("store", "result", "erased", "found", "", box=None, header_style="bold")
    for store in receipt.stores:
        table.add_row(store.store, store.result, str(store.erased), str(store.found), Text(store.note))
    console.print(table)
    rows = sum(receipt.deleted.values())
    verdict = "done" if receipt.done else "NOT done: see the stores that are not clean"
    console.print(
        f"{rows} rows of {receipt.calls} calls{_shared(receipt)} deleted; "
        f"{receipt.needles} byte strings searched; {verdict}",
        highlight=False,
    )


def _shared(receipt: ErasureReceipt) -> str:
    return f" and of their share in {receipt.meetings} meetings" if receipt.meetings else ""


def _left(request: Request, now_ms: int) -> str:
    if request.closed:
        return ""
    if request.overdue(now_ms):
        return f"OVERDUE by {_days(-request.days_left(now_ms))}"
    return f"in {_days(request.days_left(now_ms))}"


def _days(days: float) -> str:
    """Whole ones, as the console counts them: a deadline is never said to be later than it is."""
    return "less than a day" if days < 1 else f"{int(days)} day{'' if int(days) == 1 else 's'}"


def _public(request: Request) -> dict[str, object]:
    """Without the state of its codes."""
    return {key: value for key, value in asdict(request).items() if key != "proof"}


async def _export(archive: Archive, subject: str, number: str) -> Path:
    """A file of the home's exports, named so that erasing the person takes it along."""
    lookup = await archive.vault.run(lambda tx: tx.lookup.of(subject))
    folder = archive.home / EXPORTS
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"access-{lookup[:16]}-{number}.zip"
