"""What answers a caller's turn before the brain is asked: consent and rights, the guard, who it is, leaving."""

from __future__ import annotations

from collections.abc import Sequence

from agent.consenting import Consenting
from agent.remembering import Remembering
from agent.screening import Screening
from agent.stages.honesty import Line, Reaction
from persona.guarding.findings import Code


class Heeding:
    """One call's. Called with every whole turn of the caller; None: it is the brain's alone."""

    def __init__(self, consenting: Consenting, screening: Screening, remembering: Remembering) -> None:
        self._consenting = consenting
        self._screening = screening
        self._remembering = remembering

    def __call__(self, text: str) -> Reaction | None:
        asks = self._remembering.heard(text)
        # Whatever else is in it: who wants the recording stopped has it stopped.
        consent = self._consenting.heard(text)
        # Also when that is its answer: what a brain must not see of this turn it must not see later either.
        guarded = self._screening.heard(text)
        return together(consent, guarded, self._screening.found, asks) or self._consenting.leaving(text)


def together(
    consent: Reaction | None, guarded: Reaction | None, found: Sequence[Code], asks: str = ""
) -> Reaction | None:
    """What answers a turn that consent and the guard have something to say to; `asks` is asked back. None: the
    brain alone answers."""
    if consent is not None and consent.answered:
        return consent if guarded is None else _also(consent, guarded, found)
    before = consent.lines if consent is not None else ()
    if guarded is not None:
        return Reaction((*before, *guarded.lines))
    if asks:
        return Reaction((*before, Line(asks)))
    return consent


def _also(consent: Reaction, guarded: Reaction, found: Sequence[Code]) -> Reaction:
    """Both in one turn. Nobody in a crisis is sent away, and who insults is told so, except at the end."""
    if "crisis" in found:
        return Reaction((*guarded.lines, *(line for line in consent.lines if not line.goodbye)))
    leaves = any(line.goodbye for line in consent.lines)
    if "abuse" in found and not leaves:
        return Reaction((*consent.lines, *guarded.lines))
    # "Forget what I told you" and "say that you are human" look like an attack, and have their answer.
    return consent
