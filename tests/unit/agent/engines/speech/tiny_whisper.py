"""A real Whisper model in CTranslate2's format, 0.5 MB, built from numpy: no hub, no torch.

It hears nothing: its decoder's position encodings point at the tokens of one fixed text, so that loading,
features, encoding, beam search and tokenizer are all real, and the outcome is known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.model_spec import visit_spec

WIDTH = 32
INNER = 64
MELS = 80
PROMPT = 1  # the start of transcript alone: CTranslate2 takes so small a vocabulary for English only
LOGIT = 4.0


def build(folder: Path, text: str = "alpha bravo", *, seconds: float = 1.0) -> Path:
    """Write a model that transcribes everything as `text`, ending after `seconds`."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [f"Ġ{word}" for word in text.split()]
    tokens = _vocabulary(words)
    ids = {token: number for number, token in enumerate(tokens)}
    says = ["<|0.00|>", *words, f"<|{seconds:.2f}|>", "<|endoftext|>"]
    spec = WhisperSpec(1, 2, 1, 2)
    _fill(spec, tokens, [ids[token] for token in says])
    spec.register_vocabulary(tokens)
    spec.config.lang_ids = [ids["<|en|>"], ids["<|de|>"]]
    spec.config.alignment_heads = [(0, 0)]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["<|endoftext|>"]]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    _tokenizer(tokens, ids).save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    return folder


def _vocabulary(words: list[str]) -> list[str]:
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    special = "endoftext startoftranscript en de translate transcribe startoflm startofprev nospeech notimestamps"
    timestamps = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
    return [*letters, *dict.fromkeys(words), *(f"<|{name}|>" for name in special.split()), *timestamps]


def _tokenizer(tokens: list[str], ids: dict[str, int]) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=ids, merges=[]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([token for token in tokens if token.startswith("<|")])
    return tokenizer


def _fill(spec: WhisperSpec, tokens: list[str], says: list[int]) -> None:
    rng = np.random.default_rng(0)
    positions = np.zeros((448, WIDTH), np.float32)
    projection = np.zeros((len(tokens), WIDTH), np.float32)
    for place in range(448):
        positions[place, min(place, PROMPT - 1 + len(says) - 1)] = 1.0
    for place, token in enumerate(says, PROMPT - 1):
        projection[token, place] = LOGIT
    given = {
        "decoder/position_encodings/encodings": positions,
        "decoder/projection/weight": projection,
        "decoder/embeddings/weight": np.zeros((len(tokens), WIDTH), np.float32),
        "encoder/position_encodings/encodings": rng.normal(0, 0.1, (1500, WIDTH)).astype(np.float32),
        "encoder/conv1/weight": rng.normal(0, 0.1, (WIDTH, MELS, 3)).astype(np.float32),
        "encoder/conv2/weight": rng.normal(0, 0.1, (WIDTH, WIDTH, 3)).astype(np.float32),
    }

    def fill(part: Any, name: str, value: Any) -> None:
        key = name.rsplit("/", 1)[-1]
        if name in given:
            setattr(part, key, given[name])
        elif key == "gamma":
            setattr(part, key, np.ones(WIDTH, np.float32))
        elif key == "beta" or ("conv" in name and key == "bias"):
            setattr(part, key, np.zeros(WIDTH, np.float32))
        elif value is None and key == "weight":
            setattr(part, key, _silent(name, rng))

    visit_spec(spec, fill)


def _silent(name: str, rng: np.random.Generator) -> Any:
    """A layer's weight. What a layer adds to the decoder is nothing: only the position speaks there."""
    if "ffn/linear_0" in name:
        shape = (INNER, WIDTH)
    elif "ffn/linear_1" in name:
        shape = (WIDTH, INNER)
    elif "self_attention/linear_0" in name:
        shape = (3 * WIDTH, WIDTH)
    elif "attention/linear_1" in name and "self" not in name:
        shape = (2 * WIDTH, WIDTH)
    else:
        shape = (WIDTH, WIDTH)
    if name.startswith("decoder"):
        return np.zeros(shape, np.float32)
    return rng.normal(0, 0.1, shape).astype(np.float32)
