"""A console on a real server with a real store, and people who use it: operators, strangers, thieves."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI

from compliance.console.app import console
from compliance.console.desk import Desk
from compliance.console.operators import Operator, Operators
from compliance.console.passphrase import Passphrases
from compliance.console.sections import Section
from compliance.console.totp import STEP_S, new_secret
from compliance.evidence import Evidence
from compliance.ledger import Ledger
from compliance.proofs.signing import Signer
from compliance.settings import ConsoleSettings
from compliance.vault import Vault

PASSPHRASE = "vier farbige Enten im Regen"
START_S = 1_795_000_000.0
_LIMIT_S = 15.0
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Clock:
    """Unix time that stands still until it is turned."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        return self.now_s

    def turn(self, seconds: float) -> None:
        self.now_s += seconds


class Person:
    """Somebody with a browser: keeps cookies, follows nothing by itself."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=_LIMIT_S, follow_redirects=False)
        self._clock = clock
        self.csrf = ""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, data: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
        """With the CSRF token that this person has, if any."""
        fields = {**({"csrf": self.csrf} if self.csrf else {}), **(data or {})}
        return await self.http.post(path, data=fields, **options)

    async def door(self) -> str:
        """Load the sign-in page, and return its token."""
        return csrf_of(await self.get("/console/sign-in"))

    async def try_to_sign_in(
        self, name: str, code: str, *, passphrase: str = PASSPHRASE, onward: str = "/"
    ) -> httpx.Response:
        fields = {"csrf": await self.door(), "name": name, "passphrase": passphrase, "code": code, "next": onward}
        return await self.http.post("/console/sign-in", data=fields)

    async def sign_in(self, name: str, secret: str) -> None:
        """As the operator would: with the next code that was not used."""
        self._clock.turn(STEP_S)
        response = await self.try_to_sign_in(name, code_of(secret, self._clock))
        assert response.status_code == 303, response.text
        self.csrf = csrf_of(await self.get("/console/account"))


@dataclass
class House:
    """The console and who may use it."""

    home: Path
    url: str
    app: FastAPI
    desk: Desk
    evidence: Evidence
    ledger: Ledger
    clock: Clock
    operators: Operators
    secrets: dict[str, str]
    people: list[Person] = field(default_factory=list)

    def stranger(self) -> Person:
        person = Person(self.url, self.clock)
        self.people.append(person)
        return person

    async def signed_in(self, name: str) -> Person:
        person = self.stranger()
        await person.sign_in(name, self.secrets[name])
        return person

    async def noted(self) -> list[str]:
        """The kinds of all that is in the ledger, the oldest first."""
        return [entry.kind for entry in reversed(await self.evidence.recent(1_000))]

    async def last(self) -> Mapping[str, Any]:
        """The detail of what was noted last."""
        return (await self.evidence.recent(1))[0].detail or {}

    def code(self, name: str) -> str:
        """The code of this moment."""
        return code_of(self.secrets[name], self.clock)


def csrf_of(response: httpx.Response) -> str:
    found = _CSRF.search(response.text)
    assert found, response.text
    return found[1]


def code_of(secret: str, clock: Clock) -> str:
    return pyotp.TOTP(secret).at(int(clock.now_s))


def cheap_passphrases() -> Passphrases:
    """argon2id at its lowest cost: the cost is not what these tests are about."""
    return Passphrases(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def add_operator(vault: Vault, name: str, role: str, secret: str) -> Operator:
    hashed = await cheap_passphrases().hash(PASSPHRASE)
    return await Operators(vault).add(name, role, passphrase_hash=hashed, totp_secret=secret)


@asynccontextmanager
async def opened_house(
    home: Path,
    *,
    settings: ConsoleSettings | None = None,
    parts: Sequence[Section] | None = (),
    operators: Mapping[str, str] = {"ada": "owner", "rob": "reviewer"},
    furnish: Callable[[Vault, Evidence], Mapping[str, Any]] = lambda *_: {},
    **more: Any,
) -> AsyncIterator[House]:
    """A console with these operators and their roles, with its own pages alone or all (`parts=None`).

    `more`, and what `furnish` makes, goes onto the desk.
    """
    clock = Clock()
    async with Vault(home, now=clock) as vault, opened_ledger(home, vault) as ledger:
        evidence = Evidence(vault, ledger)
        secrets = {name: new_secret() for name in operators}
        for name, role in operators.items():
            await add_operator(vault, name, role, secrets[name])
        desk = Desk(
            vault=vault,
            evidence=evidence,
            owner_name="Ada Example",
            settings=settings or ConsoleSettings(),
            now=clock,
            **more,
            **furnish(vault, evidence),
        )
        inner = console(desk, parts=parts, passphrases=cheap_passphrases(), clock=clock)
        app = FastAPI()
        app.mount("/console", inner)
        async with serving(app) as url:
            house = House(home, url, inner, desk, evidence, ledger, clock, Operators(vault), secrets)
            try:
                yield house
            finally:
                for person in house.people:
                    await person.http.aclose()


@asynccontextmanager
async def opened_ledger(home: Path, vault: Vault) -> AsyncIterator[Ledger]:
    """The ledger of a home, for an open vault."""
    signer = await asyncio.to_thread(Signer.open, home, vault.master)
    ledger = Ledger(home / "ledger", signer, mirror=home / "mirror")
    await asyncio.to_thread(ledger.open)
    try:
        yield ledger
    finally:
        await vault.flush()
        await asyncio.to_thread(ledger.close)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve on an ephemeral port until the block is left; gives the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, timeout_graceful_shutdown=2, access_log=False, proxy_headers=False
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="console-server")
    try:
        async with asyncio.timeout(_LIMIT_S):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
