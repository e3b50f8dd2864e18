"""The conversation as it was heard: what the prompt, the captions and the vault are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from channels.heard import HeardWord
from persona.prompt import Turn


@dataclass(slots=True)
class HeardTurn:
    """One side's turn. Positions are samples of the outlet's clock."""

    number: int
    who: Literal["caller", "twin"]
    epoch: int
    start: int
    end: int
    words: list[HeardWord]
    text: str
    cut: bool = False
    typed: bool = False
    aside: bool = False
    """True when it was words of listening, which ask no answer."""
    speaker: str = ""
    """In a meeting: the identity of who spoke; of the twin's turns, whom it answered, empty for everybody."""
    name: str = ""
    """In a meeting: what they called themselves then."""

    @property
    def provenance(self) -> str:
        """Where the twin's words come from, in order of first use; empty for the caller."""
        return "-".join(dict.fromkeys(word.provenance for word in self.words if word.provenance))


class ConversationListener(Protocol):
    """Who is told what was heard. Must be quick and must not raise."""

    def grew(self, turn: HeardTurn) -> None:
        """The open turn has more words; called as they are heard."""
        ...

    def closed(self, turn: HeardTurn) -> None:
        """The turn will not change any more."""
        ...


class Conversation:
    """Turns in the order in which they began. They grow as they are heard, also several people's at once.

    In a meeting everybody has a turn of their own; `speaker` and `name` say whose, and are empty in a call with
    one person at the other end.
    """

    def __init__(self, *listeners: ConversationListener) -> None:
        self._listeners = list(listeners)
        self._turns: list[HeardTurn] = []
        self._asked: list[HeardTurn] = []
        """The same for a prompt: the caller's in the order in which they were closed."""
        self._open: dict[str, HeardTurn] = {}
        """Turns of people that may still change, by speaker."""
        self._twin: HeardTurn | None = None
        self.answering = ""
        """In a meeting: whom the twin speaks to from its next turn on, by identity; empty: to everybody."""

    @property
    def turns(self) -> tuple[HeardTurn, ...]:
        return tuple(self._turns)

    def is_open(self, turn: HeardTurn) -> bool:
        """Whether somebody is still saying it."""
        return self._open.get(turn.speaker) is turn

    def also_tell(self, listener: ConversationListener) -> None:
        self._listeners.append(listener)

    def caller_says(
        self, text: str, *, start: int, end: int, epoch: int, speaker: str = "", name: str = ""
    ) -> HeardTurn:
        """What the recogniser has of somebody's open turn; it may still change."""
        turn = self._open.get(speaker) or self._begin("caller", epoch, start, speaker, name)
        self._open[speaker] = turn
        if text != turn.text:
            turn.text, turn.end = text, end
            self._grew(turn)
        return turn

    def caller_said(
        self,
        text: str,
        *,
        start: int,
        end: int,
        epoch: int,
        typed: bool = False,
        aside: bool = False,
        speaker: str = "",
        name: str = "",
    ) -> HeardTurn:
        """Somebody's turn is over. Unless it is an `aside`, it is answered next."""
        turn = self._open.pop(speaker, None) or self._begin("caller", epoch, start, speaker, name)
        turn.start = min(turn.start, start)
        turn.text, turn.end, turn.typed, turn.epoch, turn.aside = text, end, typed, epoch, aside
        if not aside:
            self._asked.append(turn)
        self._closed(turn)
        return turn

    def caller_aside(self, speaker: str = "") -> HeardTurn | None:
        """The open turn, if any, was a mm-hmm or a cough: it stays on record and asks no answer."""
        turn = self._open.pop(speaker, None)
        if turn is not None:
            turn.aside = True
            self._closed(turn)
        return turn

    def answers(self, turn: HeardTurn) -> None:
        """What was an aside when it was said is answered now, e.g. once the twin is called on."""
        if turn.aside:
            turn.aside = False
            self._asked.append(turn)

    def twin_wrote(self, sentences: Sequence[tuple[str, str]], *, position: int, epoch: int) -> None:
        """The twin has written these into the meeting's chat, each with where it comes from; no sound was made."""
        turn = self._begin("twin", epoch, position, self.answering)
        turn.text, turn.typed = " ".join(text for text, _ in sentences), True
        turn.words = [
            HeardWord(at, text, position, position, exact=True, provenance=provenance)
            for at, (text, provenance) in enumerate(sentences)
        ]
        self._asked.append(turn)
        self._closed(turn)

    def twin_heard(self, words: list[HeardWord], *, epoch: int) -> None:
        """The caller has heard these words of the twin."""
        turn = self._twin
        if turn is None:
            turn = self._twin = self._begin("twin", epoch, words[0].start, self.answering)
            self._asked.append(turn)
        turn.words += words
        turn.end = words[-1].end
        turn.text = " ".join([turn.text, *(word.text for word in words)]).strip()
        self._grew(turn)

    def twin_stopped(self, *, cut: bool) -> None:
        """The twin's turn is over; `cut` when it had more to say."""
        turn, self._twin = self._twin, None
        if turn is not None:
            turn.cut = cut
            self._closed(turn)

    def end(self) -> None:
        """The call is over, whoever was speaking."""
        self.twin_stopped(cut=True)
        while self._open:
            _, turn = self._open.popitem()
            turn.cut = True
            self._closed(turn)

    def for_prompt(self, last: int) -> tuple[Turn, ...]:
        """The last turns that were for the twin, and its own, ending with the one that was closed last.

        Turns of the caller with nothing heard between them are one: the caller went on before the answer sounded.
        """
        turns: list[Turn] = []
        for turn in self._asked:
            if turn.who == "caller" and turns and turns[-1].who == "caller":
                turns[-1] = Turn("caller", f"{turns[-1].text} {turn.text}")
            else:
                turns.append(Turn(turn.who, turn.text, turn.cut))
        return tuple(turns[-last:])

    def _begin(
        self, who: Literal["caller", "twin"], epoch: int, start: int, speaker: str = "", name: str = ""
    ) -> HeardTurn:
        turn = HeardTurn(len(self._turns), who, epoch, start, start, [], "", speaker=speaker, name=name)
        self._turns.append(turn)
        return turn

    def _grew(self, turn: HeardTurn) -> None:
        for listener in self._listeners:
            listener.grew(turn)

    def _closed(self, turn: HeardTurn) -> None:
        for listener in self._listeners:
            listener.closed(turn)
