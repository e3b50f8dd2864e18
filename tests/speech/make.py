"""What the callers of the tests say: small 16 kHz WAV files, made with flite and kept beside this script.

    python -m tests.speech.make            # needs flite; only after a change of the table

A test reads them with `load(name)` and looks for `TABLE[name].keywords`: words that PocketSphinx, the engine
that is always there, gets at 16 kHz and also after the telephone's 8 kHz mu-law.
"""

from __future__ import annotations

import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
RATE_HZ = 16000
VOICE = "slt"


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and what a weak recogniser can be relied on to hear of it."""

    text: str
    keywords: tuple[str, ...]
    stretch: float = 1.0
    """Of durations; slower is clearer."""


TABLE: dict[str, Line] = {
    "ask_hours": Line("When is the office open on Saturday?", ("saturday",), stretch=1.2),
    "ask_name": Line("Who am I talking to?", ("talking",)),
    "ask_price": Line("How much does a consultation cost?", ("how", "much", "consultation")),
    "ask_address": Line("Give me the address of your company, please.", ("give", "address")),
    "long_story": Line(
        "Please tell me everything about your work and your office.", ("tell", "everything", "about")
    ),
    "stop": Line("Stop. I have another question.", ("another", "question")),
    "mhm": Line("mm hmm", ()),
    "take_message": Line(
        "Please tell him that the meeting moves to Monday at nine.", ("please", "tell", "him", "nine")
    ),
    "goodbye": Line("Thank you very much. Good bye.", ("very", "much", "good")),
    "unknown": Line("What is the capital of Mongolia?", ("capital",)),
    "unrelated": Line("The old yellow tractor stood behind the barn.", ("old", "yellow", "behind")),
    "over_disclosure": Line(
        "Hello? Hello, can you hear me? I would like to ask something.", ("hello", "can", "hear", "me")
    ),
    "alpha": Line("alpha alpha alpha bravo bravo", ("alpha", "bravo")),
    "tango": Line("water water water paper paper", ("water", "paper")),
}
"""By file name. `alpha` and `tango` share no word: two callers who must never hear each other."""


def path(name: str) -> Path:
    """Where a line's WAV file is."""
    return FOLDER / f"{name}.wav"


def load(name: str) -> bytes:
    """A line as int16 mono at `RATE_HZ`, without its header."""
    with wave.open(str(path(name))) as file:
        return bytes(file.readframes(file.getnframes()))


def make(name: str) -> None:
    """Let flite say a line."""
    line = TABLE[name]
    stretch = f"duration_stretch={line.stretch}"
    subprocess.run(
        ["flite", "-voice", VOICE, "--setf", stretch, "-t", line.text, "-o", str(path(name))],
        check=True,
        timeout=60,
    )
    with wave.open(str(path(name))) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE_HZ, 1, 2):
            raise SystemExit(f"{name}: this flite voice is not 16 kHz mono")


if __name__ == "__main__":
    for each in TABLE:
        make(each)
        print(f"{each:16} {path(each).stat().st_size / 1000:6.0f} kB  {TABLE[each].text}")
