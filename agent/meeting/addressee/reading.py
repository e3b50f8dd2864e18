"""An utterance read: its words, who is named in it and how, what kind of thing it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.meeting.addressee.names import Mention, NameFinder, Names, common
from agent.meeting.addressee.roles import Part, parts
from agent.meeting.addressee.tokens import Token, tokens
from agent.meeting.addressee.wording import DESCRIBED, Wording, described, listed, wording
from persona.words import language

_SMALL = 4
_MAX_CHARS = 1_200
"""Of a long utterance the end is read: that is where it is handed over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in the words themselves."""

    words: tuple[Token, ...]
    parts: tuple[Part, ...]
    canonical: str
    """Lower case, names as @twin, @owner, @other; of the punctuation commas, full stops and question marks."""
    cues: frozenset[str]
    language: str
    asks: bool
    """A question, by its mark or by its words."""
    orders: bool
    """A sentence begins as an order does, or asks for something: "could you send"."""
    you: bool
    stranger: bool
    """Somebody is called who is not in the meeting."""
    listening: bool
    """Nothing but "mm-hmm" and "okay"."""


class Reader:
    """Reads utterances. The same words and people give the same reading."""

    def __init__(self, names: Names, language: str) -> None:
        self._language = described(language)
        known = [wording(code) for code in DESCRIBED]
        kinds = frozenset[str]().union(*(each.words["kinds"] for each in known))
        prefixes = frozenset[str]().union(*(each.words["prefixes"] for each in known))
        asking = frozenset[str]().union(*(each.words["asking"] for each in known))
        self._finder = NameFinder(names, kinds, prefixes, asking)
        self.read = lru_cache(maxsize=512)(self._read)

    def _read(self, text: str, others: tuple[str, ...], owner_here: bool) -> Reading:
        """`others`: the names of the people here besides the twin."""
        text = text[-_MAX_CHARS:]
        words = tokens(text)
        code = self._language_of(words)
        of = wording(code)
        mentions = self._finder.find(words, others)
        if owner_here:
            mentions = tuple(replace(each, whose="other") if each.whose == "owner" else each for each in mentions)
        canonical = canonically(words, mentions, text)
        cues = {name for name, pattern in of.cues.items() if pattern.search(canonical)}
        written = [each.written for each in words]
        you = any(word in of.words["you"] for word in written) or "you_formal" in cues
        if code == "de":
            you = you or any(word.written in ("sie", "ihnen") and _polite(word) for word in words)
        played = parts(words, mentions, of)
        asks = "?" in text or "opinion" in cues or _asks(words, played, of)
        return Reading(
            words=words,
            parts=played,
            canonical=canonical,
            cues=frozenset(cues),
            language=code,
            asks=asks,
            orders=_orders(words, played, of),
            you=you,
            stranger=_stranger(words, mentions),
            listening=bool(written) and all(word in of.words["backchannels"] for word in written),
        )

    def _language_of(self, words: Sequence[Token]) -> str:
        """The one that has most of the words; the meeting's own where none has more."""

        def known(code: str) -> int:
            return sum(each.written in listed(code) or language(code).marked((each.written,)) for each in words)

        return max(DESCRIBED, key=lambda code: (known(code), code == self._language))


def _polite(word: Token) -> bool:
    """A polite "Sie", where capitals are to be trusted: not at the beginning of a sentence."""
    return word.capital and not word.begins


def canonically(words: Sequence[Token], mentions: Sequence[Mention], text: str) -> str:
    """The words with names replaced and punctuation set apart."""
    first = {each.first: each for each in mentions}
    out: list[str] = []
    at = 0
    while at < len(words):
        mention = first.get(at)
        last = mention.last if mention else at
        if mention:
            name = f"@{mention.whose}"
            out.append(f"{name}'s" if mention.possessive else name)
        else:
            out.append("lets" if words[at].written == "let's" else words[at].written)
        gap = text[words[last].end : words[last + 1].start if last + 1 < len(words) else len(text)]
        if "?" in gap:
            out.append("?")
        elif words[last].ends and last + 1 < len(words):
            out.append(".")
        elif "," in gap:
            out.append(",")
        at = last + 1
    return " ".join(out)


