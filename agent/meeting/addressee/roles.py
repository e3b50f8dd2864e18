"""Whether somebody whose name falls is called, or spoken of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.meeting.addressee.names import Mention, Whose
from agent.meeting.addressee.tokens import Token
from agent.meeting.addressee.wording import Wording

Role = Literal["called", "maybe", "spoken_of", "quoted"]


@dataclass(frozen=True, slots=True)
class Part:
    """A mention and the part it plays."""

    mention: Mention
    role: Role

    @property
    def whose(self) -> Whose:
        return self.mention.whose


def parts(words: Sequence[Token], mentions: Sequence[Mention], wording: Wording) -> tuple[Part, ...]:
    """What each mention is in its sentence, in order."""
    named = frozenset(at for each in mentions for at in range(each.first, each.last + 1))
    return tuple(Part(each, _Place(words, each, named, wording).role) for each in mentions)


_NEAR = 5
"""So many words before a name a word of saying makes it quoted: "she wrote, and I quote, Martin, why"."""


class _Place:
    """One mention among the words around it."""

    def __init__(self, words: Sequence[Token], of: Mention, named: Collection[int], wording: Wording) -> None:
        self._words, self._of, self._named, self._known = words, of, named, wording.words
        self._begin = self._end = of.first
        while self._begin > 0 and not words[self._begin].begins:
            self._begin -= 1
        self._end = of.last
        while self._end + 1 < len(words) and not words[self._end].ends:
            self._end += 1

    @property
    def role(self) -> Role:
        of, words, known = self._of, self._words, self._known
        first, last = words[of.first], words[of.last]
        if of.possessive:
            return "spoken_of"
        if first.quoted or self._said_before():
            return "quoted"
        before = words[of.first - 1] if of.first > self._begin else None
        after = words[of.last + 1] if of.last < self._end else None
        open_left = before is None or first.comma_before
        open_right = after is None or last.comma_after
        if self._listed():
            return "spoken_of"
        led = all(words[at].word in known["lead"] or at in self._named for at in range(self._begin, of.first))
        if before is not None and not led and not first.comma_before and before.word in known["articles"]:
            return "spoken_of"
        if open_left or led:
            return self._leading(open_right, after)
        if open_right and first.comma_before:
            return "called"
        if before is not None and before.word in known["objects"] and not (after is None and self._asks_opinion()):
            return "spoken_of"
        if after is not None and self._asked():
            return "called"
        if self._speaks_to_somebody():
            # "write that down martin the crane": without punctuation nothing says where the name belongs.
            return "called" if after is None else "maybe"
        # "is it correct twin that it was changed": nobody speaks of "twin" without an article.
        spoken_of = known["articles"] | known["objects"]
        bare = of.whose == "twin" and before is not None and before.word not in spoken_of
        return "maybe" if (after is None or bare) and self._ends_a_question() else "spoken_of"

    def _said_before(self) -> bool:
        """A word of saying stands before the name, as in "he said, Martin, come here"."""
        first, sayings = self._of.first, self._known["sayings"]
        comma = self._words[first].comma_before
        if first - 1 > 0 and self._words[first - 1].written in sayings and not comma:
            return True
        near = self._words[max(self._begin, first - _NEAR) : first]
        # "let's go, Martin" calls him.
        told = not any(each.written in self._known["you"] for each in near)
        return comma and told and any(each.written in sayings - {"go", "goes"} for each in near)

    def _leading(self, open_right: bool, after: Token | None) -> Role:
        """The name stands first, or only small words stand before it."""
        if open_right:
            return "called"
        assert after is not None
        if self._asked():
            return "called"
        if after.written in self._known["verbs"] or after.word in self._known["verbs"]:
            return "spoken_of"
        return "maybe"

    def _asked(self) -> bool:
        """The words after it ask or order: "can you", "what", "send"."""
        known, words = self._known, self._words
        at = self._of.last + 1
        while at < self._end and words[at].written in known["adverbs"]:
            at += 1
        after = words[at]
        at += 1
        following = words[at].written if at <= self._end else ""
        if after.written in known["inversions"]:
            return following in known["you"] or (following in ("sie", "we", "i", "wir", "ich", "there", "that"))
        asks = after.written in known["asks"] or after.word in known["asking"] or after.written in known["orders"]
        return asks and after.written not in known["verbs"]

    def _speaks_to_somebody(self) -> bool:
        """The sentence that the name ends has a "you" in it, an order or thanks."""
        known, words = self._known, self._words
        inside = [words[at].written for at in range(self._begin, self._of.first)]
        return (
            any(word in known["you"] for word in inside)
            or inside[0] in known["orders"]
            or inside[0] in known["asks"]
            or all(word in known["lead"] for word in inside)
        )

    def _ends_a_question(self) -> bool:
        """As "is he still on the list martin" or "while we wait what's the target martin" does."""
        known, words = self._known, self._words
        asking = known["asking"] | known["asking_short"]
        inside = range(self._begin, self._of.first)
        return words[self._begin].word in known["inversions"] or any(words[at].written in asking for at in inside)

    def _asks_opinion(self) -> bool:
        """The name ends a "what do you think"."""
        at = self._of.first
        words = [each.written for each in self._words[max(self._begin, at - 2) : at]]
        return len(words) == 2 and words[0] in self._known["you"] and words[1] in self._known["opinions"]

    def _listed(self) -> bool:
        """One of several: "Anna, Martin and Ben"."""
        of, words = self._of, self._words
        joins = ("and", "or", "und", "oder", "&")
        left = of.first - 1 in self._named and words[of.first].comma_before
        left = left or (of.first >= 2 and words[of.first - 1].word in joins and of.first - 2 in self._named)
        right = of.last + 2 < len(words) and words[of.last + 1].word in joins and of.last + 2 in self._named
        right = right or (of.last + 1 in self._named and words[of.last].comma_after)
        return left or right
