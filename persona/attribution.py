"""Where a sentence of the twin comes from: compared with everything the brain was shown.

A sentence that claims nothing about the owner, the office or the caller's past is courtesy or general knowledge.
One that does must stand in a source: enough of its words in one sentence of it, the same numbers in digits or
words, the same names, the same yes or no. Otherwise it is a guess, whoever made it. Nothing here understands a
sentence; so a claim in other words than the source's is taken for a guess rather than a guess for a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from compliance.language.plain import base
from persona.guarding.context import Context, context
from persona.guarding.numbers import Numbers, numbers
from persona.guarding.rules import OWNER, Names, Rules, plain, rules
from persona.guarding.support import Unit, numbers_in, units_of
from persona.guarding.wording import content
from persona.profile import Profile
from persona.prompt import Prompt
from persona.source import Provenance
from persona.words import language_of

_COVERED = 0.7
"""Share of a claim's words that stand in one sentence of a source."""
_COVERED_BY_TWO = 0.85
"""Share that stand in two sources together, when half stand in one."""
_WORDS_OF_TWO = 4
"""A claim of fewer words is easily put together from two sources that say something else."""
_ASKED_BONUS = 0.1
"""Added where all that is new against the question stands in the source: words of the question claim nothing."""
_NEAR = 0.66
"""Share of a sentence's words that stand in a source, so that it is taken to speak of the same."""
_QUESTION_COVERED = 0.6
"""Share of a question's words that stand in a source, so that a bare yes or no may be an answer from it."""
_CLAUSE = re.compile(
    r"[.!?;]+\s|\s[–—-]\s|\b(?:but|however|though|although|because|since|aber|jedoch|allerdings|weil|denn|mais|"
    r"parce que|pero|porque|perché|mas)\b|,\s+(?:and |und |so |et |y |e )?(?=(?:he|she|they|we|his|her|our|"
    r"the office|the studio|it|er|wir|sein|seine|il|elle|nous|él|ella|lui|lei|ele|ela)\b)",
    re.IGNORECASE,
)
_RANK: dict[Provenance, int] = {
    "notice": 0,
    "general": 1,
    "memory": 2,
    "document": 3,
    "statement": 4,
    "fact": 5,
    "guess": 9,
}

