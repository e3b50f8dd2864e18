"""Real models with random weights and small dimensions, for an interpreter that has coqui-tts and pocket-tts.

    python -m tests.doubles.tiny_voices xtts FOLDER      python -m tests.doubles.tiny_voices in_turn XTTS_FOLDER

They sound like noise; all of the loading, learning, streaming and stopping code is the libraries' and ours. The
XTTS never says its stop token, so that a sentence lasts as long as the model allows: 28 s, with `short` 2 s.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz äöüß.,!?'-"
MIMI_HZ = 24000


def tokenizer(path: Path, special: list[str]) -> int:
    """A tokenizer of single letters; returns its size."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE

    tokens = [*special, *LETTERS, *LETTERS.upper().strip()]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    made = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token=special[0]))
    made.add_special_tokens(special)
    made.save(str(path))
    return len(vocabulary)


def xtts_config(letters: int, most_tokens: int) -> Any:
    """23 million parameters instead of 467; the vocoder's size is fixed in the library. 46 ms a token."""
    from TTS.tts.configs.xtts_config import XttsConfig

    config = XttsConfig(top_k=1)  # the likeliest token each time: the sound does not depend on chance
    args = config.model_args
    args.gpt_layers, args.gpt_n_model_channels, args.gpt_n_heads, args.decoder_input_dim = 2, 64, 2, 64
    args.gpt_num_audio_tokens, args.gpt_start_audio_token, args.gpt_stop_audio_token = 34, 32, 33
    args.gpt_use_perceiver_resampler, args.gpt_max_audio_tokens = True, most_tokens
    args.gpt_number_text_tokens, args.gpt_start_text_token, args.gpt_stop_text_token = letters, 2, 1
    return config


def make_xtts(folder: Path, most_tokens: int = 605) -> None:
    import torch
    from TTS.tts.models.xtts import Xtts

    letters = tokenizer(folder / "vocab.json", ["[UNK]", "[STOP]", "[START]", "[SPACE]", "[en]", "[de]"])
    config = xtts_config(letters, most_tokens)
    torch.manual_seed(1)
    model = Xtts(config)
    with torch.no_grad():
        model.gpt.mel_head.bias[config.model_args.gpt_stop_audio_token] = -1e4
    config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")


def vits_args() -> dict[str, Any]:
    """The dimensions of a VITS that is trained in no time."""
    return {
        "hidden_channels": 32, "hidden_channels_ffn_text_encoder": 32, "num_layers_text_encoder": 1,
        "num_layers_posterior_encoder": 1, "num_layers_flow": 1, "upsample_initial_channel_decoder": 32,
        "resblock_kernel_sizes_decoder": [3], "resblock_dilation_sizes_decoder": [[1, 1, 1]], "use_sdp": False,
        "periods_multi_period_discriminator": [2],
    }  # fmt: skip


def make_vits(folder: Path) -> None:
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    config = VitsConfig(model_args=VitsArgs(**vits_args()), text_cleaner="basic_cleaners")
    torch.manual_seed(1)
    model = Vits(config)
    config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict(), "config": config.to_dict()}, folder / "checkpoint_2.pth")


def make_pocket(folder: Path) -> None:
    import safetensors.torch
    import torch
    import yaml
    from pocket_tts import TTSModel

    letters = tokenizer(folder / "tokenizer.json", ["[UNK]"])
    seanet = {
        "dimension": 32, "channels": 1, "n_filters": 4, "n_residual_layers": 1, "ratios": [6, 5, 4],
        "kernel_size": 7, "residual_kernel_size": 3, "last_kernel_size": 3, "dilation_base": 2,
        "pad_mode": "constant", "compress": 2,
    }  # fmt: skip
    small = {
        "d_model": 32, "num_heads": 2, "num_layers": 1, "layer_scale": 0.01, "context": 50, "dim_feedforward": 32,
        "input_dimension": 32, "output_dimensions": [32],
    }  # fmt: skip
    described = {
        "flow_lm": {
            "insert_bos_before_voice": True, "dtype": "float32", "flow": {"depth": 1, "dim": 32},
            "transformer": {
                "d_model": 32, "hidden_scale": 1, "max_period": 10000, "num_heads": 2, "num_layers": 1,
            },
            "lookup_table": {
                "dim": 32, "n_bins": letters, "tokenizer": "tokenizers",
                "tokenizer_path": str(folder / "tokenizer.json"),
            },
        },
        "mimi": {
            "dtype": "float32", "sample_rate": MIMI_HZ, "inner_dim": 8, "outer_dim": 32, "channels": 1,
            "frame_rate": 12.5, "seanet": seanet, "transformer": small,
            "quantizer": {"dimension": 8, "output_dimension": 32},
        },
    }  # fmt: skip
    description = folder / "model.yaml"
    description.write_text(yaml.safe_dump(described), "utf-8")
    torch.manual_seed(1)
    model = TTSModel.load_model(config=description)
    safetensors.torch.save_file(model.state_dict(), folder / "model.safetensors")


def in_turn(folder: Path) -> None:
    """Whether two XTTS sentences that are stepped in turn sound as they do alone."""
    import numpy as np

    from persona.voice.server.coqui import Xtts
    from persona.voice.server.engine import Sentence, Setup

    model = Xtts(Setup(folder, "cpu", 1))
    model.load()
    times_s = np.arange(3 * 22050) / 22050
    model.learn("owner", np.asarray(0.3 * np.sin(2 * np.pi * 140 * times_s), np.float32), 22050)
    texts = ("good morning", "this one is a good deal longer than the other one")
    go = threading.Event()

    def ours(text: str) -> Any:
        return model.speak(Sentence(text, "owner"), go)

    def theirs(text: str) -> Any:
        return model._model.inference_stream(text, "en", *model._learned["owner"], top_k=1)

    def difference(speak: Any) -> float:
        alone = []
        for text in texts:
            stream = speak(text)
            alone.append([np.asarray(next(stream)) for _ in range(2)])
        streams = [speak(text) for text in texts]
        together = [[np.asarray(next(stream)) for stream in streams] for _ in range(2)]
        return max(
            float(np.abs(alone[one][step] - together[step][one]).max()) for one in range(2) for step in range(2)
        )

    try:
        without_care = difference(theirs)
    except IndexError:  # a step of one sentence at the position of the other
        without_care = float("inf")
    print(json.dumps({"difference": difference(ours), "without_care": without_care}))


def main() -> None:
    logging.disable(logging.WARNING)
    what, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if what == "xtts" and sys.argv[3:] == ["short"]:
        make_xtts(folder, most_tokens=50)
    else:
        {"xtts": make_xtts, "vits": make_vits, "pocket": make_pocket, "in_turn": in_turn}[what](folder)


if __name__ == "__main__":
    main()
