"""Lets espeak-ng speak many sentences in a process of its own (it is GPL, and its state is global).

Reads JSON from standard input: {"voice", "rate_wpm", "pitch", "range", "samples", "texts": [...]}; writes int16
mono to standard output until there are that many samples, and before it one line with the rate.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from agent.engines.child import Job
from agent.engines.voice.espeak_child import Espeak


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    espeak = Espeak()
    espeak.voices()
    fields = {name: asked[name] for name in ("voice", "rate_wpm", "pitch", "range")} | {"end_pause": True}
    out = sys.stdout.buffer
    out.write(f"{espeak.rate_hz}\n".encode())
    wanted = 2 * int(asked["samples"])
    for text in asked["texts"]:
        if wanted <= 0:
            break
        for message in espeak.say(Job(0, "say", fields, text.encode())):
            out.write(message.payload)
            wanted -= len(message.payload)


if __name__ == "__main__":
    main()