Why = Literal["", "promise", "invented"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where a sentence comes from, and for a guess what kind it is."""

    provenance: Provenance
    why: Why = ""
    sure: bool = True
    """False when the sources are in another language, so that only numbers and names could be compared."""


class Attribution:
    """For one owner; shared by all calls."""

    def __init__(self, profile: Profile, people: Iterable[str] = ()) -> None:
        """`people` are names of people in the owner's life: what is said of them is about the owner too."""
        self.names = Names(profile)
        self._profile = profile
        self._people = frozenset(word for name in people for word in plain(name, "en").split()) - self.names.words

    def context(self, prompt: Prompt, language: str) -> Context:
        """The caller's side of the conversation."""
        return context(prompt.turns, base(language), self.names, self._profile.they)

    def judge(self, sentence: str, prompt: Prompt, language: str, *, private: bool = False) -> Judgement:
        """Where a model's sentence comes from. Pure; well under a millisecond at 60 sources.

        `private`: the caller asked for something private, so that words of the question support nothing.
        """
        code = base(language)
        around = self.context(prompt, code)
        if code != base(self._language):
            # A model may answer in the owner's language all the same; then its words can be compared.
            code = language_of(sentence, (code, self._language)).code
        if private:
            around = replace(around, last_terms=frozenset(), asks_about_owner=True)
        parts = _clauses(sentence)
        if len(parts) > 1:
            whole = self._clause(sentence, sentence, prompt, code, around)
            if _RANK["memory"] <= _RANK[whole.provenance] < _RANK["guess"]:
                return whole
        judged = [self._clause(clause, sentence, prompt, code, around) for clause in parts]
        return max(
            judged, key=lambda one: (_RANK[one.provenance], one.why == "promise"), default=Judgement("notice")
        )

    def _clause(self, text: str, sentence: str, prompt: Prompt, language: str, around: Context) -> Judgement:
        known = rules("said", language)
        said = self.names.plain(text, language)
        if not said:
            return Judgement("notice")
        found = numbers(text, language)
        claims = known.has("claims", self.names.plain(sentence, language))
        if not claims and known.has("ignorance", said):
            return Judgement("notice")
        if known.has("past", said) and not content(text, language) <= around.terms:
            return self._supported(text, said, prompt, language, around, "invented")
        left = known.without("desk", said)
        if known.has("promise", left):
            return self._supported(text, said, prompt, language, around, "promise")
        if known.has("agrees", said):
            return self._agreement(prompt, language, around)
        harmless = known.has("courtesy", said) or left != said or ("?" in sentence and known.has("question", said))
        if harmless and not claims and self._numbers_known(found, prompt, language, around):
            return Judgement("notice")
        if not (claims or self._about_owner(said, known, around) or self._near_source(text, prompt, language)):
            return Judgement("general" if content(text, language) else "notice")
        return self._supported(text, said, prompt, language, around, "invented")

    def _about_owner(self, said: str, known: Rules, around: Context) -> bool:
        if known.has("life", said) or known.has("we", said) or known.has("own", said):
            return True
        if not self._people.isdisjoint(said.split()):
            return True
        if known.has(self._profile.they, said) and not (around.others or known.has("others", said)):
            return True
        return around.asks_about_owner and not said.startswith(_FIRST_PERSON)

    def _near_source(self, text: str, prompt: Prompt, language: str) -> bool:
        """Whether it speaks of what a source is about without naming the owner: "a consultation is free"."""
        terms = content(text, language)
        return len(terms) >= 2 and any(
            not terms.isdisjoint(unit.about) and len(terms & unit.terms) >= _NEAR * len(terms)
            for unit in units_of(prompt, self._language)
        )

    def _agreement(self, prompt: Prompt, language: str, around: Context) -> Judgement:
        """A bare yes or no is an answer only where the question can be answered from a source."""
        if not around.asks_about_owner:
            return Judgement("notice")
        wanted = around.last_terms
        for unit in units_of(prompt, self._language):
            if wanted and len(wanted & unit.terms) >= _QUESTION_COVERED * len(wanted):
                return Judgement(unit.kind)
        return Judgement("guess", "invented")

    def _supported(
        self, text: str, said: str, prompt: Prompt, language: str, around: Context, why: Why
    ) -> Judgement:
        units = units_of(prompt, self._language)
        found = numbers(text, language)
        if base(self._language) != language:
            return self._abroad(found, said, units, around, why)
        claim = rules("said", language).without("quoting", said).replace(OWNER, " ")
        terms = content(_CONTRACTED.sub(" ", claim), language)
        fresh = terms if why == "promise" else terms - around.last_terms
        negated = rules("said", language).has("negation", _YES_OR_NO.sub("", said))
        named = self._people & set(said.split())
        best: tuple[float, Unit] | None = None
        for unit in units:
            shared = len(terms & unit.terms)
            if not terms or not shared or unit.negated != negated or not named <= unit.words:
                continue
            covered = shared / len(terms)
            new = len(fresh & unit.terms) / len(fresh) if fresh else covered
            if not fresh and found.values and covered >= 0.5 and numbers_in(found, (unit,)):
                # The words are the question's own, the number is the source's: "at half past five on Fridays".
                return Judgement(unit.kind)
            if min(covered + _ASKED_BONUS, new) >= _COVERED and numbers_in(found, (unit,)):
                return Judgement(unit.kind)
            if best is None or covered > best[0]:
                best = (covered, unit)
        if best is not None and best[0] >= 0.5 and len(terms) >= _WORDS_OF_TWO:
            for unit in units:
                # A source that is hardly about this lends neither its words nor its numbers.
                if len(terms & unit.terms) < 0.5 * len(terms) or unit.negated != negated or found.values:
                    continue
                if len(terms & (unit.terms | best[1].terms)) >= _COVERED_BY_TWO * len(terms):
                    return Judgement(best[1].kind)
        if not terms and found.values and why != "promise" and around.asks_about_owner:
            wanted = around.last_terms
            for unit in units:
                if len(wanted & unit.terms) >= 0.5 * len(wanted) and wanted and numbers_in(found, (unit,)):
                    return Judgement(unit.kind)
        return Judgement("guess", why)

    def _abroad(self, found: Numbers, said: str, units: tuple[Unit, ...], around: Context, why: Why) -> Judgement:
        """In another language than the sources only numbers and names can be compared."""
        if why == "promise" or not units:
            return Judgement("guess", why)
        named = self._people & set(said.split())
        for unit in units:
            if numbers_in(found, (unit,)) and named <= unit.words | around.words:
                return Judgement(unit.kind, sure=False)
        return Judgement("guess", why)

    def _numbers_known(self, found: Numbers, prompt: Prompt, language: str, around: Context) -> bool:
        """Whether the numbers of a courtesy or of a message read back come from the caller or a source."""
        if not found.values or all(value <= 3 for value in found.values):
            return True
        if set(found.values) <= set(around.numbers.values):
            return True
        number = "".join(ch for ch in prompt.caller.number if ch.isdigit())
        streams = (*around.numbers.streams, number)
        if all(any(run in stream for stream in streams) for run in found.runs):
            return True
        return any(numbers_in(found, (unit,)) for unit in units_of(prompt, self._language))

    @property
    def _language(self) -> str:
        return self._profile.languages[0]


_CONTRACTED = re.compile(
    r"\b(?:s|re|ve|ll|d|m|t|[ap]m|o|clock|uhr|(?:do|does|did|is|are|was|were|ca|could|would|should|have|has|had|wo)n)\b"
)
"""What is left of "we're", "don't" and "5 o'clock" in plain words."""
_YES_OR_NO = re.compile(r"^(?:no|nope|nein|non|nao|not yet) (?=\w+ \w)")
"""An answer's first word turns nothing around: "no, on Sundays it is closed"."""
_FIRST_PERSON = ("i ", "i m ", "ich ", "je ", "j ", "io ", "eu ", "yo ")


def attribute(sentence: str, prompt: Prompt, language: str, *, owner: Profile) -> Provenance:
    """Where a model's sentence comes from; see `Attribution`."""
    return Attribution(owner).judge(sentence, prompt, language).provenance


def _clauses(sentence: str) -> list[str]:
    return [part for part in _CLAUSE.split(sentence) if part.strip()]
