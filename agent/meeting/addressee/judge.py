"""For whom words in a meeting are meant, from the words and what went before. Pure, and below a millisecond.

words, names, cues -> features -> logistic model -> target, how sure, what is wanted, orders about behaviour
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from agent.meeting.addressee.commands import Command, command
from agent.meeting.addressee.features import Features, Situation, called, features, read, situation
from agent.meeting.addressee.model import TARGETS, Model, fitted
from agent.meeting.addressee.names import Names
from agent.meeting.addressee.reading import Reader, Reading
from agent.meeting.addressee.said import Heard, Judgement, Scene, Target

HANDS_DOWN = 0.9
"""How sure it is that "take the hand down" is meant for the twin while its hand is up."""
FOR_TWIN = 0.35
"""Probability from which words are taken to be meant for the twin; to speak takes more (`deciding.SURE`)."""


class Addressee:
    """Judges the utterances of one meeting."""

    def __init__(
        self, names: Names, in_field: Callable[[str], bool], language: str, *, model: Model | None = None
    ) -> None:
        """`in_field` says whether the owner's own facts speak of a question; it is asked about questions and
        requests only. `language` is the meeting's; English and German are also told apart by their words."""
        self._reader = Reader(names, language)
        self._in_field = in_field
        self._model = model or fitted()

    def judge(self, heard: Heard, scene: Scene) -> Judgement:
        """For whom `heard`, an utterance of a person that has ended, was meant."""
        reading, now, found, order = self._look(heard, scene)
        odds = self._model.odds(found)
        for_twin = odds["twin"]
        if order == "lower_hand" and scene.hand_raised and not called(reading, "other"):
            # Whose hand is up is known: no weighing of words.
            for_twin = max(for_twin, HANDS_DOWN)
        target: Target = "twin" if for_twin >= FOR_TWIN else max(TARGETS[1:], key=lambda each: odds[each])
        if scene.owner_here and target == "owner":
            target = "other"
        if target != "twin" or (order == "leave" and scene.people and not _sent_away(reading, now)):
            order = ""
        return Judgement(
            target=target,
            for_twin=round(for_twin, 4),
            wants=_wants(reading, now, target, order),
            in_field="in_field" in found,
            command=order,
            why=self._model.why(target, found),
        )

    def features(self, heard: Heard, scene: Scene) -> Features:
        """What the model is fitted on."""
        return self._look(heard, scene)[2]

    def _look(self, heard: Heard, scene: Scene) -> tuple[Reading, Situation, Features, Command]:
        reading = read(heard, scene, self._reader)
        now = situation(heard, scene, self._reader)
        in_field = (reading.asks or reading.orders) and self._in_field(heard.text)
        order = command(reading, hand_raised=scene.hand_raised)
        return reading, now, features(heard, scene, reading, now, in_field=in_field, order=order), order


def _sent_away(reading: Reading, now: Situation) -> bool:
    """Nobody else can be meant by "you can leave": the twin is called, or it is being talked with."""
    if called(reading, "other"):
        return called(reading, "twin") or called(reading, "owner")
    return called(reading, "twin") or called(reading, "owner") or now.after_twin or now.partner


def _wants(
    reading: Reading, now: Situation, target: Target, order: Command
) -> Literal["answer", "action", "nothing"]:
    if order and order != "speak":
        return "nothing"
    if "pass_on" in reading.cues:
        return "action"
    if reading.orders and not ("opinion" in reading.cues or "repeat" in reading.cues):
        return "action"
    if reading.asks or reading.orders or order == "speak" or "opinion" in reading.cues:
        return "answer"
    if "settles" in reading.cues and now.after_twin and not now.twin_asked:
        return "nothing"
    if "thanks" in reading.cues or "greeting" in reading.cues or "mumble" in reading.cues:
        return "nothing"
    if reading.listening and not now.twin_asked:
        return "nothing"
    return "answer" if target == "twin" else "nothing"
