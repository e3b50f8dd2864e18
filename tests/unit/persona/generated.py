"""Thousands of statements and questions about them, made from templates, always the same ones for a seed.

A question does not repeat the wording of its statement: other words for the thing and the kinship, other forms of
the words, another order, fillers, and in every third one a word as a recogniser or a hurried hand would get it
wrong. The two halves of the material share no thing, no person and no template, so what is tuned on one is scored
on the other.
"""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from persona.home import Persona
from persona.profile import Profile
from persona.statements import Statement

Half = Literal["tuning", "scoring"]
HALVES: tuple[Half, ...] = ("tuning", "scoring")
_PARTS: tuple[tuple[Half, str], ...] = (("tuning", "tuning"), ("tuning", "tuning_too"), ("scoring", "scoring"))
TYPOS = 1 / 3
"""Share of the questions with a word written or heard wrong."""
NAMED = 0.6
"""Share of the questions that name the person; the others name the kinship."""
_MY = {"f": ("meine", "meiner"), "m": ("mein", "meinem")}
_YOUR = {"f": ("Ihre", "Ihrer"), "m": ("Ihr", "Ihrem")}
_DECLINED = {
    "der": {"der": "der", "den": "den", "dem": "dem"},
    "die": {"der": "die", "den": "die", "dem": "der"},
    "das": {"der": "das", "den": "das", "dem": "dem"},
}
_NAMES = {
    "place": [
        "Lisbon",
        "Bergen",
        "Turin",
        "Dover",
        "Ghent",
        "Basel",
        "Malmo",
        "Cork",
        "Leeds",
        "Graz",
        "Porto",
        "Verona",
        "Utrecht",
        "Bremen",
        "Nantes",
    ],
    "firm": [
        "Harrow",
        "Pelham",
        "Lindqvist",
        "Drossel",
        "Ambach",
        "Tavener",
        "Quint",
        "Morrow",
        "Ferrand",
        "Kestner",
        "Ibsen",
        "Vogt",
    ],
}
_SPOKEN = {
    "en": {
        "month": ["January", "March", "April", "May", "June", "August", "October", "November"],
        "day": ["Monday", "Tuesday", "Wednesday", "Thursday"],
        "colour": ["green", "orange", "violet", "brown", "turquoise"],
        "number": ["three", "four", "six", "eight", "twelve", "fifteen", "thirty"],
        "amount": ["fifty", "eighty", "three hundred", "two thousand", "nine hundred"],
    },
    "de": {
        "month": ["Januar", "März", "April", "Mai", "Juni", "August", "Oktober", "November"],
        "day": ["Montag", "Dienstag", "Mittwoch", "Donnerstag"],
        "colour": ["Grün", "Orange", "Violett", "Braun", "Türkis"],
        "number": ["drei", "vier", "sechs", "acht", "zwölf", "fünfzehn", "dreißig"],
        "amount": ["fünfzig", "achtzig", "dreihundert", "zweitausend", "neunhundert"],
    },
}
_MISHEARD = {
    "v": "w",
    "d": "t",
    "t": "d",
    "b": "p",
    "p": "b",
    "g": "k",
    "k": "g",
    "c": "k",
    "f": "v",
    "m": "n",
    "n": "m",
}


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    entry: int
    """The statement that answers it."""
    half: Half


@dataclass(frozen=True, slots=True)
class Material:
    persona: Persona
    questions: tuple[Question, ...]

    def of(self, half: Half) -> list[Question]:
        return [question for question in self.questions if question.half == half]


def material(language: str, *, statements: int = 5000, questions: int = 500, seed: int = 4) -> Material:
    """`statements` entries and `questions` questions about them, half of each from either half of the material."""
    chance = random.Random(f"{language} {seed}")
    data = tomllib.loads(Path(__file__).with_name(f"generated_{language}.toml").read_text("utf-8"))
    said: list[Statement] = []
    asked: list[Question] = []
    for half, part in _PARTS:
        share = 2 * sum(half == other for other, _ in _PARTS)
        drawn = _drawn(data[part], statements // share, chance)
        picked = set(chance.sample(range(len(drawn)), questions // share))
        for nth, (thing, person, aspect) in enumerate(drawn):
            if nth in picked:
                text = _question(data, thing, person, aspect, language, chance)
                asked.append(Question(text, len(said), half))
            said.append(_statement(thing, person, aspect, language, chance))
    profile = Profile(name="Ada Marsh", languages=(language,))
    return Material(Persona(profile, statements=tuple(said)), tuple(asked))


def _drawn(half: dict[str, str], count: int, chance: random.Random) -> list[tuple[str, str, str]]:
    """So many different combinations of thing, person and aspect."""
    aspects = [aspect.strip() for aspect in re.split(r"\n(?![?])", half["aspects"].strip())]
    things, people = (half[key].strip().splitlines() for key in ("things", "people"))
    every = [(thing, person, aspect) for thing in things for person in people for aspect in aspects]
    return chance.sample(every, count)


def _statement(thing: str, person: str, aspect: str, language: str, chance: random.Random) -> Statement:
    called = thing.partition(" = ")[0]
    kin, _, name = person.partition(" = ")[0].rpartition(" ")
    words = {"kin": kin, "kin_of": kin, "name": name}
    if language == "de":
        gender, _, kin = kin.partition(" ")
        words |= {"kin": f"{_MY[gender][0]} {kin}", "kin_of": f"{_MY[gender][1]} {kin}"}
    text = _filled(aspect.splitlines()[0], called, words, language, chance)
    return Statement(about=re.sub("^(der|die|das) ", "", called), text=text)


def _question(
    data: dict[str, Any], thing: str, person: str, aspect: str, language: str, chance: random.Random
) -> str:
    kinship, _, other = person.partition(" = ")
    kin = chance.choice(_listed(other))
    words = dict.fromkeys(("who", "whom"), kinship.rpartition(" ")[2])
    if chance.random() >= NAMED:
        yours = ("your", "your") if language == "en" else _YOUR[kinship[0]]
        words = {"who": f"{yours[0]} {kin}", "whom": f"{yours[1]} {kin}"}
    words["whose"] = f"{words['who']}'s"
    template = chance.choice(aspect.splitlines()[1:]).removeprefix("? ")
    called = chance.choice(_listed(thing.partition(" = ")[2]))
    text = _filled(template, called, words, language, chance)
    text = chance.choice(data["openings"]) + text + chance.choice(data["endings"])
    return _mistyped(text, chance) if chance.random() < TYPOS else text


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split("|")]


def _filled(template: str, called: str, words: dict[str, str], language: str, chance: random.Random) -> str:
    words = {**words, "thing": called}
    if language == "de":
        article, _, words["thing"] = called.partition(" ")
        words |= _DECLINED[article]
        words["Der"] = words["der"].capitalize()
    words |= {key: chance.choice(options) for key, options in (_NAMES | _SPOKEN[language]).items()}
    text = template.format(**words)
    return text[0].upper() + text[1:] if text.endswith(".") else text


def _mistyped(text: str, chance: random.Random) -> str:
    """One of the longer words with two letters swapped, one lost, one doubled or one misheard."""
    words = text.split()
    long = [nth for nth, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return text
    nth = chance.choice(long)
    word = words[nth]
    at = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            word = word[:at] + word[at + 1 :]
        case 2:
            word = word[: at + 1] + word[at:]
        case _:
            word = word[:at] + _MISHEARD.get(word[at], word[at]) + word[at + 1 :]
    words[nth] = word
    return " ".join(words)
