"""The conversation as it was heard: what the prompt, the captions and the vault are made from."""

from __future__ import annotations

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
    """In a meeting: the identity of who spoke."""
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
    """Turns in the order in which they began. They grow as they are heard, also both sides' at once."""

    def __init__(self, *listeners: ConversationListener) -> None:
        self._listeners = list(listeners)
        self._turns: list[HeardTurn] = []
        self._asked: list[HeardTurn] = []
        """The same for a prompt: the caller's in the order in which they were closed."""
        self._caller: HeardTurn | None = None
        self._twin: HeardTurn | None = None

    @property
    def turns(self) -> tuple[HeardTurn, ...]:
        return tuple(self._turns)

    def also_tell(self, listener: ConversationListener) -> None:
        self._listeners.append(listener)

    def caller_says(self, text: str, *, start: int, end: int, epoch: int) -> None:
        """What the recogniser has of the caller's open turn; it may still change."""
        turn = self._caller or self._begin("caller", epoch, start)
        self._caller = turn
        if text != turn.text:
            turn.text, turn.end = text, end
            self._grew(turn)

    def caller_said(self, text: str, *, start: int, end: int, epoch: int, typed: bool = False) -> None:
        """The caller's turn is over, and answered next."""
        turn = self._caller or self._begin("caller", epoch, start)
        self._caller = None
        turn.text, turn.end, turn.typed, turn.epoch = text, end, typed, epoch
        self._asked.append(turn)
        self._closed(turn)

    def caller_aside(self) -> HeardTurn | None:
        """The open turn of the caller, if any, was a mm-hmm or a cough: it stays on record and asks no answer."""
        turn, self._caller = self._caller, None
        if turn is not None:
            turn.aside = True
            self._closed(turn)
        return turn

    def twin_heard(self, words: list[HeardWord], *, epoch: int) -> None:
        """The caller has heard these words of the twin."""
        turn = self._twin
        if turn is None:
            turn = self._twin = self._begin("twin", epoch, words[0].start)
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
        turn, self._caller = self._caller, None
        if turn is not None:
            turn.cut = True
            self._closed(turn)

    def for_prompt(self, last: int) -> tuple[Turn, ...]:
        """The last turns, for a brain, ending with the caller's that was closed last.

        Turns of the caller with nothing heard between them are one: the caller went on before the answer sounded.
        """
        turns: list[Turn] = []
        for turn in self._asked:
            if turn.who == "caller" and turns and turns[-1].who == "caller":
                turns[-1] = Turn("caller", f"{turns[-1].text} {turn.text}")
            else:
                turns.append(Turn(turn.who, turn.text, turn.cut))
        return tuple(turns[-last:])

    def _begin(self, who: Literal["caller", "twin"], epoch: int, start: int) -> HeardTurn:
        turn = HeardTurn(len(self._turns), who, epoch, start, start, [], "")
        self._turns.append(turn)
        return turn

    def _grew(self, turn: HeardTurn) -> None:
        for listener in self._listeners:
            listener.grew(turn)

    def _closed(self, turn: HeardTurn) -> None:
        for listener in self._listeners:
            listener.closed(turn)
