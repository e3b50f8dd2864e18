"""Coqui's models through `coqui-tts` (imports as `TTS`): XTTS, and single speakers such as a fine-tuned VITS."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from compliance.errors import EngineFailed, EngineMissing
from persona.voice.server.engine import Refused, Samples, Sentence, Setup

MODEL_FILES = ("model.pth", "model_file.pth", "best_model.pth", "best_model_*.pth", "checkpoint_*.pth")
"""A checkpoint's names, as the hub and the trainer give them; of several the newest."""
_PIECE_S = 0.25
"""Of a sentence that a model makes all at once."""


class _Stopped(Exception):
    """Raised inside the model's own loop, at a token."""


class Xtts:
    """XTTS: a learned voice is its latents, computed once and kept in memory.

    Its streams may be stepped in turn although the model keeps one sentence's prompt in itself: each stream puts
    its own back before a step.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None
        self._config: Any = None
        self._learned: dict[str, tuple[Any, Any]] = {}

    @property
    def rate_hz(self) -> int:
        """Of its sound."""
        return int(self._config.audio.output_sample_rate)

    @property
    def at_once(self) -> int:
        """A GPU is faster than one listener; a CPU hardly keeps up with one."""
        return 4 if self._setup.device == "cuda" else 1

    def load(self) -> None:
        """Load the folder: config.json, vocab.json, a checkpoint and perhaps speakers_xtts.pth."""
        folder = self._setup.model
        checkpoint = find_checkpoint(folder)
        _import_tts(self._setup)
        from TTS.tts.configs.xtts_config import XttsConfig
        from TTS.tts.models.xtts import Xtts as Model

        self._config = XttsConfig()
        self._config.load_json(str(folder / "config.json"))
        model = Model(self._config)
        model.load_checkpoint(self._config, checkpoint_dir=str(folder), checkpoint_path=str(checkpoint), eval=True)
        model.to(self._setup.device)
        self._model = model

    def voices(self) -> tuple[str, ...]:
        """What was learned, then the model's own speakers."""
        return (*self._learned, *(name for name in self._speakers() if name not in self._learned))

    def learn(self, name: str, samples: Samples, rate_hz: int) -> None:
        """As the library does it from a file; ours never becomes one."""
        import torch
        import torchaudio

        config, model = self._config, self._model
        audio = torch.from_numpy(np.array(samples, np.float32))[None]
        if rate_hz != config.audio.sample_rate:
            audio = torchaudio.functional.resample(audio, rate_hz, config.audio.sample_rate)
        audio = audio[:, : config.audio.sample_rate * config.max_ref_len]
        if config.sound_norm_refs:
            audio = audio / audio.abs().max().clamp(min=1e-6) * 0.75
        embedding = model.get_speaker_embedding(audio.clone(), config.audio.sample_rate)
        latent = model.get_gpt_cond_latents(
            audio, config.audio.sample_rate, length=config.gpt_cond_len, chunk_length=config.gpt_cond_chunk_len
        )
        self._learned[name] = (latent, embedding)

    def forget(self, name: str) -> None:
        """Drop its latents."""
        self._learned.pop(name, None)

    def speak(self, sentence: Sentence, stop: threading.Event) -> Iterator[Samples]:
        """About a second of sound per step; `stop` is seen at every token."""
        from transformers import LogitsProcessorList

        language = self._language(sentence.language)
        latent, embedding = self._latents(sentence.voice)
        config, inner = self._config, self._model.gpt.gpt_inference

        def check(_: Any, scores: Any) -> Any:
            if stop.is_set():
                raise _Stopped
            return scores

        stream = self._model.inference_stream(
            sentence.text, language, latent, embedding, speed=sentence.speed,
            temperature=config.temperature, length_penalty=config.length_penalty,
            repetition_penalty=config.repetition_penalty, top_k=config.top_k, top_p=config.top_p,
            enable_text_splitting=len(sentence.text) > self._model.tokenizer.char_limits.get(language[:2], 250),
            logits_processor=LogitsProcessorList([check]),
        )  # fmt: skip
        prompt: Any = None
        while True:
            if prompt is not None:
                inner.cached_prefix_emb = prompt
            try:
                piece = next(stream, None)
            except _Stopped:
                return
            if piece is None:
                return
            prompt = inner.cached_prefix_emb
            yield piece.detach().float().cpu().numpy().reshape(-1)

    def _speakers(self) -> dict[str, Any]:
        manager = getattr(self._model, "speaker_manager", None)
        speakers: dict[str, Any] = getattr(manager, "speakers", None) or {}
        return speakers

    def _latents(self, voice: str) -> tuple[Any, Any]:
        if voice in self._learned:
            return self._learned[voice]
        try:
            latent, embedding = self._speakers()[voice].values()
        except KeyError:
            raise Refused("the voice is gone") from None
        return latent, embedding

    def _language(self, code: str) -> str:
        primary = code.lower().replace("_", "-").partition("-")[0]
        primary = "zh-cn" if primary == "zh" else primary
        if primary not in self._config.languages:
            raise Refused(f"XTTS does not speak {primary}; it speaks {', '.join(self._config.languages)}")
        return primary


