"""The process that trains; run by `persona.voice.finetune` in the interpreter that has coqui-tts.

Its argument is the `Plan` as JSON; it writes `Progress` as lines of JSON. When its stdin closes it
interrupts itself, and the library's trainer saves and ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

from persona.voice.finetune import VOICE, Dataset, look

RUNS = "runs"
CHECKPOINTS = ("best_model_*.pth", "checkpoint_*.pth")
_KEPT = 2
"""Checkpoints: one may be torn by a kill, the one before is whole."""
_EVAL_SHARE = 0.1
_KEPT_FILES = ("config.json", "vocab.json", "speakers_xtts.pth")


class Training:
    """One run of the trainer."""

    def __init__(self, plan: dict[str, Any], out: Any) -> None:
        self._plan = plan
        self._told_to = out
        self._folder = Path(plan["out"])
        self._resumed = False
        self._dataset: Dataset

    def run(self) -> None:
        """Train, from the last checkpoint if there is one, and leave the model in `out/voice`."""
        self._tell("loading")
        self._dataset = look(Path(self._plan["dataset"]))
        from trainer import Trainer, TrainerArgs
        from TTS.tts.datasets import load_tts_samples

        _read_clips_without_ffmpeg()
        last = last_run(self._folder / RUNS)
        self._resumed = last is not None
        config, model, restore = self._xtts() if self._plan["kind"] == "xtts" else self._vits()
        train, evaluate = load_tts_samples(config, eval_split=True, eval_split_size=config.eval_split_size)
        trainer = Trainer(
            TrainerArgs(continue_path=str(last) if last else "", restore_path="" if last else restore),
            config,
            output_path=str(self._folder / RUNS),
            model=model,
            train_samples=train,
            eval_samples=evaluate,
            parse_command_line_args=False,
            callbacks={"on_train_step_end": self._stepped, "on_epoch_end": self._epoch_over},
        )
        trainer.config.epochs = self._plan["epochs"]
        trainer.fit()
        trainer.save_checkpoint()
        self._finish(Path(trainer.output_path))
        self._tell("done", trainer)

    def _common(self) -> dict[str, Any]:
        from TTS.config.shared_configs import BaseDatasetConfig

        plan = self._plan
        return {
            "run_name": "voice",
            "output_path": str(self._folder / RUNS),
            "datasets": [
                BaseDatasetConfig(
                    formatter="ljspeech", meta_file_train="metadata.csv", path=plan["dataset"],
                    language=plan["language"],
                )
            ],
            "epochs": plan["epochs"], "batch_size": plan["batch"], "eval_batch_size": plan["batch"],
            "save_step": plan["save_every"], "save_n_checkpoints": _KEPT, "save_on_interrupt": True,
            "num_loader_workers": plan["workers"], "num_eval_loader_workers": 0,
            "eval_split_size": max(_EVAL_SHARE, 1.01 / self._dataset.clips),
            "print_step": 25, "print_eval": False, "test_sentences": [], "dashboard_logger": "tensorboard",
        }  # fmt: skip

    def _vits(self) -> tuple[Any, Any, str]:
        """A VITS that reads letters, so that no phonemizer is needed; its alphabet is that of the texts."""
        from TTS.tts.configs.shared_configs import CharactersConfig
        from TTS.tts.configs.vits_config import VitsConfig
        from TTS.tts.models.vits import Vits, VitsArgs

        plan, dataset = self._plan, self._dataset
        marks = "".join(letter for letter in dataset.letters if not letter.isalnum())
        letters = CharactersConfig(
            characters_class="TTS.tts.models.vits.VitsCharacters", pad="_", eos="", bos="", blank="|",
            characters="".join(letter for letter in dataset.letters if letter.isalnum()) or "a",
            punctuations=marks,
        )  # fmt: skip
        common = self._common()
        if plan["base"]:
            base = Path(plan["base"])
            config = VitsConfig()
            config.load_json(str(base / "config.json"))
            config.update(common)
            restore = str(newest(base) or "")
        else:
            config = VitsConfig(
                model_args=VitsArgs(**plan["shape"]), characters=letters, text_cleaner="multilingual_cleaners",
                min_audio_len=1, min_text_len=1, **common,
            )  # fmt: skip
            config.audio.sample_rate = dataset.rate_hz
            restore = ""
        return config, Vits(config), restore

    def _xtts(self) -> tuple[Any, Any, str]:
        """The part of XTTS that makes tokens from text, as the library's own recipe fine-tunes it."""
        from TTS.tts.configs.xtts_config import XttsAudioConfig
        from TTS.tts.layers.xtts.trainer.gpt_trainer import GPTArgs, GPTTrainer, GPTTrainerConfig

        base, extra = Path(self._plan["base"]), Path(self._plan["trainer"])
        args = GPTArgs(
            max_conditioning_length=132300, min_conditioning_length=66150, max_wav_length=255995,
            max_text_length=200, mel_norm_file=str(extra / "mel_stats.pth"),
            dvae_checkpoint=str(extra / "dvae.pth"), xtts_checkpoint=str(newest(base) or base / "model.pth"),
            tokenizer_file=str(base / "vocab.json"), gpt_num_audio_tokens=1026, gpt_start_audio_token=1024,
            gpt_stop_audio_token=1025,
            gpt_use_masking_gt_prompt_approach=True, gpt_use_perceiver_resampler=True,
        )  # fmt: skip
        config = GPTTrainerConfig(
            model_args=args, audio=XttsAudioConfig(), optimizer="AdamW", optimizer_wd_only_on_weights=True,
            optimizer_params={"betas": [0.9, 0.96], "eps": 1e-8, "weight_decay": 1e-2}, lr=5e-6,
            lr_scheduler="MultiStepLR",
            lr_scheduler_params={"milestones": [900000], "gamma": 0.5, "last_epoch": -1}, **self._common(),
        )  # fmt: skip
        return config, GPTTrainer(config), ""

    def _finish(self, run: Path) -> None:
        """The finished voice: the newest checkpoint with what belongs to it, put in place at once."""
        part, voice = self._folder / f"{VOICE}.part", self._folder / VOICE
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        source = Path(self._plan["base"]) if self._plan["kind"] == "xtts" else run
        for name in _KEPT_FILES:
            if (source / name).is_file():
                shutil.copy2(source / name, part / name)
        checkpoint = newest(run)
        if checkpoint is not None:
            shutil.copy2(checkpoint, part / "model.pth")
        shutil.rmtree(voice, ignore_errors=True)
        part.rename(voice)

    def _stepped(self, trainer: Any) -> None:
        self._tell("training", trainer)

    def _epoch_over(self, trainer: Any) -> None:
        self._tell("evaluating", trainer)

    def _tell(self, state: str, trainer: Any = None) -> None:
        told: dict[str, Any] = {"state": state, "epochs": self._plan["epochs"], "resumed": self._resumed}
        if trainer is not None:
            values = getattr(trainer.keep_avg_train, "avg_values", None) or {}
            loss = values.get("avg_loss", values.get("avg_loss_1"))  # the whole, and VITS's generator's
            told |= {"step": trainer.total_steps_done, "epoch": trainer.epochs_done + 1}
            told |= {"loss": None if loss is None else float(loss)}
        self._told_to.write(json.dumps(told) + "\n")
        self._told_to.flush()


