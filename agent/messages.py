"""Messages for the owner, from what was heard in a call to what is stored."""

from __future__ import annotations

from collections.abc import Callable

from agent.conversation import Conversation, HeardTurn
from persona import message
from persona.caller import Caller
from persona.message import MessageTaken
from persona.profile import Profile

ALL_TURNS = 10_000


class Messages:
    """Stores each message of a call once: when the caller confirmed it, or at the latest when the call ends.

    It listens to the conversation.
    """

    def __init__(
        self,
        conversation: Conversation,
        profile: Profile,
        caller: Callable[[], Caller],
        store: Callable[[str], None],
    ) -> None:
        self._conversation = conversation
        self._profile = profile
        self._caller = caller
        self._store = store
        self._stored = 0

    def grew(self, turn: HeardTurn) -> None:
        """A message is complete only when a turn is."""

    def closed(self, turn: HeardTurn) -> None:
        if turn.who == "twin":
            self._take(unconfirmed=False)

    def end(self) -> None:
        """The call is over: an unconfirmed message is better than none."""
        self._take(unconfirmed=True)

    def _take(self, *, unconfirmed: bool) -> None:
        turns = self._conversation.for_prompt(ALL_TURNS)
        for taken in message.messages(turns, self._profile, self._caller())[self._stored :]:
            if not taken.confirmed and not unconfirmed:
                return
            self._store(as_text(taken))
            self._stored += 1


def as_text(taken: MessageTaken) -> str:
    """What the owner reads."""
    sender = " ".join(part for part in (taken.caller_name, taken.caller_number) if part)
    unconfirmed = "" if taken.confirmed else " (not confirmed: the call ended before)"
    return f"{taken.text}{f' (from {sender})' if sender else ''}{unconfirmed}"
