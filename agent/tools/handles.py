"""The tools of one call, made from what its house has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from agent.tools.diary import Diary
from agent.tools.last_words import GOODBYE, PUT_THROUGH, in_language
from agent.tools.owner import Bell, News
from agent.tools.toolbox import Handle, Result
from channels.call import Call
from compliance.errors import TwinError
from persona.caller import Caller
from persona.profile import Profile
from persona.tool import Tool

logger = logging.getLogger(__name__)

MESSAGE_CHARS = 1_000
DATE_CHARS = 10
"""Of "2026-05-31T09:00", which models write too."""


def _object(required: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _text(about: str) -> dict[str, str]:
    return {"type": "string", "description": about}


class Hands:
    """Makes the handles of one call."""

    def __init__(self, call: Call, profile: Profile, caller: Callable[[], Caller], *, limit_s: float) -> None:
        """`caller` says who calls, as far as is known now."""
        self._call = call
        self._profile = profile
        self._caller = caller
        self._limit_s = limit_s

    def message(self, store: Callable[[str], None]) -> Handle:
        """`store` keeps a message for the owner. Raises `VaultError`."""
        short = self._profile.short

        async def run(given: Mapping[str, Any]) -> Result:
            sender = given.get("name") or self._caller().name
            number = given.get("number") or self._caller().number
            told = " ".join(part for part in (sender, number) if part)
            store(f"{given['text'][:MESSAGE_CHARS]}{f' (from {told})' if told else ''}")
            return Result(f"The message is stored; {short} will read it. Say so in a few words.")

        return self._handle(
            "take_message",
            f"Store a message for {short}, after the caller has heard it read back and agreed to it.",
            _object(
                ("text",),
                text=_text("The message in the caller's words, in the third person"),
                name=_text("The caller's name, as they gave it"),
                number=_text("Where to call back, as they gave it"),
            ),
            run,
        )

    def owner(self, bell: Bell) -> Handle:
        """Ring for the owner, who may then call back."""
        short = self._profile.short

        async def run(given: Mapping[str, Any]) -> Result:
            who = self._caller()
            news = News(given["reason"], who.name or who.number, bool(given.get("urgent")), self._call.id)
            await bell.ring(news)
            return Result(f"{short} was told just now, and may call back. Offer to take a message.")

        return self._handle(
            "reach_owner",
            f"Tell {short} at once that this caller needs them. Only when it cannot wait or the caller insists.",
            _object(
                ("reason",),
                reason=_text("Why, in one sentence"),
                urgent={"type": "boolean", "description": "Whether it is an emergency"},
            ),
            run,
        )

    def calendar(self, diary: Diary, today: Callable[[], date]) -> Handle:
        """Look up free times."""

        async def run(given: Mapping[str, Any]) -> Result:
            now = today()
            first = _day(given.get("first"), now)
            last = _day(given.get("last"), first + min(timedelta(days=6), date.max - first))
            return Result(await diary.look_up(first, last, today=now))

        return self._handle(
            "look_up_calendar",
            f"When {self._profile.short} has time. It books nothing: offer times, take a message.",
            _object(first=_text("First day, as 2026-05-31; empty: today"), last=_text("Last day, as 2026-06-04")),
            run,
        )

    def transfer(self, to: Callable[[], bool], bell: Bell | None) -> Handle:
        """Put the caller through: the twin says so, leaves, and the owner's telephone rings."""
        short = self._profile.short

        async def run(given: Mapping[str, Any]) -> Result:
            if not to():
                return Result("This call cannot be put through. Offer to take a message.")
            if bell is not None and bell.there:
                await self._announce(bell, given["reason"])
            said = in_language(PUT_THROUGH, self._call.language).format(short=short)
            return Result(said, goodbye=True)

        return self._handle(
            "transfer_call",
            f"Put the caller through to {short} and leave the call. Only when the caller asks for it.",
            _object(("reason",), reason=_text("What it is about, in one sentence, for the owner")),
            run,
        )

    def hang_up(self) -> Handle:
        """End the call after a last word."""

        async def run(given: Mapping[str, Any]) -> Result:
            return Result(in_language(GOODBYE, self._call.language), goodbye=True)

        return self._handle(
            "hang_up", "End the call, after the caller has said goodbye. Say goodbye first.", _object(), run
        )

    async def _announce(self, bell: Bell, reason: str) -> None:
        """Tell the owner who is put through. From here on the call goes to them whether they were told or not."""
        who = self._caller()
        try:
            async with asyncio.timeout(self._limit_s / 2):
                await bell.ring(News(f"put through: {reason}", who.name or who.number, True, self._call.id))
        except (TwinError, TimeoutError) as error:
            logger.warning(
                "the owner was not told who is put through",
                extra={"call": self._call.id, "error": type(error).__name__},
            )

    def _handle(self, name: str, about: str, parameters: Mapping[str, Any], run: Any) -> Handle:
        return Handle(Tool(name, about, parameters), run, self._limit_s)


def _day(text: object, otherwise: date) -> date:
    try:
        return date.fromisoformat(str(text)[:DATE_CHARS]) if text else otherwise
    except ValueError:
        return otherwise
