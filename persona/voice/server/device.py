"""Where the model works."""

from __future__ import annotations

from compliance.errors import EngineMissing


def pick_device(asked: str) -> str:
    """`cpu` or `cuda` for `auto`, `cpu` or `cuda`. Imports torch only where the answer needs it.

    Raises `EngineMissing` when `cuda` is asked for and not there.
    """
    if asked == "cpu":
        return "cpu"
    try:
        import torch
    except ImportError:
        found = False
    else:
        found = torch.cuda.is_available()
    if asked == "cuda" and not found:
        raise EngineMissing("voice server: there is no CUDA device here; set [voice] device to cpu")
    return "cuda" if found else "cpu"
