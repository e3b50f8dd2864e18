"""The guard: what people must not make of the twin, and what the twin must not say.

On the way in, `CallGuard.heard` answers crises, abuse and attempts to take the twin over in fixed words, and takes
instructions out of names, documents and tool results. On the way out, `CallGuard.checked` sees every sentence
before the voice does: private facts, also in disguise, the prompt, claims to be a person, banned topics, promises,
and what is claimed about the owner without a source are replaced by fixed words. Rules alone decide, so that they
hold without a network; `persona.guarding.moderator` asks a model besides, where one is configured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from compliance.language.intents import claims_human
from compliance.language.plain import base
from persona.attribution import Attribution
from persona.caller import Caller
from persona.guarding import incoming
from persona.guarding.findings import Checked, Code, Finding, Heard, Heed
from persona.guarding.outgoing import own_words, prompt_leak, unsafe
from persona.guarding.private import Entry, Secrets
from persona.guarding.replies import Replies
from persona.guarding.rules import plain, rules, warm
from persona.guarding.settings import GuardSettings
from persona.guarding.topics import Topics
from persona.guarding.views import visible
from persona.home import Persona
from persona.prompt import Prompt, Turn
from persona.source import Provenance
from persona.words import language as words_of

__all__ = ["CallGuard", "Checked", "Finding", "Guard", "GuardSettings", "Heard"]

_OWN: tuple[Provenance, ...] = ("fact", "statement", "document", "memory", "notice")
"""Of an answer made without a model; a model's sentences come as `model` and are compared with the sources."""
_NAME = re.compile(r"[^\w\s.'’\-]+")
_TWO_NAMES = re.compile(r"\b([A-Z][a-z]+) ([A-Z][a-z]+)\b")
_NAME_WORDS = 6
_NAME_LETTERS = 80
_BEFORE_LETTERS = 200
"""How much of what was said just before is read together with the next sentence."""


class Guard:
    """One owner's guard, shared by all calls. Building takes about 100 microseconds per entry."""

    def __init__(self, persona: Persona, settings: GuardSettings | None = None) -> None:
        self.persona = persona
        self.settings = settings or GuardSettings()
        self.attribution = Attribution(persona.profile, _people(persona))
        self.own_words = own_words(persona)
        self._secrets: dict[tuple[bool, str], Secrets] = {}
        self._topics: dict[str, Topics] = {}

    def of_call(self, language: str, *, country: str = "", human: str = "") -> CallGuard:
        """The guard of one call. Reads the rules of its language, which takes some 200 ms the first time: call it
        while the phone rings.

        `country` is where the caller is, as two letters, for the emergency number; `human` is the disclosure's
        answer to "are you human?".
        """
        warm(language)
        replies = Replies(language, self.persona.profile.short, (country or self.settings.country).upper())
        return CallGuard(self, replies, human)

    def secrets(self, caller: Caller) -> Secrets:
        """What this caller may not hear."""
        key = (caller.known, caller.person)
        if key not in self._secrets:
            entries: list[Entry] = [*self.persona.facts, *self.persona.statements, *self.persona.documents]
            hidden = [entry for entry in entries if not entry.may_hear(caller)]
            told = [entry for entry in entries if entry.may_hear(caller)]
            self._secrets[key] = Secrets(hidden, told, self.persona.profile, self.attribution.names)
        return self._secrets[key]

    def topics(self, language: str) -> Topics:
        """What is not talked about in a call of that language."""
        code = base(language)
        if code not in self._topics:
            self._topics[code] = Topics(self.settings, code)
        return self._topics[code]

    def today(self) -> date:
        """The day in the owner's time zone."""
        return datetime.now(ZoneInfo(self.persona.profile.time_zone)).date()


