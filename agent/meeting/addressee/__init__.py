"""For whom words in a meeting are meant, and what the twin does about it."""

from agent.meeting.addressee.deciding import Decision, decide
from agent.meeting.addressee.judge import Addressee
from agent.meeting.addressee.names import Names
from agent.meeting.addressee.said import Heard, Judgement, Mode, Scene, Target

__all__ = ["Addressee", "Decision", "Heard", "Judgement", "Mode", "Names", "Scene", "Target", "decide"]
