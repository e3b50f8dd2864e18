"""The house: what one process holds, and the `Host` that the channels see."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent.archive import Archive
from agent.assembly import assemble
from agent.cloned import ClonedVoice, remove
from agent.engines.lineup import Lineup
from agent.engines.voice.prepared import Prepared, prepare, without_leading_silence
from agent.face.lineup import Faces
from agent.lag import LoopLag
from agent.marking import Marking
from agent.meeting.addressee.said import Mode
from agent.meeting.assembly import convene
from agent.meeting.minutes.secretary import Owner, Secretary
from agent.mind import Mind
from agent.opening import CLONED, PREPARED, Openings, texts_of
from agent.run import LiveCall
from agent.settings import Settings
from agent.timing import TurnTimes
from agent.turns import silero
from channels.call import Call, Caller, Channel, Refusal
from channels.twilio.copies import TwilioCopies
from channels.twilio.rest import TwilioRest
from channels.twilio.settings import TwilioSecrets
from channels.wire import Wire
from compliance.disclosure import Kept
from compliance.errors import CallRefused, ConsentMissing, VaultError
from compliance.jurisdiction import table
from compliance.language import answers, intents
from compliance.likeness.permits import Permit
from compliance.likeness.statement import EVERYWHERE, Likeness
from compliance.vault import Vault
from compliance.watermark.stage import Watermark
from persona.home import Persona
from persona.voice.dataset import REFERENCE
from persona.voice.reader import of_home

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
        self,
        settings: Settings,
        persona: Persona,
        environment: Mapping[str, str],
        *,
        home: Path,
        late_spare: bool = False,
    ) -> None:
        """`late_spare`: see `Lineup`."""
        self.settings = settings
        self.persona = persona
        self.home = home
        self.environment = environment
        cache = home / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        self._rest = TwilioRest(settings.twilio, TwilioSecrets.from_environment(environment))
        self.archive = Archive(
            settings,
            home=home,
            owner_name=persona.profile.name,
            send_code=self._text_code if settings.twilio.sms_number else None,
            environment=environment,
            copies=(TwilioCopies(self._rest),) if environment.get("TWILIO_ACCOUNT_SID") else (),
        )
        self.mind = Mind(settings, persona, self.archive, self._rest, environment, home=home)
        self.lineup = Lineup(
            settings,
            environment,
            persona,
            cache=cache,
            attribute=self.mind.attribute,
            reader=of_home(home),
            late_spare=late_spare,
        )
        self.faces = Faces(
            settings.face,
            name=persona.profile.name,
            language=settings.twin.language,
            cache=cache,
            clones=lambda: self.archive.clones,
            permit=self._shown,
            home=home,
            secrets=environment,
        )
        self.timings: deque[TurnTimes] = deque(maxlen=1_000)
        """The last turns of ended calls."""
        self.calls_total = 0
        self.lag = LoopLag()
        self.phone: Counter[str] = Counter()
        """What the phone channel refused and why; its README names the counters."""
        self.marking = Marking(home, self.archive.vault)
        self._texts = texts_of(home, settings.twin.language, persona.profile.name)
        self._cache = cache
        self._live: dict[str, LiveCall] = {}
        self._unmarked: dict[str, Watermark] = {}
        """The last stages of calls that were begun and not carried yet: they let nothing sound."""
        self._empty = asyncio.Event()
        self._empty.set()
        self.openings = Openings(self._texts, OUTLET_RATES_HZ, self._prepare_own, self._prepare_own)
        """In the built-in voice where the chosen one is a clone."""
        self.cloned: ClonedVoice | None = None
        """Where the chosen voice is a clone: what serves while the consent stands."""
        if settings.voice.cloned:
            cloned = Openings(self._texts, OUTLET_RATES_HZ, self._prepare_cloned, self._prepare_own)
            self.cloned = ClonedVoice(
                cloned,
                cache / CLONED,
                self._permit,
                self._imitate,
                self.lineup.forget_voice,
                consent=self._consent,
            )
        else:
            self.openings = Openings(self._texts, OUTLET_RATES_HZ, self._prepare, self._prepare)
        self._draining = False
        self._ready = False

    @property
    def vault(self) -> Vault:
        """Where everything about people is."""
        return self.archive.vault

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """The calls in progress."""
        return tuple(self._live.values())

    async def start(self) -> None:
        """Open the store, start the engines, prepare the disclosure. Raises `TwinError`: one line each."""
        try:
            await asyncio.to_thread(_warm, self.settings.twin.language)
            await self.archive.open()
            await self.mind.start()
            self.lineup.grounded.bind(self.persona, self.mind.knowledge)
            silero.load()
            await self.lineup.start()
            await self.openings.start()
            apologies = [self.openings.of(rate_hz, "words").apology for rate_hz in OUTLET_RATES_HZ]
            await self.marking.start(OUTLET_RATES_HZ, apologies)
            if self.cloned is None:
                await asyncio.to_thread(remove, self._cache / CLONED)
            else:
                await self.cloned.start()
            # Last: drawing it takes a core for a second or two, and calls need not wait for it.
            self.faces.start()
        except BaseException:  # also when it is cancelled: what was started is closed
            await self.close()
            raise
        self.archive.serve()
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
        if self.cloned is not None:
            await self.cloned.close()
        await self.faces.close()
        await self.openings.close()
        await self.marking.close()
        await self.lineup.close()
        await self.mind.close()
        await self.archive.close()
        await self._rest.close()

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
            "engines": self.names,
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
        flow = self.archive.flow(caller.subject, channel)
        kept: Kept = "words" if flow.transcription == "notice" else "nothing"
        permit = self.cloned.permit if self.cloned is not None else None
        openings = self.cloned.openings if self.cloned is not None and permit is not None else self.openings
        make = partial(convene, secretary=self._secretary) if channel == "room" else assemble
        mark = self.marking.stage(wire.rate_hz)
        live = make(
            channel,
            wire,
            caller,
            reference,
            settings=self.settings,
            profile=self.persona.profile,
            lineup=self.lineup,
            vault=self.vault,
            opening=openings.of(wire.rate_hz, kept),
            flow=flow,
            office=self.archive.office(self._texts[kept], self._remember),
            voice=self.lineup.own_voice if self.cloned is not None and permit is None else self.lineup.voice,
            permit=permit,
            mind=self.mind,
            faces=self.faces,
            mark=mark,
        )
        self._live[live.call.id], self._unmarked[live.call.id] = live, mark
        self._empty.clear()
        return live.call

    def meet_in(self, call_id: str, mode: Mode) -> None:
        """How the twin takes part in a meeting, from now on; without effect on other calls."""
        live = self._live.get(call_id)
        if live is not None:
            live.meet_in(mode)

    async def carry(self, call: Call) -> None:
        live = self._live[call.id]
        self.calls_total += 1
        try:
            self.vault.begin_call(
                call.id,
                channel=call.channel,
                subject=call.caller.subject,
                language=call.language,
                provider_ref=call.provider_ref,
            )
            await self._mark(live)
            await live.run()
        except VaultError as error:
            logger.error("the call cannot be kept", extra={"call": call.id, "code": error.code})
            await call.wire.close("vault_failed")
        finally:
            self.faces.leave(call.id)
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

    async def _mark(self, live: LiveCall) -> None:
        """From now on the twin can be heard, and the ledger proves of which call this mark is."""
        mark = self._unmarked.pop(live.call.id)
        token = await self.marking.begin(mark, live.call.id, live.opening.apology)
        if token is not None:
            self.archive.evidence.note("watermarked", call_id=live.call.id, detail={"token": token.text})

    def _finish(self, call_id: str, reason: str) -> None:
        try:
            self.vault.end_call(call_id, reason)
            self.mind.call_ended()
        except VaultError:
            logger.error("the call's end could not be kept", extra={"call": call_id})

    def _secretary(self, call_id: str, clock_hz: int) -> Secretary:
        profile, meeting = self.persona.profile, self.settings.meeting
        owner = Owner((profile.name, *filter(None, [profile.called]), *meeting.nicknames), meeting.owner)
        sounds, refine = self.archive.recordings, self.mind.minutes()
        return Secretary(self.vault, call_id, owner=owner, clock_hz=clock_hz, recordings=sounds, refine=refine)

    async def _prepare(self, text: str, language: str, rate_hz: int) -> Prepared:
        return await self._prepared(text, language, rate_hz, folder=PREPARED)

    async def _prepare_cloned(self, text: str, language: str, rate_hz: int) -> Prepared:
        """Raises `ConsentMissing` too."""
        if self._permit() is None:
            raise ConsentMissing("The owner's consent to the cloned voice was revoked or is over.")
        return await self._prepared(text, language, rate_hz, folder=CLONED)

    async def _prepared(self, text: str, language: str, rate_hz: int, *, folder: str) -> Prepared:
        settings = f"{self.settings.voice.model_dump_json()} {self.lineup.sounding}"
        made = await prepare(
            self.lineup.voice, text, language, rate_hz, folder=self._cache / folder, settings=settings
        )
        return without_leading_silence(made)

    async def _prepare_own(self, text: str, language: str, rate_hz: int) -> Prepared:
        """In the built-in voice, which imitates nobody: it must sound when the clone may not."""
        made = await prepare(
            self.lineup.own_voice,
            text,
            language,
            rate_hz,
            folder=self._cache / PREPARED,
            settings=self.lineup.sounding,
        )
        return without_leading_silence(made)

    async def _remember(self, call: Call, keep: bool) -> None:
        await self._live[call.id].remember(keep)

    async def _imitate(self) -> bool:
        """Whether there is a voice to speak in. Raises `ConsentMissing` and `EngineError`."""
        sample = await self.archive.clones.read("voice", REFERENCE)
        if sample is not None:
            await self.lineup.imitate(sample)
        return self.lineup.has_voice

    def _consent(self) -> str:
        """The id of the owner's consent to the cloned voice; empty without one."""
        standing = self.archive.permits.standing("voice")
        return standing.consent_id if standing is not None else ""

    def _permit(self) -> Permit | None:
        """The owner's consent to the cloned voice in calls, where it stands."""
        return self._permitted("voice")

    def _shown(self) -> Permit | None:
        """The owner's consent to be shown in calls, where it stands."""
        return self._permitted("face")

    def _permitted(self, likeness: Likeness) -> Permit | None:
        try:
            return self.archive.permits.permit(likeness, "calls", self.settings.consent.jurisdiction or EVERYWHERE)
        except ConsentMissing:
            return None

    async def _text_code(self, subject: str, code: str) -> None:
        text = f"{code} is your code for a request about your data at the AI twin of {self.persona.profile.name}."
        await self._rest.send_text(sender=self.settings.twilio.sms_number, to=subject, text=text)

    @property
    def _silent(self) -> bool:
        """Whether the cloned voice that was chosen may not sound in a call that begins now."""
        return self.cloned is not None and self.cloned.permit is None

    @property
    def names(self) -> dict[str, str]:
        """What serves now, for people."""
        names = {**self.lineup.names, "face": self.faces.serves}
        return {**names, "voice": self.lineup.own_voice.name} if self._silent else names

    def _notices(self) -> list[str]:
        notices = []
        names = self.names
        if self._silent:
            notices.append("The cloned voice is silent: the owner's consent to it is missing, over or revoked.")
        if self.faces.failure:
            notices.append(f"There is no moving face: {self.faces.failure}")
        elif self.faces.loaded is not None and self.faces.loaded.why:
            notices.append(f"The drawn face is shown: {self.faces.loaded.why}")
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


def _warm(language: str) -> None:
    """Read what a first call would otherwise wait for."""
    table()
    answers.warm(language)
    intents.warm(language)
