"""A voice that is given words as they are said, and still tells the words as they are written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import cast

from agent.engines.base import Voice, VoiceChunk
from agent.engines.voice.written import Written, written_words
from channels.spoken import Word
from persona.voice.pronunciation import SayIpa
from persona.voice.reader import Reader
from persona.voice.reading import Read


class ReadVoice:
    """A `Voice` around another one, which never sees a figure where the reader knows its words."""

    def __init__(self, voice: Voice, reader: Reader) -> None:
        self.voice = voice
        self._reader = reader
        # Only some engines can be given phonemes.
        self._say_ipa: SayIpa | None = getattr(voice, "phonemes", None)

    @property
    def name(self) -> str:
        """The wrapped voice's."""
        return self.voice.name

    async def start(self) -> None:
        """Start the wrapped voice."""
        await self.voice.start()

    async def close(self) -> None:
        """Close the wrapped voice."""
        await self.voice.close()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. A word comes with the chunk in which the last of its spoken
        words is known."""
        read = self._reader.read(text, language, self._say_ipa)
        spoken = cast(AsyncGenerator[VoiceChunk, None], self.voice.speak(read.text, language=language))
        async with aclosing(spoken) as chunks:
            if not read.changed:
                async for chunk in chunks:
                    yield chunk
                return
            back = WayBack(read)
            rate_hz = 0
            async for chunk in chunks:
                rate_hz = chunk.rate_hz
                yield replace(chunk, words=back.words(chunk.words))
            # A voice that told too few words must not cost the transcript any.
            if rate_hz and (rest := back.rest()):
                yield VoiceChunk(b"", rate_hz, rest)


@dataclass(slots=True)
class _Stretch:
    """Written words and how many spoken ones stand for them."""

    written: tuple[Written, ...]
    spoken: int
    same: bool
    """True when they are the same words: each keeps its own time."""


class WayBack:
    """Spoken words with their times in, written ones out, in order. Pure."""

    def __init__(self, read: Read) -> None:
        self._stretches = list(_stretches(read))
        self._heard: list[Word] = []
        self._end_ms = 0.0
        self._ended = False

    def words(self, spoken: Sequence[Word]) -> tuple[Word, ...]:
        """The written words that are known by now."""
        self._heard += spoken
        given: list[Word] = []
        while self._stretches:
            stretch = self._stretches[0]
            if stretch.same and self._heard and stretch.written:
                given += self._one(stretch)
            elif len(self._heard) >= stretch.spoken and (stretch.spoken or self._heard or self._ended):
                self._stretches.pop(0)
                given += self._share(stretch)
            else:
                break
        return tuple(given)

    def rest(self) -> tuple[Word, ...]:
        """The words left when the voice is through."""
        self._ended = True
        given: list[Word] = []
        for stretch in self._stretches:
            stretch.spoken = min(stretch.spoken, len(self._heard))
            given += self._share(stretch)
        self._stretches = []
        return tuple(given)

    def _one(self, stretch: _Stretch) -> list[Word]:
        word, heard = stretch.written[0], self._heard.pop(0)
        stretch.written = stretch.written[1:]
        if not stretch.written:
            self._stretches.pop(0)
        self._end_ms = heard.end_ms
        return [Word(word.text, heard.start_ms, heard.end_ms)]

    def _share(self, stretch: _Stretch) -> list[Word]:
        """The time of the spoken words, shared between the written ones by how long each takes to say."""
        heard, self._heard = self._heard[: stretch.spoken], self._heard[stretch.spoken :]
        begin_ms = heard[0].start_ms if heard else self._end_ms
        end_ms = heard[-1].end_ms if heard else self._end_ms
        units = [word.units for word in stretch.written]
        whole = sum(units)
        given: list[Word] = []
        done = 0.0
        for word, unit in zip(stretch.written, units, strict=True):
            start, done = done, min(done + (unit / whole if whole else 1 / len(units)), 1.0)
            given.append(
                Word(word.text, begin_ms + start * (end_ms - begin_ms), begin_ms + done * (end_ms - begin_ms))
            )
        self._end_ms = end_ms
        return given


def _stretches(read: Read) -> list[_Stretch]:
    """The spans of a reading, in words of both sides."""
    written, spoken = list(written_words(read.written)), list(written_words(read.text))
    stretches: list[_Stretch] = []
    at = out = 0
    for span in read.spans:
        first, begin = at, out
        while at < len(written) and written[at].end <= span.written_end:
            at += 1
        while out < len(spoken) and spoken[out].end <= span.spoken_end:
            out += 1
        same = [w.text for w in written[first:at]] == [w.text for w in spoken[begin:out]]
        if at == first and out == begin:
            continue
        stretches.append(_Stretch(tuple(written[first:at]), out - begin, same and at > first))
    return stretches
