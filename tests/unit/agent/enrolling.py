"""An owner who enrols at home: recordings by flite, the statement read aloud, and a recogniser that hears it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from persona.voice.sound import Sound, joined, read
from tests.need import need
from tests.speech.make import TABLE, path

OWNER = "Martin Alder"
CLEAR = "rms"
"""The voice of flite that PocketSphinx understands best."""
READ = (
    "The long journey home took a year. She saw a cat in the house. A pink shell was found on the sandy beach. "
    "Small children came to see him. The grass and bushes were wet with dew. The blind man counted his old coins. "
    "A severe storm tore down the barn. She called his name many times. When you hear the bell, come quickly. "
    "A gold ring will please most any girl. Please give me the address of your office."
)


def spoken(folder: Path, name: str, text: str, *, voice: str = CLEAR) -> Path:
    """A text read aloud by flite, as a WAV file."""
    file = folder / f"{name}.wav"
    arguments = ["-voice", voice, "--setf", "duration_stretch=1.1", "-t", text, "-o", str(file)]
    subprocess.run([need("flite"), *arguments], check=True, timeout=60)
    return file


def recording(folder: Path) -> Path:
    """Half a minute of the owner, without flite: the callers' voice."""
    file = folder / "owner.wav"
    file.write_bytes(callers().wav())
    return file


def statement(folder: Path) -> Path:
    """Twelve seconds of the same voice; what it says is for a recogniser that is told what it heard."""
    file = folder / "statement.wav"
    whole = callers()
    file.write_bytes(Sound(whole.samples[: 12 * whole.rate_hz], whole.rate_hz).wav())
    return file


def impostor(folder: Path) -> Path:
    """As long, by a deeper voice."""
    file = folder / "impostor.wav"
    whole = callers().at(20_800)
    file.write_bytes(Sound(whole.samples[: 14 * 16_000], 16_000).wav())
    return file


def callers() -> Sound:
    """All that the tests' callers say."""
    return joined([read(path(name)) for name in TABLE], 16_000)