class CallGuard:
    """One call: remembers warnings, and what was said just before."""

    def __init__(self, guard: Guard, replies: Replies, human: str) -> None:
        self._guard = guard
        self._replies = replies
        self._human = human or replies["human_claim"]
        self._language = replies.language
        self._warnings = 0
        self._abused_in = ""
        self._tainted: Code | None = None
        self._answering: tuple[Turn, ...] | None = None
        self._before = ""
        self._replaced: set[str] = set()
        self._fixed = replies.all()

    def heard(self, text: str, *, source: Heed = "speech") -> Heard:
        """Judge words on their way in.

        For speech and chat `reply` is said instead of asking a brain, and `hang_up` ends the call after it. From
        names, documents and tool results the offending sentences are taken out; the rest is returned in `text`.
        """
        clean = incoming.cleaned(text)
        if source == "name":
            return self._name(clean)
        if source in ("document", "tool"):
            return self._retrieved(clean)
        self._tainted = None
        names = self._guard.attribution.names
        if found := incoming.crisis(clean, self._language, names):
            return Heard(clean, (found,), self._replies[found.rule.rpartition(".")[2]])
        if self._guard.settings.abuse != "ignore" and (found := incoming.abuse(clean, self._language, names)):
            return self._abused(clean, found)
        markup = incoming.has_markup(clean)
        clean = incoming.without_markup(clean) if markup else clean
        found = incoming.takeover(clean, self._language, names)
        if markup and not found:
            found = Finding("injection", "markup")
        if found:
            self._tainted = found.code
            return Heard("", (found,), self._replies[found.code])
        if topic := self._guard.topics(self._language).find(plain(clean, self._language)):
            return Heard(
                clean, (Finding("banned_topic", topic.name),), topic.reply or self._replies["banned_topic"]
            )
        return Heard(clean)

    def reply_to(self, findings: Iterable[Finding]) -> str | None:
        """The fixed answer to what a model that moderates found; None when it is nothing to act on."""
        if all(finding.code == "moderation_failed" for finding in findings):
            return None
        return self._replies["banned_topic"]

    def checked(self, sentence: str, prompt: Prompt, *, provenance: str) -> Checked:
        """Judge one sentence before the voice. `provenance` is what the brain says of it; see `Piece.provenance`.

        An empty `text` means that nothing is said: the fixed words for it were said just before in this answer.
        """
        if self._answering != prompt.turns:
            self._answering, self._before, self._replaced = prompt.turns, "", set()
        text = visible(sentence)
        own = next((known for known in _OWN if known == provenance), None)
        if own == "notice" and text.strip() in self._fixed:
            return Checked(sentence, "notice")
        stopped = self._stopped(text, prompt, own is None)
        if stopped:
            code, rule, words = stopped
            said = "" if words in self._replaced else words
            self._replaced.add(words)
            return Checked(said, "notice", (Finding(code, rule),))
        checked = self._attributed(sentence, text, prompt) if own is None else Checked(sentence, own)
        if not checked.findings:
            # What was replaced was never said, so only what passed can be completed by the next sentence.
            self._before = f"{self._before} {text}"[-_BEFORE_LETTERS:]
        return checked

    def _stopped(self, text: str, prompt: Prompt, from_model: bool) -> tuple[Code, str, str] | None:
        """What must not be said whoever says it, in the order of how bad it is, and what is said instead."""
        profile = self._guard.persona.profile
        attribution = self._guard.attribution
        around = attribution.context(prompt, self._language)
        secrets = self._guard.secrets(prompt.caller)
        rule = secrets.leak(text, self._before, self._language, around)
        if rule is None and from_model and prompt.turns and secrets.told_by(prompt.turns[-1].text, self._language):
            said = attribution.names.plain(text, self._language)
            rule = "confirmed" if rules("said", self._language).has("agrees", said) else None
        if rule:
            return "private", rule, self._replies["private"]
        own_language = profile.languages[0]
        if any(claims_human(text, code, owner=profile.name) for code in {self._language, own_language, "en"}):
            return "human_claim", base(self._language), self._human
        if not from_model:
            return None
        if rule := prompt_leak(text, prompt, self._guard.own_words, self._language):
            return "prompt_leak", rule, self._replies["extraction"]
        if rule := unsafe(text, self._language):
            return "unsafe", rule, self._replies["unsafe"]
        if topic := self._guard.topics(self._language).find(plain(text, self._language)):
            return "banned_topic", topic.name, topic.reply or self._replies["banned_topic"]
        return None

    def _attributed(self, sentence: str, text: str, prompt: Prompt) -> Checked:
        attribution = self._guard.attribution
        asked = self._guard.secrets(prompt.caller).asked(attribution.context(prompt, self._language))
        judged = attribution.judge(text, prompt, self._language, private=bool(asked))
        code: Code = "promise" if judged.why == "promise" else "invented"
        if judged.provenance == "guess":
            words = self._replies[code]
        elif self._tainted and (judged.provenance in ("general", "notice") or not judged.sure):
            # A brain that was not to be asked: of its own words only what stands in a source is said.
            code, words = self._tainted, self._replies[self._tainted]
        else:
            return Checked(sentence, judged.provenance)
        said = "" if words in self._replaced else words
        self._replaced.add(words)
        return Checked(said, "notice", (Finding(code, base(self._language)),))

    def _abused(self, text: str, found: Finding) -> Heard:
        policy = self._guard.settings
        # Who goes on before the warning sounds has said one thing, not two.
        if not (self._abused_in and text.startswith(self._abused_in)):
            self._warnings += 1
        self._abused_in = text
        if policy.abuse == "warn_then_end" and self._warnings > policy.abuse_warnings:
            return Heard(text, (found,), self._replies["abuse_end"], hang_up=True)
        return Heard(text, (found,), self._replies["abuse_warning"])

    def _name(self, text: str) -> Heard:
        """A name is a few words without marks; anything else is none."""
        names = self._guard.attribution.names
        name = " ".join(_NAME.sub(" ", text).split())
        found = incoming.takeover(text, self._language, names) or incoming.abuse(text, self._language, names)
        if found or incoming.has_markup(text):
            return Heard("", (found or Finding("injection", "markup"),))
        if len(name) > _NAME_LETTERS or len(name.split()) > _NAME_WORDS:
            return Heard("", (Finding("injection", "no_name"),))
        return Heard(name)

    def _retrieved(self, text: str) -> Heard:
        names = self._guard.attribution.names
        kept: list[str] = []
        findings: list[Finding] = []
        if incoming.has_markup(text):
            findings.append(Finding("injection", "markup"))
            text = incoming.without_markup(text)
        for sentence in incoming.sentences(text):
            found = incoming.takeover(sentence, self._language, names)
            if found:
                findings.append(found)
            else:
                kept.append(sentence.strip())
        if findings:
            self._tainted = findings[0].code
        return Heard(" ".join(kept), tuple(findings))


def _people(persona: Persona) -> set[str]:
    """Names of people in the owner's life: from people.toml, and capitalised in facts where only names are."""
    people = set(persona.people.names)
    if not persona.profile.languages[0].startswith("de"):
        for fact in persona.facts:
            people |= {first for first, _ in _TWO_NAMES.findall(fact.say)}
            people |= {fact.about} if re.fullmatch(r"[A-Z][a-z]+", fact.about) else set()
    known = words_of(persona.profile.languages[0])
    return {name for name in people if known.words(name) == [name.lower()] or " " in name}
