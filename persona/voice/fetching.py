"""The process that fetches a voice's weights from the hub; run by `persona.voice.models`.

    python -m persona.voice.fetching NAME FOLDER

It writes lines of JSON (`done` and `total` bytes, `error`, `complete`) and ends when its stdin closes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from persona.voice.models import Model, model

POLL_S = 0.5


def _total(chosen: Model) -> int | None:
    """The size of the model, if the hub says it."""
    from huggingface_hub import HfApi

    sizes: list[int | None] = []
    for piece in chosen.pieces:
        siblings: list[Any] = HfApi().model_info(piece.repository, files_metadata=True, timeout=20).siblings or []
        sizes += [
            each.size for each in siblings if any(fnmatch(each.rfilename, pattern) for pattern in piece.files)
        ]
    known = [size for size in sizes if size]
    return sum(known) if known and len(known) == len(sizes) else None


def _size(target: Path) -> int:
    total = 0
    for root, _, names in os.walk(target):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue  # the client renames its files while we look
    return total


def _download(chosen: Model, target: Path, outcome: list[BaseException | None]) -> None:
    from huggingface_hub import snapshot_download

    try:
        for piece in chosen.pieces:
            snapshot_download(piece.repository, local_dir=target, allow_patterns=list(piece.files))
            if missing := [name for name in piece.files if "*" not in name and not (target / name).is_file()]:
                raise FileNotFoundError(missing[0])
        outcome.append(None)
    except BaseException as error:  # noqa: BLE001 - a thread's error is the process's error
        outcome.append(error)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def _tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Fetch one model."""
    # Xet keeps its pieces elsewhere, where neither our progress nor a later fetch would find them.
    os.environ.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    chosen, target = model(sys.argv[1]), Path(sys.argv[2])
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    target.mkdir(parents=True, exist_ok=True)
    outcome: list[BaseException | None] = []
    try:
        total = _total(chosen)
    except Exception as error:  # noqa: BLE001 - the hub's client raises its own, httpx's and the system's errors
        _tell(error=type(error).__name__)
        return
    downloading = threading.Thread(target=_download, args=(chosen, target, outcome), daemon=True)
    downloading.start()
    while downloading.is_alive():
        downloading.join(POLL_S)
        done = _size(target)
        _tell(done=min(done, total) if total else done, total=total)
    if outcome[0] is None:
        _tell(complete=True)
    else:
        _tell(error=type(outcome[0]).__name__)


if __name__ == "__main__":
    main()
