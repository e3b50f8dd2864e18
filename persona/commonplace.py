"""What everybody says, per language: what an owner's own words are measured against.

The words are the commonest of spoken language, roughly in order; a phrase counts as the owner's own only when it
is made of such words (others name a subject, not a manner) and is said more often than their frequencies explain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


def _phrases(words: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in words.split(","))


@dataclass(frozen=True)
class Commonplace:
    """One language."""

    words: tuple[str, ...]
    """Commonest first."""
    fillers: Mapping[str, float]
    """Small words that carry no meaning, and how often people say them in a thousand words."""
    phrases: frozenset[str]
    """Said by everybody, and nobody's favourites."""
    contracted: re.Pattern[str]
    """Two words spoken as one."""
    full: re.Pattern[str]
    """Where they could have been, and were not."""
    ranks: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", {word: rank for rank, word in enumerate(self.words)})

    def share(self, word: str) -> float:
        """How much of all that is said is this word, by Zipf's law."""
        return 0.1 / (self.ranks.get(word, 4_000) + 2)


_ENGLISH = Commonplace(
    words=_listed(
        """the i you and to a it that of in is we have for on be do so know what but they was my with this not
        just are like all one can at there about if or your no get think now me go up out then as he well from
        she been see were come would want when really here here's some right how good could more thing things
        did look don't it's that's i'm you're we're they're i've we've i'll we'll he's she's isn't can't won't
        didn't doesn't wouldn't couldn't wasn't i'd you'd let's what's there's who's an by had has will because
        very too much people way work time back say said tell take make give put need mind day week bit lot little
        long old new first last next again only even still ever never always maybe perhaps actually sure
        every everything something nothing anything someone anyone who which where why than them their our us his
        her him its over under off down into before after until since through between same other another two three
        fair honest honestly truth end matter fact point case kind sort rather quite enough anyway though course
        leave keep find start stop try help call ask show wait hear believe mean means happen feel does doing done
        going gone got made been better best bad nice fine great big small simple easy hard quick slow whole yes
        yeah okay oh please thanks thank sorry hello hi must should might may each most many few own once twice
        today tomorrow tonight morning later soon early already yet nor am cannot tends bother frankly obviously
        basically literally roughly listen"""
    ),
    fillers={
        "well": 3,
        "you know": 3,
        "i mean": 2,
        "like": 6,
        "actually": 1.5,
        "basically": 0.4,
        "right": 2.5,
        "sort of": 0.8,
        "kind of": 0.8,
        "look": 1,
        "honestly": 0.2,
        "to be fair": 0.1,
        "to be honest": 0.2,
        "anyway": 0.5,
        "listen": 0.2,
        "of course": 0.6,
        "obviously": 0.3,
        "literally": 0.2,
        "um": 4,
        "uh": 4,
        "er": 3,
        "so": 8,
        "mind you": 0.1,
        "frankly": 0.05,
        "you see": 0.3,
        "i suppose": 0.3,
        "i guess": 0.6,
        "now then": 0.05,
        "oh": 3,
        "really": 3,
        "just": 5,
        "at the end of the day": 0.05,
        "as it were": 0.03,
    },
    phrases=frozenset(
        _phrases(
            """i do not, i don't know, i don't think, do you want, would you like, i want to, i have to, you have
            to, we have to, you want to, going to be, one of the, a lot of, it is a, this is a, that is the, it is
            not, there is a, there is no, if you want, i think it, and then you, i would like, thank you very much,
            you can do, in the morning, on the way, the other day, i'm going to, i'd like to, at the moment, i
            think so, what do you, how do you, do you have, it was a, you need to, i need to, we need to, let me
            know, all of the, some of the, out of the, the first time, the last time, next week, last week, this
            week, every day, i can do, you don't have to, it's not the, you don't need, don't have to"""
        )
    ),
    contracted=re.compile(
        r"\b\w+n't\b|\b(?:i'm|(?:you|we|they)'re|(?:i|you|we|they)'(?:ve|ll|d)|(?:he|she|it)'(?:s|ll|d)|"
        r"(?:that|there|what|here|who|where|how)'s|let's)\b"
    ),
    full=re.compile(
        r"\b(?:(?:do|does|did|is|are|was|were|have|has|had|would|could|should|will) not|cannot|can not|i am|"
        r"(?:you|we|they) are|(?:i|you|we|they) (?:have|will|would)|(?:he|she|it) (?:is|will)|"
        r"(?:that|there|what|here|who|where) is|let us)\b"
    ),
)

