"""Kyutai's Pocket TTS through `pocket-tts`: a voice from a sample, fast enough on a CPU."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Iterator
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from compliance.errors import EngineMissing
from persona.voice.models import POCKET_LANGUAGES as LANGUAGES
from persona.voice.server.engine import Refused, Samples, Sentence, Setup

_LONGEST_SAMPLE_S = 30
"""Of a voice's sample; more only costs time in every sentence."""


class Pocket:
    """One language, as loaded. Its generator has threads of its own, so it makes one sentence at a time."""

    at_once = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None
        self._learned: dict[str, Any] = {}

    @property
    def rate_hz(self) -> int:
        """Of its sound."""
        return int(self._model.sample_rate)

    def load(self) -> None:
        """Load the folder: the library's own description of the language, with the weights that were fetched."""
        logging.getLogger("pocket_tts").setLevel(logging.CRITICAL)  # it logs texts
        try:
            import torch
            from pocket_tts import TTSModel
        except ImportError:
            raise EngineMissing("voice server: pocket-tts cannot be imported here; run: make voices") from None
        torch.set_num_threads(self._setup.threads or 1)  # the library's choice, made at its import for everybody
        with tempfile.TemporaryDirectory() as folder:
            description = Path(folder) / "model.yaml"
            description.write_text(describe(self._setup.model, self._setup.language), "utf-8")
            self._model = TTSModel.load_model(config=description)
        self._model.to(self._setup.device)

    def voices(self) -> tuple[str, ...]:
        """What was learned; the library's own voices are files of their own, which nobody fetched."""
        return tuple(self._learned)

    def learn(self, name: str, samples: Samples, rate_hz: int) -> None:
        """The model's state after it heard the sample, kept in memory."""
        import torch
        from scipy.signal import resample_poly

        samples = samples[: _LONGEST_SAMPLE_S * rate_hz]
        if rate_hz != self.rate_hz:
            common = gcd(rate_hz, self.rate_hz)
            samples = resample_poly(samples, self.rate_hz // common, rate_hz // common).astype(np.float32)
        audio = torch.from_numpy(np.array(samples, np.float32))[None]
        self._learned[name] = self._model.get_state_for_audio_prompt(audio)

    def forget(self, name: str) -> None:
        """Drop its state."""
        self._learned.pop(name, None)

    def speak(self, sentence: Sentence, stop: threading.Event) -> Iterator[Samples]:
        """80 ms of sound per step. It has no pace to set, and the language it was loaded for."""
        spoken = LANGUAGES.get(self._setup.language.lower()[:2])
        if LANGUAGES.get(sentence.language.lower()[:2], spoken) != spoken:
            raise Refused(f"pocket_tts was loaded for {spoken}")
        state = self._learned.get(sentence.voice)
        if state is None:
            raise Refused("the voice is gone")
        ended = threading.Event()  # ours, so that a generator left in the middle ends its threads too
        try:
            for piece in self._model.generate_audio_stream(state, sentence.text, stop=ended):
                if stop.is_set():
                    return
                yield piece.detach().float().cpu().numpy().reshape(-1)
        finally:
            ended.set()


def describe(folder: Path, language: str) -> str:
    """The YAML of a model: the folder's own `model.yaml`, or the library's for the language, with its files here.

    Raises `EngineMissing` when files are missing, or for a language it does not have.
    """
    import yaml
    from pocket_tts.utils.config import CONFIGS_DIR

    own = folder / "model.yaml"
    name = LANGUAGES.get(language.lower()[:2], "")
    if not own.is_file() and not name:
        raise EngineMissing(f"voice pocket_tts does not speak {language}; it speaks {', '.join(LANGUAGES)}")
    source = own if own.is_file() else Path(CONFIGS_DIR) / f"{name}.yaml"
    described: dict[str, Any] = yaml.safe_load(source.read_text("utf-8"))
    described.pop("weights_path_without_voice_cloning", None)
    described["weights_path"] = _here(folder, "model.safetensors")
    table = described["flow_lm"]["lookup_table"]
    table["tokenizer_path"] = _here(folder, Path(table["tokenizer_path"].partition("@")[0]).name)
    return str(yaml.safe_dump(described))


def _here(folder: Path, name: str) -> str:
    found = sorted(folder.rglob(name))
    if not found:
        raise EngineMissing(f"voice pocket_tts: {name} is not in its folder; run: twin voices fetch")
    return str(found[0])
