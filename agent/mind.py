"""What the calls of one process know, remember, may say and may do: made once, shared by all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers

from agent.archive import Archive
from agent.briefing import Acquainted, Briefing
from agent.engines.brain import openai
from agent.meeting.minutes.model import ModelMinutes
from agent.remembering import Level, Remembering
from agent.screening import NOT_SHOWN, Screening
from agent.settings import Settings
from agent.tools.diary import Diary
from agent.tools.handles import Hands
from agent.tools.owner import Bell
from agent.tools.toolbox import Handle, Toolbox
from channels.call import Call
from channels.twilio.rest import TwilioRest
from persona.caller import STRANGER
from persona.grounded import THRESHOLD
from persona.guard import Guard
from persona.guarding.moderator import Moderator
from persona.home import Persona
from persona.knowledge import Knowledge
from persona.memory.extraction import Extractor, RuleExtractor
from persona.memory.model import ModelConfig, ModelExtractor
from persona.memory.queue import MemoryQueue
from persona.memory.writer import Writer
from persona.people import People
from persona.prompt import Company, Composer, Prompt, may_say
from persona.source import Provenance
from persona.summary import ModelSummary, Running, Summariser

NOTIFY_SECRET = "TWIN_NOTIFY_SECRET"
Record = Callable[[str, dict[str, object]], None]


class Mind:
    """`start` before calls, `close` after them; the archive is open in between."""

    def __init__(
        self,
        settings: Settings,
        persona: Persona,
        archive: Archive,
        rest: TwilioRest,
        environment: Mapping[str, str],
        *,
        home: Path,
    ) -> None:
        self._settings = settings
        self._persona = persona
        self._archive = archive
        self._rest = rest
        self._environment = environment
        self._zone = ZoneInfo(persona.profile.time_zone)
        self.guard = Guard(persona, settings.guard)
        self.composer: Composer
        self.knowledge: Knowledge
        self._writer: Writer
        self._moderator: Moderator | None = None
        if settings.guard.moderation_base_url:
            self._moderator = Moderator(settings.guard, api_key=environment.get("OPENAI_API_KEY", ""))
        tools = settings.tools
        self._bell = Bell(
            text=self._text if tools.owner_number and settings.twilio.sms_number and rest.has_account else None,
            url=tools.notify_url,
            secret=environment.get(NOTIFY_SECRET, ""),
        )
        self._diary: Diary | None = None
        if tools.calendar:
            self._diary = Diary(
                tools.calendar,
                home,
                zone=persona.profile.time_zone,
                hours=tools.working_hours,
                days=tools.calendar_days,
            )

    async def start(self) -> None:
        """Index what the owner wrote, and take up memories that an earlier process left. Raises `TwinError`."""
        self.knowledge = await asyncio.to_thread(Knowledge, self._persona)
        self.composer = await asyncio.to_thread(Composer, self._persona, self._settings.persona)
        await asyncio.to_thread(self.guard.of_call, self._settings.twin.language)
        archive = self._archive
        profile = self._persona.profile
        queue = MemoryQueue(archive.vault)
        self._writer = Writer(
            queue,
            archive.library,
            self._extractor((profile.name, profile.short)),
            archive.vault,
            zone=self._zone,
        )
        if self._settings.memory.enabled:
            await archive.library.start()
            # What failed too often for an earlier process may have been that process's fault.
            await queue.revive()
            self._writer.resume()

    async def close(self) -> None:
        """Finish what is being written, within limits; safe to call when it never started."""
        writer = getattr(self, "_writer", None)
        if writer is not None:
            await writer.close()
        if self._moderator is not None:
            await self._moderator.close()

    def call_ended(self) -> None:
        """A call's end is in the vault: what may be remembered of it is written now."""
        self._writer.ended()

    def today(self) -> date:
        """The day in the owner's time zone."""
        return datetime.now(self._zone).date()

    @property
    def people(self) -> People:
        """Whom the owner knows."""
        return self._persona.people

    def in_field(self, question: str) -> bool:
        """Whether something that anybody may hear answers a question, by its own words."""
        found = self.knowledge.strict(
            question, limit=1, among=lambda entry: may_say(entry, today=self.today(), caller=STRANGER)
        )
        return bool(found) and found[0][1].score >= THRESHOLD

    def attribute(self, sentence: str, prompt: Prompt) -> Provenance:
        """Where a sentence that a model made comes from."""
        return self.guard.attribution.judge(sentence, prompt, prompt.language).provenance

    def remembering(
        self, call: Call, screening: Screening, record: Record, on_level: Callable[[Level], None]
    ) -> Remembering:
        """Of one call."""
        return Remembering(
            call,
            self._persona.people,
            self._settings.memory,
            library=self._archive.library,
            writer=self._writer,
            vault=self._archive.vault,
            record=record,
            on_level=on_level,
            named=screening.named(call.caller.name or ""),
        )

    def screening(self, call: Call, record: Record, *, human: str) -> Screening:
        """Of one call; `human` is the answer to whether it is a person."""
        guard = self.guard.of_call(call.language, country=_country(call.caller.subject), human=human)
        return Screening(guard, record, moderate=self._moderator.check if self._moderator is not None else None)

    def briefing(
        self,
        call: Call,
        remembering: Acquainted,
        screening: Screening,
        company: Callable[[], Company | None] = lambda: None,
    ) -> Briefing:
        """Of one call; `company`: who else hears it, in a meeting."""
        return Briefing(
            self.composer,
            self.knowledge,
            self._settings.persona,
            language=call.language,
            remembering=remembering,
            summariser=self._summariser(),
            screening=screening,
            today=self.today,
            company=company,
        )

    def toolbox(
        self,
        call: Call,
        remembering: Acquainted,
        screening: Screening,
        record: Record,
        store_message: Callable[[str], None],
    ) -> Toolbox:
        """What a model may do in one call."""
        tools = self._settings.tools
        hands = Hands(call, self._persona.profile, remembering.caller, limit_s=tools.limit_s)
        handles: list[Handle] = [hands.message(store_message), hands.hang_up()]
        if self._bell.there:
            handles.append(hands.owner(self._bell))
        if self._diary is not None:
            handles.append(hands.calendar(self._diary, self.today))
        if tools.transfer and tools.owner_number and call.channel == "phone":
            handles.append(hands.transfer(lambda: call.transfer(tools.owner_number), self._bell))
        return Toolbox(handles, record, screened=screening.told)

    def _extractor(self, owner: tuple[str, ...]) -> Extractor:
        model = self._model()
        if model is None:
            return RuleExtractor(owner=owner)
        base_url, name, key = model
        return ModelExtractor(ModelConfig(base_url, name, key), owner=owner)

    def _summariser(self) -> Summariser:
        budget = self._settings.persona.summary_tokens
        model = self._model()
        return Running(budget_tokens=budget) if model is None else ModelSummary(*model, budget_tokens=budget)

    def minutes(self) -> ModelMinutes | None:
        """What finds in a meeting what no rule knows; None where no model is configured."""
        model = self._model()
        if model is None:
            return None
        guard = self.guard.of_call(self._settings.twin.language)
        return ModelMinutes(
            *model,
            owner=self._persona.profile.name,
            seen=lambda text: guard.heard(text, source="speech").text or NOT_SHOWN,
        )

    def _model(self) -> tuple[str, str, str] | None:
        """Address, name and key of an OpenAI-compatible model for work beside the call; None: there is none."""
        brain, key = self._settings.brain, self._environment.get("OPENAI_API_KEY", "")
        base_url = brain.base_url or self._environment.get("OPENAI_BASE_URL", "")
        base_url = base_url or (openai.BASE_URL if key else "")
        model = brain.model or (openai.MODEL if base_url == openai.BASE_URL else "")
        return (base_url, model, key) if brain.engine == "openai" and model and base_url else None

    async def _text(self, text: str) -> None:
        number = self._settings.tools.owner_number
        await self._rest.send_text(sender=self._settings.twilio.sms_number, to=number, text=text)


def _country(subject: str | None) -> str:
    """Where a number is from, as two letters; empty is unknown."""
    if not subject or not subject.startswith("+"):
        return ""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(subject)) or ""
    except phonenumbers.NumberParseException:
        return ""
