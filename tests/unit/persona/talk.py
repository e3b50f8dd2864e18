"""A conversation with an answerer, turn by turn."""

from __future__ import annotations

from datetime import date

from persona import message
from persona.caller import Caller
from persona.grounded import Answerer, Reply
from persona.home import Persona
from persona.prompt import Turn

TODAY = date(2026, 5, 5)


class Talk:
    """Keeps the turns, as the pipeline would."""

    def __init__(self, answerer: Answerer, caller: Caller | None = None) -> None:
        self.answerer = answerer
        self.caller = caller or Caller()
        self.turns: list[Turn] = []

    def say(self, words: str, *, stand_in: bool = False) -> Reply:
        """What the twin answers to the words of the caller."""
        self.turns.append(Turn("caller", words))
        reply = self.answerer.reply(self.turns, today=TODAY, caller=self.caller, stand_in=stand_in)
        self.turns.append(Turn("twin", reply.text))
        return reply

    def messages(self) -> tuple[message.MessageTaken, ...]:
        """What would be stored if the caller hung up now."""
        return message.messages(self.turns, self.persona.profile, self.caller)

    @property
    def persona(self) -> Persona:
        return self.answerer.persona
