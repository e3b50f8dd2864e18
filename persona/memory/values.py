"""The values in a clause that fits a rule, checked, and made the words of a sentence about the caller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from compliance.language.names import names
from persona.memory.dates import dated
from persona.memory.rules import Rule, Rules

_INVERTED = re.compile(r"(?P<front>(?!nie|kaum|nicht)[^,]{2,40}?) (?P<verb>\w+e|bin|habe) ich\b(?P<rest>.*)")
_STREET = re.compile(r"(?i)stra(?:ß|ss)e|street|road|avenue|weg\b|platz")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NO_PLACE = re.compile(
    r"(?:an?|the|my|our|your|his|her|this|that|it|fear|peace|hope|love|pain|hell|heaven|hiding|here|there|"
    r"eine[rmn]?|ein|der|die|das|dem|den|mein\w*|unser\w*|ihr\w*|angst|frieden|ruhe|hier|dort|trennung)\b",
    re.IGNORECASE,
)
_NO_ORG = re.compile(
    r"(?:an?|my|our|your|his|her|this|that|it|is|home|night|nights|work|least|all|you|him|them|me|myself|free|"
    r"nothing|money|peanuts|someone|somebody|people|eine[rmn]?|ein|mein\w*|ihr\w*|ihnen|dir|ihm|mir|uns|hause|nacht|"
    r"der arbeit|weitem|null|euch|ende|bewusstsein|kräften)\b",
    re.IGNORECASE,
)
_NO_JOB = re.compile(r"(?:der|die|das|the|kein\w*|nicht|no|not|ihre?|dein\w*|your)\b", re.IGNORECASE)
_DETERMINED = re.compile(r"(?:the|der|die|das|dem|den)\s", re.IGNORECASE)
_SHORT = {"org": 5, "place": 4, "thing": 8, "person": 4, "job": 6, "rest": 30, "more": 20, "verb": 3, "kin": 4}
_GERMAN_SMALL = frozenset(
    (
        *("im", "am", "ab", "an", "auf", "bis", "in", "nach", "seit", "vom", "zum", "zur"),
        *("heute", "morgen", "übermorgen", "nächste", "nächsten", "nächstes", "kommenden"),
    )
)
"""Words that have a capital only where they begin a sentence."""
_HE = "mann|partner|freund|verlobter|sohn|vater|bruder|opa|großvater|onkel|cousin|neffe|hund"
_GERMAN_KIN = (
    (re.compile(rf"^meine? ((?:\w+er )?)({_HE})$"), "Der"),
    (re.compile(r"^meine? ((?:\w+es )?)(kind|baby)$"), "Das"),
    (re.compile(r"^meine? ((?:\w+ )?)(\w+)$"), "Die"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """Who speaks, in which language and on which day: what a sentence about them is made with."""

    rules: Rules
    language: str
    name: str
    today: date

    def sentence(self, say: str, values: dict[str, str], *, unnamed: bool = False) -> str:
        """`say` filled in. `unnamed`: without their name as subject, because the sentence is about that name."""
        name = "" if unnamed else self.name
        rules = self.rules
        known = {
            "name": name or rules.unknown,
            "names": rules.of.format(name=name) if name else rules.unknown_of,
            "of": f"von {name}" if name else rules.unknown_of,
            "today": dated("heute" if self.language == "de" else "today", self.today, self.language),
            "more": "",
        }
        text = " ".join(say.format(**{**known, **values}).split())
        return re.sub(r"\s*\.+$", ".", text[:1].upper() + text[1:])

    def straight(self, clause: str) -> str:
        """The clause without fillers; a German one with its subject first: "ich ziehe im Mai um"."""
        clause = self.rules.fillers.sub(lambda found: f"{found['keep']} ", clause)
        if self.language != "de":
            return clause
        found = _INVERTED.fullmatch(clause)
        if not found or self.rules.question.match(clause):
            return clause
        front = found["front"]
        if front.split()[0].lower() in _GERMAN_SMALL:
            front = front[0].lower() + front[1:]
        return f"ich {found['verb']} {front}{found['rest']}"

    def in_time(self, text: str) -> str:
        """`text` with its days written out."""
        return dated(text, self.today, self.language)

    def third_person(self, text: str) -> str | None:
        """What the caller said of themselves, as said of them; None when that takes more than a few words."""
        text = re.sub(r"\s+", " ", self.rules.drop_words.sub(" ", text)).strip(" ,")
        for mine, theirs in self.rules.swap.items():
            text = re.sub(rf"\b{mine}\b", theirs, text, flags=re.IGNORECASE)
        return None if self.rules.mine.search(text) else text


def filled(rule: Rule, clause: str, words: Words) -> dict[str, str] | None:
    """The values of the first pattern of `rule` that fits the whole clause; None when none does."""
    for pattern in rule.patterns:
        found = pattern.fullmatch(clause)
        if not found:
            continue
        said = {kind: value for kind, value in found.groupdict().items() if value is not None}
        checked = {kind: _checked(kind, said[kind], rule, clause, found.span(kind), words) for kind in said}
        values = {kind: value for kind, value in checked.items() if value is not None}
        if len(values) == len(said) and _fits(rule, values):
            return _worded(values, words)
    return None


def _checked(kind: str, value: str, rule: Rule, clause: str, span: tuple[int, int], words: Words) -> str | None:
    """The value without what does not belong to it; None when it is not of its kind."""
    if kind in ("kin", "verb", "job"):
        return None if kind == "job" and _NO_JOB.match(value) else value
    if kind == "person":
        return _person(clause, span, words)
    value = _trimmed(value, words.rules)
    if kind in ("org", "place"):
        value = _trimmed(words.rules.value_ends.sub("", value), words.rules)
    if kind == "more":
        value = f" {words.in_time(value)}" if value else ""
        return None if words.third_person(value) is None else value
    longest = _SHORT[kind] * (2 if rule.needs_number else 1)
    if not value or len(value.split()) > longest:
        return None
    if kind == "place":
        return value if _is_place(value, clause) else None
    if kind == "org":
        return value if _is_org(value, clause) else None
    if (rule.only and not rule.only.fullmatch(value)) or (rule.refused and rule.refused.match(value)):
        return None
    if len(value.split()) < rule.least_words:
        return None
    value = value if rule.undated and rule.about != "matter" else words.in_time(value)
    return words.third_person(value) or None


def _trimmed(value: str, rules: Rules) -> str:
    value = value.strip(" .,!")
    while (shorter := rules.tail.sub("", value).strip(" .,!")) != value:
        value = shorter
    return value


def _fits(rule: Rule, values: dict[str, str]) -> bool:
    text = " ".join(values.values())
    digits = sum(ch.isdigit() for ch in text)
    if rule.needs_date and not _YEAR.search(text):
        return False
    if rule.needs_date_or_place and not (_YEAR.search(text) or re.search(r"\b(?:to|nach) \w", text)):
        return False
    if rule.needs_digit and not digits and not _STREET.search(text):
        return False
    return not rule.needs_number or digits >= 5 or len(text.split()) >= 5


def _worded(values: dict[str, str], words: Words) -> dict[str, str]:
    if "kin" in values and words.language == "de":
        values["kin_of"] = values["kin"]
        for pattern, article in _GERMAN_KIN:
            if found := pattern.match(values["kin"].lower()):
                inflected = re.sub(r"(?:er|es) $", "e ", found[1])
                values["kin_of"] = f"{article} {inflected}{found[2].capitalize()}"
                break
    if "verb" in values:
        values["verb"] = words.rules.conjugated.get(values["verb"].lower(), values["verb"])
    return values


def _person(clause: str, place: tuple[int, int], words: Words) -> str | None:
    """A name at that place of the clause, and nothing else there but small words."""
    start, stop = place
    spans = [span for span in names(clause, words.language) if span.start <= start < span.end]
    if not spans:
        return None
    end = max(span.end for span in spans)
    if clause[start:end].endswith("'s") or _trimmed(clause[end:stop], words.rules):
        return None
    name = clause[start:end]
    return name if any(ch.isupper() for ch in name) else name.title()


def _is_place(value: str, clause: str) -> bool:
    return not _NO_PLACE.match(value) and (_capital(value) or not _cased(clause))


def _is_org(value: str, clause: str) -> bool:
    if _NO_ORG.match(value):
        return False
    plain = _DETERMINED.sub("", value)
    if _DETERMINED.match(value) and not _capital(plain):
        return False
    return _capital(plain) or not _cased(clause)


def _capital(value: str) -> bool:
    return value[:1].isupper() or value[:1].isdigit()


def _cased(clause: str) -> bool:
    """Whether the recogniser writes capitals; one at the beginning and that of "I" say nothing."""
    return (
        any(word[0].isupper() for word in clause.split()[1:] if not re.match(r"I\b", word))
        or (clause[:1].isupper() and not re.match(r"I\b", clause))
        or bool(re.search(r"\bI\b", clause))
    )
