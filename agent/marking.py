"""The watermark of one process: the keys it marks with, the tokens it gives, the apologies marked beforehand."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from agent.engines.voice.prepared import Prepared
from agent.home import Home
from agent.settings import load
from compliance.errors import TwinError, WatermarkError
from compliance.vault import Vault
from compliance.watermark.keys import DayKey, MarkKeys
from compliance.watermark.register import Marks
from compliance.watermark.stage import Embedding, Make, Tally, Watermark, check, make_embedder, mark
from compliance.watermark.token import CallToken

logger = logging.getLogger(__name__)

BEGIN_LIMIT_S = 3.0
"""How long a call waits for its mark; without one it apologises and ends."""
CLOSE_LIMIT_S = 5.0
SPARES = 2
"""Marks of each rate that are made before there is a call, so that its first word waits for nothing."""
MOST_APOLOGIES = 16


@dataclass(frozen=True, slots=True)
class _Spare:
    """The mark of a call to come."""

    key: DayKey
    token: CallToken
    embedder: Embedding


@dataclass(frozen=True, slots=True)
class _Apology:
    """One that is marked."""

    key: DayKey
    pcm: bytes


class Marking:
    """Started once the vault is open, before the first call."""

    def __init__(
        self,
        home: Path,
        vault: Vault,
        *,
        make: Make | None = None,
        now: Callable[[], float] = time.time,
        limit_s: float = BEGIN_LIMIT_S,
    ) -> None:
        """`make` makes embedders, ours unless another is given; `now` is Unix time in seconds."""
        self.tally = Tally()
        self._home = home
        self._vault = vault
        self._make = make or make_embedder
        self._now = now
        self._limit_s = limit_s
        self._register = Marks(vault, now=now)
        self._keys: MarkKeys | None = None
        self._apologies: dict[tuple[int, bytes], _Apology] = {}
        self._spares: dict[int, deque[_Spare]] = {}
        """By rate."""
        self._making: asyncio.Task[None] | None = None

    async def start(self, rates_hz: Iterable[int], apologies: Sequence[Prepared] = ()) -> None:
        """Read the keys, or make them; see that sound is marked at these rates, and mark the apologies.

        Raises `WatermarkError` and `VaultError`: then nothing may be said.
        """
        self._keys = await asyncio.to_thread(MarkKeys.open, self._home, self._vault.master, now=self._now)
        for rate_hz in rates_hz:
            await asyncio.to_thread(check, self._make, rate_hz)
        key = await self._key()
        for apology in apologies:
            await self._apology(apology, key)
            self._spares.setdefault(apology.rate_hz, deque())
        await self._make_spares()

    async def close(self) -> None:
        """Stop making marks for calls to come. Safe to call twice."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait([self._making], timeout=CLOSE_LIMIT_S)
            self._making = None

    def stage(self, rate_hz: int) -> Watermark:
        """The last stage of an outlet at that rate; only silence leaves until `begin`."""
        return Watermark(rate_hz, self.tally)

    async def begin(self, stage: Watermark, call_id: str, apology: Prepared) -> CallToken | None:
        """Give a call whose beginning was recorded its mark, and return what it says.

        Never raises for want of one: then the first word closes the door, and what is left is the apology. Raises
        `VaultError` when the vault takes no records.
        """
        stage.apology = self._last(apology)
        spare = self._take(stage.rate_hz) if stage.apology else None
        if spare is not None:
            stage.begin(spare.embedder)
            self._register.give(call_id, spare.token)
            return spare.token
        try:
            async with asyncio.timeout(self._limit_s):
                key = await self._key()
                stage.apology = await self._apology(apology, key)
                token = await self._register.for_call(call_id, key)
                stage.begin(await self._embedder(key, token, stage.rate_hz))
        except TwinError as error:
            logger.error("a call got no watermark", extra={"call": call_id, "code": error.code})
            return None
        except TimeoutError:
            logger.error("a call got no watermark in time", extra={"call": call_id})
            return None
        return token

    def _take(self, rate_hz: int) -> _Spare | None:
        """One that was made for today with the newest key; more are made meanwhile."""
        spares = self._spares.get(rate_hz)
        if spares is None or self._keys is None:
            return None
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._keep_spares(), name="make marks for calls to come")
        if self._keys.changed:
            spares.clear()
        while spares:
            spare = spares.popleft()
            if spare.key.day == self._today() and spare.key.generation == self._keys.known:
                return spare
        return None

    async def _keep_spares(self) -> None:
        try:
            await self._make_spares()
        except TwinError as error:
            # The next call makes its own, and says why if it cannot.
            logger.warning("no mark could be made for calls to come", extra={"code": error.code})

    async def _make_spares(self) -> None:
        for rate_hz, spares in self._spares.items():
            while len(spares) < SPARES:
                key = await self._key()
                token = await self._register.spare(key)
                spares.append(_Spare(key, token, await self._embedder(key, token, rate_hz)))

    async def of_file(self, rate_hz: int) -> tuple[Watermark, CallToken]:
        """The stage of a file that the twin speaks into, and what its mark says. Raises `TwinError`."""
        key = await self._key()
        token = await self._register.for_file(key)
        stage = self.stage(rate_hz)
        stage.begin(await self._embedder(key, token, rate_hz))
        return stage, token

    async def _embedder(self, key: DayKey, token: CallToken, rate_hz: int) -> Embedding:
        return await asyncio.to_thread(self._make, key.key, token.bits, rate_hz)

    async def _key(self) -> DayKey:
        if self._keys is None:
            raise WatermarkError("The keys of the watermark have not been read.")
        return await asyncio.to_thread(self._keys.of, self._today())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    async def _apology(self, apology: Prepared, key: DayKey) -> bytes:
        """Marked with the key of the day; once a day for all calls."""
        name = _name(apology)
        known = self._apologies.get(name)
        if known is None or known.key != key:
            token = await self._register.for_apology(key)
            pcm = await asyncio.to_thread(mark, self._make, key.key, token.bits, apology.rate_hz, apology.pcm)
            if known is None and len(self._apologies) >= MOST_APOLOGIES:
                del self._apologies[next(iter(self._apologies))]
            known = self._apologies[name] = _Apology(key, pcm)
        return known.pcm

    def _last(self, apology: Prepared) -> bytes:
        """As it was marked last, be it yesterday; empty when it never was."""
        known = self._apologies.get(_name(apology))
        return known.pcm if known is not None else b""


def _name(apology: Prepared) -> tuple[int, bytes]:
    return apology.rate_hz, sha256(apology.pcm).digest()


async def rotate(home: Home) -> int:
    """Mark with a new key of the deployment from now on; its number. Raises `TwinError`."""
    async with Vault(home.path, load(home.path).store) as vault:
        keys = await asyncio.to_thread(MarkKeys.open, home.path, vault.master)
        return await asyncio.to_thread(keys.rotate)
