"""A child that hosts the small service of these tests as it would host Piper."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from agent.engines.base import EngineConfig
from agent.engines.child import serve
from agent.engines.voice.voice_child import VoiceHere
from tests.unit.agent.engines.voice.tones import Tones

if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    voice = VoiceHere(EngineConfig(**settings | {"cache": Path(settings["cache"])}), lambda language: Tones())
    serve(voice.say, setup=voice.setup)
