"""`twin calls`: what the vault keeps of the calls, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.home import Home
from agent.settings import load
from compliance.entries import CallEntry, Conversation, TurnEntry
from compliance.errors import VaultError
from compliance.minutes import by_kind, line
from compliance.overlap import overlapping
from compliance.vault import Vault

T = TypeVar("T")


async def listed(home: Home, limit: int) -> tuple[CallEntry, ...]:
    """The newest calls first. Raises `VaultError`."""
    return await _with_vault(home, lambda vault: vault.calls(limit=limit))


async def shown(home: Home, call_id: str) -> Conversation:
    """One call with all that is kept of it. Raises `VaultError`, also when there is no such call."""
    conversation = await _with_vault(home, lambda vault: vault.call(call_id))
    if conversation is None:
        raise VaultError(f"there is no call {call_id}; `twin calls list` names them")
    return conversation


def export(conversation: Conversation, file: Path, *, force: bool) -> None:
    """Write one call as JSON, for this user alone. Raises `VaultError` when the file exists, unless forced."""
    text = as_json(conversation)
    if file.exists() and not force:
        raise VaultError(f"{file}: already exists; add --force to replace it")
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(text + "\n", "utf-8")


def as_json(entry: CallEntry | Conversation | tuple[CallEntry, ...]) -> str:
    """The entries as they are: times in Unix milliseconds, positions in samples of the outlet's clock."""
    value: Any = [asdict(call) for call in entry] if isinstance(entry, tuple) else asdict(entry)
    return json.dumps(value, ensure_ascii=False, indent=2)


def print_list(console: Console, calls: tuple[CallEntry, ...]) -> None:
    if not calls:
        console.print("No calls yet.")
        return
    table = Table("call", "began", "lasted", "by", "from", "ended", box=None, header_style="bold")
    # An id that is cut cannot be given to `twin calls show`.
    table.columns[0].no_wrap = True
    table.columns[0].overflow = "fold"
    table.columns[0].min_width = 31
    for call in calls:
        ended = call.end_reason or call.state
        who = Text(", ".join(call.people) or call.subject or "unknown")
        table.add_row(call.id, _day(call.started_ms), _lasted(call), call.channel, who, ended)
    console.print(table)


def print_call(console: Console, conversation: Conversation) -> None:
    """The transcript as heard, with what happened in between, by the clock of the call."""
    call = conversation.call
    console.print(f"[bold]{call.id}[/bold]  {_day(call.started_ms)}  by {call.channel}", highlight=False)
    console.print(
        f"{_others(conversation)}, lasted {_lasted(call)}, ended: {call.end_reason or call.state}\n",
        highlight=False,
        markup=False,
    )
    table = Table("at", "who", "heard", box=None, header_style="bold")
    for at_s, who, text in sorted(_rows(conversation), key=lambda row: row[0]):
        # As text and never as markup: a caller may have said anything, square brackets included.
        table.add_row(f"{at_s:.1f} s", who, Text(text))
    console.print(table)
    for heading, entries in by_kind(conversation.minutes):
        console.print(f"\n[bold]{heading}[/bold]")
        for entry in entries:
            console.print(Text(f"- {line(entry)}"))
    for message in conversation.messages:
        console.print(Text.assemble(("\nmessage for the owner: ", "bold"), message.text))


def _rows(conversation: Conversation) -> list[tuple[float, str, str]]:
    together = overlapping(conversation.turns)
    rows: list[tuple[float, str, str]] = [
        (
            turn.start_samples / turn.rate_hz,
            _who(turn),
            _heard(turn) + (" [while others spoke]" if turn.sequence in together else ""),
        )
        for turn in conversation.turns
    ]
    names = {person.identity: person.name or person.identity for person in conversation.participants}
    for event in conversation.events:
        if event.position_samples is None or not event.rate_hz:
            at_s = (event.at_ms - conversation.call.started_ms) / 1000
        else:
            at_s = event.position_samples / event.rate_hz
        detail = ", ".join(f"{key}: {value}" for key, value in event.detail.items())
        rows.append(
            (at_s, names.get(event.speaker, event.speaker), f"({event.kind}{': ' if detail else ''}{detail})")
        )
    return rows


def _others(conversation: Conversation) -> str:
    if conversation.participants:
        return "with " + (", ".join(conversation.call.people) or "unknown")
    return f"from {conversation.call.subject or 'unknown'}"


def _who(turn: TurnEntry) -> str:
    return turn.who if turn.who == "twin" else turn.name or turn.speaker or turn.who


def _heard(turn: TurnEntry) -> str:
    """What was heard, each of the twin's sentences with where it comes from."""
    text = turn.text
    if turn.who == "twin" and turn.sentences:
        text = " ".join(f"{said.text} [{said.provenance or 'unknown'}]" for said in turn.sentences)
    return f"{text} [cut at {turn.end_samples / turn.rate_hz:.1f} s]" if turn.cut else text


def _day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _lasted(call: CallEntry) -> str:
    if call.ended_ms is None:
        return "still on"
    seconds = round((call.ended_ms - call.started_ms) / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


async def _with_vault(home: Home, ask: Callable[[Vault], Awaitable[T]]) -> T:
    settings = load(home.path)
    async with Vault(home.path, settings.store) as vault:
        return await ask(vault)