def newest(folder: Path) -> Path | None:
    """The checkpoint with the most steps; one that a kill tore is put aside."""
    found = [path for pattern in ("model.pth", *CHECKPOINTS) for path in folder.glob(pattern)]
    for path in sorted(found, key=_steps, reverse=True):
        if zipfile.is_zipfile(path):  # its index comes last
            return path
        path.rename(path.with_suffix(".torn"))
    return None


def _steps(path: Path) -> int:
    digits = path.stem.rpartition("_")[2]
    return int(digits) if digits.isdigit() else -1


def last_run(runs: Path) -> Path | None:
    """The newest run that has a whole checkpoint and can go on."""
    folders = [path for path in runs.glob("*") if (path / "config.json").is_file()]
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True):
        if newest(folder) is not None:
            return folder
    return None


def _read_clips_without_ffmpeg() -> None:
    """torchaudio reads files through FFmpeg's libraries since torch 2.9; they need not be here, clips are WAV."""
    import soundfile
    import torch
    from TTS.tts.models import vits, xtts

    def load_for_vits(path: str) -> tuple[Any, int]:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        return torch.from_numpy(samples.T[:1].copy()), rate_hz

    def load_for_xtts(path: str, rate_hz: int) -> Any:
        import torchaudio

        samples, own_hz = load_for_vits(path)
        return torchaudio.functional.resample(samples, own_hz, rate_hz).clip(-1, 1)

    vits.load_audio = load_for_vits
    xtts.load_audio = load_for_xtts


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    """Train by the plan in the argument."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the trainer prints; the real stdout is the protocol's
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        import trainer  # noqa: F401
        import TTS  # noqa: F401
    except ImportError as error:
        out.write(json.dumps({"missing": error.name or "coqui-tts", "state": "loading"}) + "\n")
        out.flush()
        return
    Training(json.loads(sys.argv[1]), out).run()


if __name__ == "__main__":
    main()
