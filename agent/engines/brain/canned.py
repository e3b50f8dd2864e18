"""A brain that gives an answer again while nothing it rests on has changed; the rule is `persona.canned`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import cast, get_args

from agent.engines.base import Brain, Piece
from agent.engines.closing import closing
from agent.sentences import Sentences
from persona.canned import Canned, Sentence, key
from persona.prompt import Prompt
from persona.source import Provenance

Attribute = Callable[[str, Prompt], Provenance]
"""Where a sentence that a model made for a prompt comes from."""
_KNOWN = frozenset(get_args(Provenance))


class CannedBrain:
    """A model's brain, and before it what it has answered already.

    It belongs around the model itself and inside a `Fallback`: what a stand-in says is not kept.
    """

    def __init__(self, brain: Brain, canned: Canned, attribute: Attribute) -> None:
        self._brain = brain
        self._canned = canned
        self._attribute = attribute

    @property
    def name(self) -> str:
        return self._brain.name

    async def start(self) -> None:
        await self._brain.start()

    async def close(self) -> None:
        self._canned.clear()
        await self._brain.close()

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer; see `Brain.answer`. One that failed, was interrupted, hung up or used a tool is not
        kept."""
        kept = self._canned.get(key(prompt))
        if kept is not None:
            for sentence in kept:
                yield Piece(f"{sentence.text} ", sentence.provenance)
            return
        pieces: list[Piece] = []
        async with contextlib.aclosing(closing(self._brain.answer(prompt))) as answer:
            async for piece in answer:
                pieces.append(piece)
                yield piece
        # Only text: a goodbye, or whatever else a piece may carry, is an act and is not repeated.
        if key(prompt) and all(piece == Piece(piece.text, piece.provenance) for piece in pieces):
            self._canned.put(prompt, self._sentences(pieces, prompt))

    def _sentences(self, pieces: list[Piece], prompt: Prompt) -> list[Sentence]:
        # Not cut at a first clause, as for the voice: where it comes from is told of a whole sentence.
        cutter = Sentences(first_chars=240)
        sentences: list[Sentence] = []
        provenance = ""
        for piece in [*pieces, Piece("", "end")]:
            texts = cutter.end() if piece.provenance != provenance else []
            sentences += [Sentence(text, self._of(text, provenance, prompt)) for text in texts]
            provenance = piece.provenance
            sentences += [Sentence(text, self._of(text, provenance, prompt)) for text in cutter.feed(piece.text)]
        return sentences

    def _of(self, text: str, provenance: str, prompt: Prompt) -> Provenance:
        if provenance in _KNOWN:
            return cast(Provenance, provenance)
        return self._attribute(text, prompt)
