"""What the processes of rooms have in common, done once in the process that they are forked from.

Only modules and tables: no loop, no connection and no model may be there before a fork. What cannot be loaded here
is loaded, and complained of, where it is needed.
"""

from __future__ import annotations

import importlib
import logging
import os
from contextlib import suppress
from pathlib import Path

from agent.fleet import process
from agent.home import VARIABLE
from agent.settings import load
from compliance.errors import TwinError
from compliance.jurisdiction import table
from compliance.language import answers, intents
from persona.words import language as words_of

logger = logging.getLogger(__name__)

MODULES = (
    "channels.livekit.session",
    "livekit.api",
    "livekit.rtc",
    "onnxruntime",
    "pipecat.audio.vad.data",
    "pipecat.pipeline.worker",
    "posthog",
    "qdrant_client",
    "soxr",
    "sqlalchemy.dialects.sqlite",
)
"""Loaded where a room first needs them, if not here."""


def warm(home: Path) -> None:
    """Read the tables of this twin's language."""
    with suppress(TwinError):  # a broken home is told of by the worker itself
        language = load(home).twin.language
        answers.warm(language)
        intents.warm(language)
        words_of(language)


for _module in MODULES:
    try:
        importlib.import_module(_module)
    except ImportError:
        logger.debug("a module of rooms is not installed")
table()
if VARIABLE in os.environ:
    warm(Path(os.environ[VARIABLE]))

__all__ = ["process"]
