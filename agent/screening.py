"""The guard in a call: what it found is on record for the owner, and what it answers is said in fixed words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from agent.stages.honesty import Line, Reaction
from persona.guard import CallGuard, Checked, Finding
from persona.guarding.findings import Code
from persona.prompt import Prompt
from persona.source import Source

KEPT_TURNS = 1_000
NOT_SHOWN = "..."
"""What a brain sees of words that it must not: a turn without words would be no turn."""


class Screening:
    """One call's."""

    def __init__(
        self,
        guard: CallGuard,
        record: Callable[[str, dict[str, object]], None],
        *,
        moderate: Callable[[str], Awaitable[tuple[Finding, ...]]] | None = None,
    ) -> None:
        """`moderate` asks a model besides, within a limit of its own; None: the rules decide alone."""
        self._guard = guard
        self._record = record
        self._moderate = moderate
        self._seen: OrderedDict[str, str] = OrderedDict()
        self._told: tuple[Source, ...] = ()
        """What tools found for the answer at hand: it may be said."""
        self.found: tuple[Code, ...] = ()
        """What was found in the caller's last turn."""

    def heard(self, text: str, *, typed: bool = False) -> Reaction | None:
        """A whole turn of the caller; what answers it, or None when it is the brain's."""
        heard = self._guard.heard(text, source="chat" if typed else "speech")
        self._told = ()
        self._seen[text] = heard.text or NOT_SHOWN
        self._seen.move_to_end(text)
        while len(self._seen) > KEPT_TURNS:
            self._seen.popitem(last=False)
        self.found = tuple(finding.code for finding in heard.findings)
        for finding in heard.findings:
            self._note(finding, "in")
        if heard.reply is None:
            return None
        return Reaction((Line(heard.reply, goodbye=heard.hang_up),))

    def seen(self, text: str) -> str:
        """The caller's words as a brain may see them."""
        return self._seen.get(text, text)

    async def moderated(self, text: str) -> str | None:
        """What a model that moderates says of the caller's turn: a fixed reply instead of the brain's, or None."""
        if self._moderate is None:
            return None
        findings = await self._moderate(text)
        for finding in findings:
            self._note(finding, "in")
        return self._guard.reply_to(findings)

    def named(self, name: str) -> str:
        """A name that somebody else's system gave, as a brain may see it; empty when it is none."""
        heard = self._guard.heard(name, source="name") if name else None
        for finding in heard.findings if heard else ():
            self._note(finding, "in")
        return heard.text if heard else ""

    def read(self, text: str) -> str:
        """A piece of a document, as a brain may see it; empty when nothing of it."""
        return self._retrieved(text, "document")

    def told(self, text: str) -> str:
        """What a tool found, as a brain may see it."""
        seen = self._retrieved(text, "tool")
        self._told = (*self._told, Source("document", "", seen))
        return seen

    def checked(self, sentence: str, prompt: Prompt, provenance: str) -> Checked:
        """A sentence of the brain's on its way to the voice."""
        if self._told:
            prompt = replace(prompt, sources=(*prompt.sources, *self._told))
        checked = self._guard.checked(sentence, prompt, provenance=provenance)
        for finding in checked.findings:
            self._note(finding, "out")
        return checked

    def _retrieved(self, text: str, source: Literal["document", "tool"]) -> str:
        heard = self._guard.heard(text, source=source)
        for finding in heard.findings:
            self._note(finding, source)
        return heard.text

    def _note(self, finding: Finding, way: str) -> None:
        if finding.code == "human_claim":
            self._record("claimed_human", {})
        else:
            self._record("guarded", {"way": way, "code": finding.code, "rule": finding.rule})
