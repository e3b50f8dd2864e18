"""`twin operator`: who may use the console. Operators are added on the machine itself, never over the network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from agent.home import Home
from agent.settings import load
from compliance.console.operators import Operator, Operators, normalise_name
from compliance.console.passphrase import Passphrases, suggest, why_weak
from compliance.console.totp import new_secret, qr_text, uri
from compliance.errors import SignInRefused
from compliance.evidence import Evidence, open_evidence
from compliance.vault import Vault

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Added:
    """A new operator, and what they need to sign in: shown once, kept nowhere."""

    operator: Operator
    totp_secret: str = field(repr=False)
    totp_uri: str = field(repr=False)
    passphrase: str = field(repr=False)
    """The one that was made up; empty when they typed their own."""


async def add(home: Home, name: str, role: str, passphrase: str = "") -> Added:
    """Add an operator; without a passphrase one is made up. Raises `SignInRefused` and `VaultError`."""
    name = normalise_name(name)
    made_up = "" if passphrase else suggest()
    weak = why_weak(passphrase or made_up, name)
    if weak:
        raise SignInRefused(weak)
    secret = new_secret()
    hashed = await Passphrases().hash(passphrase or made_up)
    owner = (await asyncio.to_thread(home.persona)).profile.name
    async with AsyncExitStack() as stack:
        operators, evidence = await _open(home, stack)
        operator = await operators.add(name, role, passphrase_hash=hashed, totp_secret=secret)
        await evidence.noted("settings_changed", detail={"what": "operator added", "which": name, "role": role})
    return Added(operator, secret, uri(secret, name=name, owner=owner), made_up)


async def listed(home: Home) -> tuple[Operator, ...]:
    """All operators, the oldest first. Raises `VaultError`."""
    async with AsyncExitStack() as stack:
        operators, _ = await _open(home, stack)
        return await operators.list()


async def anybody(home: Home) -> bool:
    """Whether there is somebody who may sign in. Raises `VaultError`."""
    async with Vault(home.path, load(home.path).store) as vault:
        return any(operator.state == "active" for operator in await Operators(vault).list())


async def disable(home: Home, name: str) -> Operator:
    """Refuse an operator from now on and end their sessions. Raises `SignInRefused` and `VaultError`."""
    async with AsyncExitStack() as stack:
        operators, evidence = await _open(home, stack)
        operator = await operators.disable(name)
        await evidence.noted("settings_changed", detail={"what": "operator disabled", "which": operator.name})
    return operator


def ask_passphrase(name: str, ask: Callable[[str], str]) -> str:
    """Ask at the terminal, twice, for a passphrase; nothing typed means that one is to be made up.

    `ask` shows a question and reads an answer without showing it. Raises `SignInRefused` after three tries.
    """
    weak = ""
    for _ in range(_TRIES):
        question = "Passphrase (12 characters or more; nothing: one is made up)"
        text = ask(f"{weak} {question}".strip())
        if not text:
            return ""
        weak = why_weak(text, name) or ("" if ask("Again") == text else "The two differ.")
        if not weak:
            return text
    raise SignInRefused(weak)


def print_added(console: Console, added: Added) -> None:
    """What the new operator needs, with the QR code for the authenticator app."""
    operator = added.operator
    console.print(f"Added {operator.name} as {operator.role}. This is shown once:\n", markup=False)
    if added.passphrase:
        console.print(f"  passphrase  {added.passphrase}", markup=False, highlight=False)
    console.print(f"  secret      {added.totp_secret}\n", markup=False, highlight=False)
    # Colours of their own, so that it can be scanned from a light terminal too.
    console.print(
        qr_text(added.totp_uri), markup=False, highlight=False, style="bright_white on black", no_wrap=True
    )
    console.print("\nScan this with an authenticator app, then sign in under /console.", markup=False)


def print_list(console: Console, operators: tuple[Operator, ...]) -> None:
    """A table."""
    if not operators:
        console.print("Nobody may sign in yet: `twin operator add NAME --role owner`.", markup=False)
        return
    table = Table("name", "role", "state", "since", box=None, header_style="bold")
    for operator in operators:
        since = datetime.fromtimestamp(operator.created_ms / 1000, UTC).astimezone()
        table.add_row(operator.name, operator.role, operator.state, f"{since:%Y-%m-%d %H:%M}")
    console.print(table)


def as_json(value: Added | Operator | tuple[Operator, ...]) -> str:
    """For scripts; of a new operator with all that is shown once."""
    plain = [asdict(operator) for operator in value] if isinstance(value, tuple) else asdict(value)
    return json.dumps(plain, ensure_ascii=False, indent=2)


async def _open(home: Home, stack: AsyncExitStack) -> tuple[Operators, Evidence]:
    store = load(home.path).store
    vault = await stack.enter_async_context(Vault(home.path, store))
    return Operators(vault), await stack.enter_async_context(open_evidence(home.path, vault, store))