_STEMS = "hab|mach|lass|komm|seh|sag|denk|glaub|find|wär|hätt|geh|nehm|ruf|bring|wart|frag"
"""Verbs whose last letter is dropped in speech."""
_GERMAN = Commonplace(
    words=_listed(
        """ich und das die ja der es ist wir du nicht so in da auch was zu man hab mal dann aber den ein sie
        mit auf schon wenn noch eine hat haben war wie mir sich hier jetzt doch nur kann dass dich mich von für
        immer gut halt oder er im an als bei ihr am aus nach um sind bin hast habe wird werden will wieder alles
        ganz sehr mehr nichts etwas was's eben genau also na nee nein eigentlich weil denn ob bis vor über zum zur
        dem des einen einem einer uns euch ihnen ihm ihn dir sein seine mein meine dein deine kein keine keinen
        machen mache macht gemacht gehen geht geht's gibt gibt's kommen kommt sagen sage sagt gesagt sehen siehst
        schau schauen wissen weiß weißt denken denke glaube glauben finde lassen lass muss müssen soll sollen
        könnte könnten würde würden wäre hätte hatte gewesen wollen kriegen kriegt bekommen brauchen braucht hin
        her raus rein rauf runter los weg mit dabei dazu davon damit dafür darauf drum warum wo wer wann welche
        welcher heute morgen gestern nächste woche tag mal zwei drei erst erstens zuletzt bald gleich später früher
        nie nochmal einfach wirklich vielleicht bestimmt sicher klar natürlich ehrlich sozusagen quasi irgendwie
        irgendwas irgendwann lieber gern gerne bitte danke hallo tja naja gell ne okay super schön prima langsam
        schnell ruhig kurz lang groß klein viel wenig bisschen paar jeder jede jedes alle beide anders selber
        selbst ohne gegen durch zwischen unter neben sonst trotzdem deshalb nämlich überhaupt gerade eher nun ans
        ins hab's ist's mach mach's passt ende grunde prinzip"""
    ),
    fillers={
        "also": 5,
        "halt": 3,
        "eben": 2,
        "naja": 0.7,
        "na ja": 0.7,
        "sozusagen": 0.4,
        "quasi": 0.3,
        "eigentlich": 1.5,
        "ja": 15,
        "doch": 4,
        "mal": 6,
        "genau": 2,
        "weißt du": 0.5,
        "wissen sie": 0.2,
        "sag mal": 0.2,
        "ehrlich gesagt": 0.1,
        "irgendwie": 1,
        "im prinzip": 0.3,
        "gell": 0.1,
        "ne": 1.5,
        "äh": 5,
        "ähm": 4,
        "tja": 0.1,
        "im grunde": 0.1,
        "natürlich": 1,
        "schau": 0.2,
        "schauen sie": 0.1,
        "nun": 0.7,
        "ach": 1,
        "einfach": 2,
        "schon": 4,
        "sagen wir": 0.2,
        "wie gesagt": 0.3,
        "nun ja": 0.05,
    },
    phrases=frozenset(
        _phrases(
            """das ist ein, das ist eine, das ist nicht, es ist nicht, ich habe ein, ich weiß nicht, es gibt ein,
            das ist das, was ist das, ich bin nicht, wenn es geht, ich glaube nicht, es geht um, in der nächsten,
            wenn ich das, das kann ich, kann man nicht, das ist so, ich möchte gern, vielen dank, so ist das,
            ist es nicht, hab ich nicht, haben wir nicht, ich hab das, und das ist, nächste woche, das ist die,
            das ist der, in der regel, heute morgen, jeden tag"""
        )
    ),
    contracted=re.compile(
        rf"\bich (?:{_STEMS})\b|\b(?:{_STEMS}) ich\b|"
        r"\b(?:geht|gibt|ist|hab|wär|kann|mach|hat|war|wird|muss|soll|tut|find|bring|zeig|sag)'s\b|"
        r"(?<!\w)'(?:s|n|ne|nen)\b|"
        r"\b(?:nen|nem|grad|rein|raus|rauf|runter|drauf|drin|dran)\b"
    ),
    full=re.compile(
        rf"\bich (?:{_STEMS})e\b|\b(?:{_STEMS})e ich\b|"
        r"\b(?:geht|gibt|ist|habe|wäre|kann|mache|hat|war|wird|muss|soll|tut) es\b|"
        r"\b(?:gerade|herein|hinein|heraus|hinaus|herauf|hinauf|herunter|hinunter|darauf|darin|daran)\b"
    ),
)
_LANGUAGES = {"en": _ENGLISH, "de": _GERMAN}


def of(language: str) -> Commonplace | None:
    """What is commonplace in a language; nothing for one that is not known here."""
    return _LANGUAGES.get(language.split("-")[0].lower())