class SingleSpeaker:
    """A model that is one voice: a folder with config.json and a checkpoint, as the trainer leaves it.

    Such a model makes a sentence in one go; its sound is handed out in pieces, and `stop` is seen between them.
    """

    at_once = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._synthesizer: Any = None

    @property
    def rate_hz(self) -> int:
        """Of its sound."""
        return int(self._synthesizer.output_sample_rate)

    def load(self) -> None:
        """Load it with the library's own synthesizer."""
        folder = self._setup.model
        checkpoint = find_checkpoint(folder)
        _import_tts(self._setup)
        from TTS.utils.synthesizer import Synthesizer

        self._synthesizer = Synthesizer(
            tts_checkpoint=str(checkpoint), tts_config_path=str(folder / "config.json"),
            voice_dir=str(folder / "voices"), use_cuda=self._setup.device == "cuda",
        )  # fmt: skip

    def voices(self) -> tuple[str, ...]:
        """The speakers of a model that has several, otherwise the one."""
        manager = getattr(self._synthesizer.tts_model, "speaker_manager", None)
        return tuple(getattr(manager, "speaker_names", None) or ("own",))

    def learn(self, name: str, samples: Samples, rate_hz: int) -> None:
        """It cannot: it was trained for its voice."""
        raise Refused("this model has one voice of its own; it learns no other")

    def forget(self, name: str) -> None:
        """Nothing was learned."""

    def speak(self, sentence: Sentence, stop: threading.Event) -> Iterator[Samples]:
        """The whole sentence is made at the first step."""
        if stop.is_set():
            return
        own = sentence.voice == "own"
        made = self._synthesizer.tts(
            sentence.text, speaker_name=None if own else sentence.voice, split_sentences=False,
            **self._pace(sentence.speed),
        )  # fmt: skip
        samples: Samples = np.asarray(made, np.float32).reshape(-1)
        step = int(_PIECE_S * self.rate_hz)
        for start in range(0, len(samples), step):
            if stop.is_set():
                return
            yield samples[start : start + step]

    def _pace(self, speed: float) -> dict[str, float]:
        """What the model knows of pace; VITS and its kin take a length scale."""
        model = self._synthesizer.tts_model
        if speed == 1.0 or not hasattr(model, "length_scale"):
            return {}
        return {"length_scale": model.length_scale / speed}


def find_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of a model's folder. Raises `EngineMissing`."""
    for pattern in MODEL_FILES:
        found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        if found and (folder / "config.json").is_file():
            return found[-1]
    raise EngineMissing(
        "voice coqui: [voice] model must be a folder with config.json and a checkpoint (model.pth)"
    )


def _import_tts(setup: Setup) -> None:
    # Its warnings quote what is being said.
    logging.getLogger("TTS").setLevel(logging.CRITICAL)
    try:
        import torch
        import TTS  # noqa: F401
    except ImportError as error:
        missing = "torch" if error.name == "torch" else "coqui-tts, torchaudio and torchcodec"
        raise EngineMissing(f"voice server: {missing} cannot be imported here; run: make voices") from None
    except Exception as error:  # noqa: BLE001 - torchcodec raises what it likes when a system library is missing
        raise EngineFailed(f"voice server: coqui-tts does not load ({type(error).__name__})") from None
    # As many as there are cores would make each of its steps wait for a core that a call needs just then.
    torch.set_num_threads(setup.threads or max(1, (os.cpu_count() or 2) // 2))
