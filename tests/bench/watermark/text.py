"""What the voices of the benchmark say: sentences an answering twin could say, drawn by a seed (`text.toml`)."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

_WORDS: dict[str, dict[str, list[str]]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
LANGUAGES = tuple(_WORDS)


def sentences(language: str, seed: str) -> Iterator[str]:
    """Sentences of a language without end; the same for the same seed."""
    chance = random.Random(f"watermark {language} {seed}")
    words = _WORDS[language]
    while True:
        yield chance.choice(words["sentences"]).format(
            n=chance.choice(words["names"]),
            o=chance.choice(words["objects"]),
            p=" ".join(str(chance.randrange(10)) for _ in range(chance.randrange(5, 9))),
            d=chance.randrange(2, 29),
            h=chance.randrange(1, 13),
            a=chance.randrange(3, 9000),
        )
