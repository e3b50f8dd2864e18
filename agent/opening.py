"""The fixed speech of a call, prepared before there is one: the disclosure, the apology, what consent needs."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.engines.voice.prepared import Prepared
from channels.spoken import Spoken
from compliance.disclosure import Disclosure, Kept, Texts, find_word, load
from compliance.errors import ConsentMissing, EngineError, PersonaError, SettingsError
from compliance.language.intents import claims_human

logger = logging.getLogger(__name__)

Speak = Callable[[str, str, int], Awaitable[Prepared]]
"""Text, language and rate in; prepared speech out. Raises `EngineError`."""

LINES = (
    "help",
    "rights",
    "ask_recording",
    "ask_transcription",
    "recording_on",
    "recording_off",
    "recording_stopped",
    "is_recorded",
    "is_not_recorded",
    "writing_stopped",
    "writing_on",
    "writing_off",
    "ask_memory",
    "memory_on",
    "memory_off",
    "human",
    "short",
    "reminder",
    "handover",
)
"""The texts of a `Disclosure` that are said word by word as they stand."""
CLOSE_LIMIT_S = 5.0
PREPARED = "prepared"
CLONED = "prepared-clone"
"""Folders in the cache: prepared speech; apart from it that in the cloned voice, which goes with its consent."""
KEPT: tuple[Kept, ...] = ("words", "nothing")
TEXTS = "disclosure"
"""The folder in the home with the owner's own wording."""
CLAIMS = ("text", "short", "human", "reminder", "handover", "label", "participant", "chat")
"""The texts that name the owner, and so could be turned by a name into something else."""
AI_WITHIN = 80
LONGEST = 200
"""In letters without the owner's name: of where `text` says that it is an AI, and of all of it."""
_NO_NAME = re.compile(r"[<>{}\[\]\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Markup, and what turns the direction of writing: the name is spoken, and stands in labels."""


def texts_of(home: Path, language: str, owner: str) -> dict[Kept, Disclosure]:
    """The fixed texts of a twin, with the owner's name in them. Blocks for the disk.

    Each part may be sound and the whole may not: what is heard is checked, filled in. Raises `SettingsError`, and
    `PersonaError` for a name that is none.
    """
    if _NO_NAME.search(owner):
        raise PersonaError("profile.toml: 'name' holds a bracket or a control character; write it as it is spoken")
    if claims_human(owner, language):
        raise PersonaError("profile.toml: 'name' says or seems to say that this is a person; write only the name")
    texts = load(home / TEXTS)
    filled = {kept: texts.disclosure(language, owner=owner, kept=kept) for kept in KEPT}
    for disclosure in filled.values():
        for key in CLAIMS:
            if claims_human(getattr(disclosure, key), disclosure.language):
                raise SettingsError(f"{TEXTS}: {key}, filled in, says or seems to say that this is a person")
        if not _says_ai(disclosure, texts, owner):
            raise SettingsError(f"{TEXTS}: text, filled in, must say in its first words that this is an AI")
        if len(disclosure.text) - len(owner) > LONGEST:
            raise SettingsError(
                f"{TEXTS}: text, filled in, is longer than {LONGEST} letters; shorten it or kept_*"
            )
    return filled


def _says_ai(disclosure: Disclosure, texts: Texts, owner: str) -> bool:
    text = disclosure.text
    words = texts.ai_words.get(disclosure.language, ("AI",))
    at = min((at for word in words if (at := find_word(word, text)) is not None), default=len(text))
    return at <= AI_WITHIN + len(owner) and not re.match(r"[^.!。！]*[?？]", text[at:])


def spoken(prepared: Prepared, utterance: int, epoch: int) -> Spoken:
    """Prepared speech as one piece for the outlet."""
    return Spoken(
        utterance,
        epoch,
        prepared.pcm,
        words=prepared.words,
        phonemes=prepared.phonemes,
        exact=prepared.exact,
        last=True,
        provenance="notice",
    )


@dataclass(frozen=True, slots=True)
class Opening:
    """The fixed speech of one call, at its channel's rate."""

    texts: Disclosure
    disclosure: Prepared
    apology: Prepared
    lines: Mapping[str, Prepared]
    """By the name of the text; one that is not prepared yet is said by the voice."""

    @property
    def sorry(self) -> str:
        """The apology in words."""
        return self.texts.apology


class Openings:
    """Those of every rate and of every way in which a call is kept. A call can begin once `start` has returned."""

    def __init__(
        self, texts: Mapping[Kept, Disclosure], rates_hz: tuple[int, ...], speak: Speak, apologise: Speak
    ) -> None:
        """`apologise` is the voice of last resort, which needs nobody's consent."""
        self.texts = texts
        self._rates_hz = rates_hz
        self._speak = speak
        self._apologise = apologise
        self._openings: dict[tuple[int, Kept], Opening] = {}
        self._lines: dict[tuple[int, Kept], dict[str, Prepared]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Prepare what must be there before a call; the other lines follow in the background.

        Raises what the voices raise, and can be tried again then.
        """
        for rate_hz in self._rates_hz:
            for kept, texts in self.texts.items():
                lines = self._lines[rate_hz, kept] = {}
                self._openings[rate_hz, kept] = Opening(
                    texts,
                    await self._speak(texts.text, texts.language, rate_hz),
                    await self._apologise(texts.apology, texts.language, rate_hz),
                    lines,
                )
        self._task = asyncio.create_task(self._prepare_lines(), name="prepare lines")

    async def close(self) -> None:
        """Stop preparing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_LIMIT_S)
            self._task = None

    async def forget(self) -> None:
        """Stop preparing and let go of what there is: no call can begin until `start` has returned again."""
        self._openings.clear()
        self._lines.clear()
        await self.close()

    @property
    def ready(self) -> bool:
        """Whether a call can begin with these."""
        return len(self._openings) == len(self._rates_hz) * len(self.texts)

    @property
    def prepared(self) -> bool:
        """Whether the other lines are there too."""
        return self._task is not None and self._task.done()

    def of(self, rate_hz: int, kept: Kept) -> Opening:
        """The opening of a call on a wire of that rate."""
        return self._openings[rate_hz, kept]

    async def _prepare_lines(self) -> None:
        for name in LINES:
            for (rate_hz, kept), lines in tuple(self._lines.items()):
                texts = self.texts[kept]
                try:
                    lines[name] = await self._speak(getattr(texts, name), texts.language, rate_hz)
                except ConsentMissing:
                    return
                except EngineError as error:
                    logger.warning("a line could not be prepared", extra={"line": name, "code": error.code})