def _starts(words: Sequence[Token], played: Sequence[Part], of: Wording) -> list[int]:
    """Where each sentence begins, after small words and names."""
    named = _named([part.mention for part in played])
    lead = of.words["lead"] - of.words["orders"] - of.words["asking"]
    found = []
    for begin in (at for at, each in enumerate(words) if each.begins):
        at = begin
        while at + 1 < len(words) and (at in named or words[at].written in lead) and not words[at].ends:
            at += 1
        found.append(at)
    # Without punctuation what follows a name often begins a sentence, where it is no sentence about them.
    after = [part.mention.last + 1 for part in played if part.role in ("called", "maybe")]
    return found + [at for at in after if at < len(words)]


def _named(mentions: Sequence[Mention]) -> frozenset[int]:
    return frozenset(at for each in mentions for at in range(each.first, each.last + 1))


def _asks(words: Sequence[Token], played: Sequence[Part], of: Wording) -> bool:
    named = _named([part.mention for part in played])
    for at in _starts(words, played, of):
        # "from when", "until what time": a small word may come first.
        near = [each.word for each in words[at : at + _SMALL]]
        if near[0] in of.words["asking"]:
            return True
        if near[0] in of.words["before_asking"] and of.words["asking"].intersection(near):
            return True
        filled = at > 0 and words[at - 1].written in of.words["fills"]
        if words[at].written in of.words["inversions"] and at + 1 < len(words) and not filled:
            # In German a verb comes first in a question alone, and in few words of a story.
            always = of.verb_first or words[at].written in of.words["always_ask"]
            if always or words[at + 1].written in of.words["subjects"] or at + 1 in named:
                return True
    return _asks_within(words, named, of)


def _asks_within(words: Sequence[Token], named: Collection[int], of: Wording) -> bool:
    """In the middle of words without punctuation: "while we wait when was it touched"; "I know when it was" is no
    question, its verb comes later."""
    return any(
        words[at].word in of.words["asking"]
        and words[at + 1].written in of.words["inversions"]
        and (words[at + 2].written in of.words["subjects"] or at + 2 in named)
        for at in range(len(words) - 2)
    ) or any(
        words[at].written in of.words["asking_short"] and words[at - 1].written not in of.words["reports"]
        for at in range(1, len(words) - 1)
    )


def _stranger(words: Sequence[Token], mentions: Sequence[Mention]) -> bool:
    """A name that stands as one is called: "Carlos, can you", "put that down, sweetie"."""
    named = _named(mentions)
    for at, each in enumerate(words):
        if at in named:
            continue
        edge = each.begins or each.ends or each.comma_before or each.comma_after
        bare = not at or not any(words[at - 1].word in wording(code).words["articles"] for code in DESCRIBED)
        if edge and bare and any(each.word in wording(code).words["endearments"] for code in DESCRIBED):
            return True
        first = each.begins and each.comma_after
        last = each.comma_before and (each.ends or each.comma_after)
        if each.capital and not common(each.word) and (first or last):
            return True
    return False


def _orders(words: Sequence[Token], played: Sequence[Part], of: Wording) -> bool:
    starts = _starts(words, played, of)
    for at in starts:
        told = at + 1 < len(words) and words[at + 1].written in of.words["tellers"]
        if words[at].written in of.words["orders"] and not told:
            return True
    for at, each in enumerate(words[:-1]):
        wanted = each.written in ("can", "could", "would", "will", "kannst", "konntest", "wurdest")
        formal = each.written in ("konnen", "konnten", "wurden") and words[at + 1].written == "sie"
        if (wanted and words[at + 1].written in ("you", "du")) or formal:
            return True
    return False
