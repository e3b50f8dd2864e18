"""What the twin says in the measurements: sentences by the built-in voice, with their phonemes."""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import replace

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.resample import Resampler
from channels.spoken import Phoneme, Spoken, Word

TEXT = """
A gold ring will please most any girl. The long journey home took a year. She saw a cat in the neighbour's house.
A pink shell was found on the sandy beach. Small children came to see him. The grass and bushes were wet with dew.
The blind man counted his old coins. A severe storm tore down the barn. She called his name many times.
When you hear the bell, come quickly. Bob brought a big bag of apples, plums and pears to the party.
My mother may make some marmalade on Monday. The moon above the lamp was warm and amber.
Please put the map beside the beautiful blue bowl. Five very fine foxes favoured the valley.
Pam's baby babbled about a bumpy camel. We expect a member of the public to be present.
The office is open from nine. Could you remember to bring the paper?
Tomorrow morning is impossible, but Wednesday may be possible.
"""
SENTENCES = [line.strip() for line in re.split(r"(?<=[.?])\s+", " ".join(TEXT.split())) if line.strip()]


async def spoken(rate_hz: int, sentences: list[str] = SENTENCES) -> list[Spoken]:
    """Each sentence whole, as utterances from 1 on; their epoch is that of a fresh clock."""
    voice = Espeak(EngineConfig("espeak", language="en"))
    await voice.start()
    try:
        return [await _say(voice, number, text, rate_hz) for number, text in enumerate(sentences, start=1)]
    finally:
        await voice.close()


async def _say(voice: Espeak, number: int, text: str, rate_hz: int) -> Spoken:
    pcm = bytearray()
    words: list[Word] = []
    phonemes: list[Phoneme] = []
    resampler: Resampler | None = None
    async with aclosing(voice.speak(text, language="en")) as chunks:
        async for chunk in chunks:
            resampler = resampler or Resampler(chunk.rate_hz, rate_hz)
            pcm += resampler.feed(chunk.pcm)
            words += chunk.words
            phonemes += chunk.phonemes
    if resampler is not None:
        pcm += resampler.finish()
    return Spoken(number, 0, bytes(pcm), tuple(words), tuple(phonemes), exact=True, last=True)


def renumbered(said: Spoken, utterance: int, epoch: int) -> Spoken:
    """The same sentence said again."""
    return replace(said, utterance=utterance, epoch=epoch)
