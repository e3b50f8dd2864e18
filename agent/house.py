"""The house: what one process holds, and the `Host` that the channels see."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.assembly import assemble
from agent.engines.lineup import Lineup
from agent.engines.voice.prepared import Prepared, prepare, without_leading_silence
from agent.lag import LoopLag
from agent.run import LiveCall, Opening
from agent.settings import Settings
from agent.timing import TurnTimes
from agent.turns import silero
from channels.call import Call, Caller, Channel, Refusal
from channels.wire import Wire
from compliance.disclosure import disclosure
from compliance.errors import CallRefused, VaultError
from compliance.vault import Vault
from persona.home import Persona
from persona.prompt import Caller as KnownCaller
from persona.prompt import Prompt, Turn, compose

logger = logging.getLogger(__name__)

OUTLET_RATES_HZ = (8_000, 48_000)
"""What the channels' wires run at: the telephone, and Opus in the browser."""

END_LIMIT_S = 15.0
"""How long calls that were told to end may take."""
BUSY = "All lines to this twin are busy. Please try again in a few minutes."
LEAVING = "This twin is being restarted. Please try again in a minute."
NOT_READY = "This twin is not ready to talk. Please try again later."


class House:
    """Everything the calls of one process share. `start` before serving, `close` after."""

    def __init__(
        self, settings: Settings, persona: Persona, environment: Mapping[str, str], *, home: Path
    ) -> None:
        self.settings = settings
        self.persona = persona
        self.home = home
        cache = home / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        self.lineup = Lineup(settings, environment, persona, cache=cache)
        self.vault = Vault(home, settings.store)
        self.timings: deque[TurnTimes] = deque(maxlen=1_000)
        """The last turns of ended calls."""
        self.calls_total = 0
        self.lag = LoopLag()
        self.phone: Counter[str] = Counter()
        """What the phone channel refused and why; its README names the counters."""
        self._texts = disclosure(settings.twin.language, owner=persona.profile.name)
        self._cache = cache
        self._live: dict[str, LiveCall] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self.openings: dict[int, Opening] = {}
        """By the outlet's rate."""
        self._draining = False
        self._ready = False

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """The calls in progress."""
        return tuple(self._live.values())

    async def start(self) -> None:
        """Open the store, start the engines, prepare the disclosure. Raises `TwinError`: one line each."""
        try:
            await self.vault.open()
            silero.load()
            await self.lineup.start()
            for rate_hz in OUTLET_RATES_HZ:
                self.openings[rate_hz] = Opening(
                    await self._prepare(self._texts.text, self._texts.language, rate_hz),
                    await self._prepare(self._texts.apology, self._texts.language, rate_hz),
                    self._texts.apology,
                )
        except BaseException:
            await self.close()
            raise
        self.lag.start()
        self.lineup.fetch_models()
        self._ready = True

    async def drain(self) -> None:
        """Take no further calls and let those in progress end, up to the limit; then end them."""
        self._draining = True
        if await self._all_over(self.settings.limits.drain_s):
            return
        for live in self.live:
            live.hang_up("server_stopping")
        await self._all_over(END_LIMIT_S)

    async def _all_over(self, limit_s: float) -> bool:
        try:
            await asyncio.wait_for(self._empty.wait(), limit_s)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Free everything, within limits."""
        self._draining = True
        await self.lag.close()
        await self.lineup.close()
        await self.vault.close()

    def health(self) -> str:
        """Empty when calls can be served, or one line that says why not."""
        if not self._ready:
            return "starting"
        if self._draining:
            return "draining"
        return self.vault.health() or ""

    def status(self) -> dict[str, Any]:
        """What the page shows: who this is, what serves, and which models are on their way."""
        return {
            "name": self.persona.profile.name,
            "engines": self.lineup.names,
            "models": [
                {
                    "name": model.name,
                    "state": model.state,
                    "done_bytes": model.done_bytes,
                    "total_bytes": model.total_bytes,
                }
                for model in self.lineup.models
                if model.state != "absent"
            ],
            "notices": self._notices(),
        }

    def refusal(self) -> Refusal | None:
        if self._draining:
            return Refusal("draining", LEAVING)
        if not self._ready or self.vault.health():
            return Refusal("not_ready", NOT_READY)
        if len(self._live) >= self.settings.limits.max_calls:
            return Refusal("capacity", BUSY)
        return None

    def begin(self, channel: Channel, wire: Wire, caller: Caller, *, reference: str | None = None) -> Call:
        refusal = self.refusal()
        if refusal is not None:
            raise CallRefused(refusal.spoken)
        live = assemble(
            channel,
            wire,
            caller,
            reference,
            settings=self.settings,
            profile=self.persona.profile,
            lineup=self.lineup,
            vault=self.vault,
            opening=self.openings[wire.rate_hz],
            compose=self._compose,
        )
        self._live[live.call.id] = live
        self._empty.clear()
        return live.call

    async def carry(self, call: Call) -> None:
        live = self._live[call.id]
        self.calls_total += 1
        try:
            self.vault.begin_call(call.id, channel=call.channel, subject=call.caller.subject)
            await live.run()
        except VaultError as error:
            logger.error("the call cannot be kept", extra={"call": call.id, "code": error.code})
            await call.wire.close("vault_failed")
        finally:
            del self._live[call.id]
            if not self._live:
                self._empty.set()
            self.timings.extend(live.timing.turns)
            self._finish(call.id, live.reason)

    def end(self, reference: str, reason: str) -> bool:
        for live in self._live.values():
            if live.call.reference == reference:
                live.hang_up(reason)
                return True
        return False

    async def spend(self, nonce: str, expires_at: datetime) -> bool:
        return await self.vault.spend_token(nonce, expires_at.timestamp())

    def _finish(self, call_id: str, reason: str) -> None:
        try:
            self.vault.end_call(call_id, reason)
        except VaultError:
            logger.error("the call's end could not be kept", extra={"call": call_id})

    def _compose(self, caller: KnownCaller, turns: tuple[Turn, ...]) -> Prompt:
        return compose(
            self.persona,
            turns,
            self.settings.persona,
            language=self.settings.twin.language,
            caller=caller,
            found=self.lineup.grounded.search(turns[-1].text) if turns else (),
        )

    async def _prepare(self, text: str, language: str, rate_hz: int) -> Prepared:
        settings = self.settings.voice.model_dump_json()
        made = await prepare(
            self.lineup.voice, text, language, rate_hz, folder=self._cache / "prepared", settings=settings
        )
        return without_leading_silence(made)

    def _notices(self) -> list[str]:
        notices = []
        names = self.lineup.names
        if names["speech"] == "pocketsphinx":
            notices.append("PocketSphinx listens: short, clear English sentences work best.")
        notices += [
            f"The Whisper model {model.name} is not here and is not being fetched: see `twin doctor`."
            for model in self.lineup.models
            if model.state == "absent"
        ]
        if names["brain"] == "grounded":
            notices.append("No language model is configured: answers come from the owner's own facts.")
        return notices
