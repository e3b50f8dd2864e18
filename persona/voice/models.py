"""The voices' weights on this disk: whose licence they have, whether it was accepted, and fetching them.

    python -m persona.voice.models CACHE_FOLDER list
    python -m persona.voice.models CACHE_FOLDER accept xtts_v2
    python -m persona.voice.models CACHE_FOLDER fetch xtts_v2

A licence is read and accepted before anything is fetched; `licences.json` in the cache says which and when. The
hub's client runs in a process of its own. An interrupted fetch goes on where it stopped; a model counts as present
only after all of it is.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import EngineFailed, EngineMissing, TwinError

LICENCES = "licences.json"
COMPLETE = "complete"
"""A file of this name is written into a model's folder when all of it is there."""
SILENCE_TIMEOUT_S = 120.0

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Files of one repository of the hub."""

    repository: str
    files: tuple[str, ...]
    """Patterns, as a shell has them."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights one can fetch, and on what terms."""

    name: str
    about: str
    licence: str
    url: str
    """Where the licence can be read."""
    terms: tuple[str, ...]
    """What it comes to, in plain words; the text itself counts."""
    pieces: tuple[Piece, ...]
    gated: bool = False
    """True where the hub asks for an account that accepted the terms, named by `HF_TOKEN`."""


_POCKET_TERMS = (
    "You may use, change and share the weights, also commercially, if you name Kyutai as their source.",
    "To clone a voice without its owner's explicit and lawful consent is not allowed; nor is deceiving people.",
)
POCKET_LANGUAGES = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "pt": "portuguese",
    "nl": "dutch",
}  # fmt: skip


def _pocket(language: str) -> Model:
    folder = f"languages/{language}"
    return Model(
        name=f"pocket_{language}",
        about=f"Kyutai Pocket TTS, {language}; clones a voice from a sample, fast on a CPU",
        licence="CC BY 4.0, with Kyutai's terms of use",
        url="https://huggingface.co/kyutai/pocket-tts",
        terms=_POCKET_TERMS,
        pieces=(
            Piece("kyutai/pocket-tts", (f"{folder}/model.safetensors",)),
            Piece("kyutai/pocket-tts-without-voice-cloning", (f"{folder}/tokenizer.*",)),
        ),
        gated=True,
    )


MODELS = {
    model.name: model
    for model in (
        Model(
            name="xtts_v2",
            about="Coqui XTTS v2; clones a voice from a sample, 17 languages; wants a GPU",
            licence="Coqui Public Model License 1.0.0",
            url="https://tts-hub.github.io/cpml",
            terms=(
                "You may use the weights, and the sound made with them, only for non-commercial purposes.",
                "A business line, a paid service or work for a client is commercial: it is not allowed.",
            ),
            # The repository that coqui-tts 0.28 names for it; the samples and the trainer's part are left out.
            pieces=(
                Piece(
                    "tts-hub/XTTS-v2", ("config.json", "model.pth", "vocab.json", "speakers_xtts.pth", "LICENSE*")
                ),
            ),
        ),
        Model(
            name="xtts_v2_trainer",
            about="what fine-tuning XTTS v2 needs besides xtts_v2",
            licence="Coqui Public Model License 1.0.0",
            url="https://tts-hub.github.io/cpml",
            terms=("A model fine-tuned from these weights has the same licence: non-commercial purposes only.",),
            pieces=(Piece("tts-hub/XTTS-v2", ("dvae.pth", "mel_stats.pth", "LICENSE*")),),
        ),
        *map(_pocket, POCKET_LANGUAGES.values()),
    )
}


def model(name: str) -> Model:
    """The model of a name. Raises `EngineMissing` that lists the names there are."""
    if name not in MODELS:
        raise EngineMissing(f"there is no voice model {name!r}: choose one of {', '.join(MODELS)}")
    return MODELS[name]


def accepted(name: str, cache: Path) -> bool:
    """Whether the licence of a model, as it is named today, was accepted here."""
    entry = _read(cache).get(name)
    return isinstance(entry, dict) and entry.get("licence") == model(name).licence


def accept(name: str, cache: Path, *, now: Callable[[], float] = time.time) -> None:
    """Write down that the licence was accepted. Raises `EngineMissing` for a name nobody knows."""
    chosen = model(name)
    entries = _read(cache) | {name: {"licence": chosen.licence, "url": chosen.url, "accepted_at": int(now())}}
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f"{LICENCES}.{os.getpid()}"
    part.write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    part.replace(cache / LICENCES)


def require(name: str, cache: Path) -> Path:
    """The folder of a model that may be used. Raises `EngineMissing` with the one command that helps."""
    chosen = model(name)
    if not accepted(name, cache):
        raise EngineMissing(
            f"voice model {name}: read {chosen.url} ({chosen.licence}), then: twin voices accept {name}"
        )
    where = locate(name, cache)
    if where is None:
        raise EngineMissing(f"voice model {name} is not here: twin voices fetch {name}")
    return where


def folder(name: str, cache: Path) -> Path:
    """Where a fetched model lies."""
    return cache / "voices" / model(name).name


def locate(name: str, cache: Path) -> Path | None:
    """The folder of a model that is here in full."""
    where = folder(name, cache)
    return where if (where / COMPLETE).is_file() else None


async def fetch(name: str, cache: Path, progress: Progress | None = None) -> Path:
    """Fetch a model, telling `progress(done_bytes, total_bytes)` about twice a second; total may be unknown.

    Raises `EngineMissing` before its licence was accepted, `EngineFailed` when the hub cannot be reached, refuses
    or falls silent. Cancelling it stops the fetch; the next one goes on from there.
    """
    chosen = model(name)
    if not accepted(name, cache):
        return require(name, cache)
    if (here := locate(name, cache)) is not None:
        return here
    target = folder(name, cache)
    # -P and our own import path: a folder named `persona` in the working directory must not shadow ours.
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "persona.voice.fetching", name, str(target),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    try:
        await _follow(child, chosen, progress)
    finally:
        child.stdin.close()  # it ends by itself then, also when we are killed
        if child.returncode is None:
            child.kill()
            await child.wait()
    await asyncio.to_thread((target / COMPLETE).touch)
    return target


async def _follow(child: asyncio.subprocess.Process, chosen: Model, progress: Progress | None) -> None:
    assert child.stdout is not None
    done = False
    try:
        while True:
            async with asyncio.timeout(SILENCE_TIMEOUT_S):
                line = await child.stdout.readline()
            if not line:
                break
            told: dict[str, Any] = json.loads(line)
            if why := told.get("error"):
                hint = "; set HF_TOKEN of an account that accepted its terms at the hub" if chosen.gated else ""
                raise EngineFailed(
                    f"{chosen.name} cannot be fetched ({why}): check the internet connection and try again{hint}"
                )
            done = done or bool(told.get("complete"))
            if progress is not None and "done" in told:
                progress(told["done"], told["total"])
    except TimeoutError:
        raise EngineFailed(f"{chosen.name} cannot be fetched: the hub fell silent; try again") from None
    if not done:
        raise EngineFailed(f"{chosen.name} cannot be fetched: the process that fetched it ended; try again")


def show(name: str, cache: Path) -> str:
    """A model and its terms, for people."""
    chosen = model(name)
    state = "here" if locate(name, cache) else "accepted, not fetched" if accepted(name, cache) else "not accepted"
    lines = [f"{name}: {chosen.about} [{state}]", f"  licence: {chosen.licence}, {chosen.url}"]
    return "\n".join([*lines, *(f"  - {term}" for term in chosen.terms)])


def _read(cache: Path) -> dict[str, Any]:
    try:
        entries = json.loads((cache / LICENCES).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # a file that cannot be read accepts nothing
    return entries if isinstance(entries, dict) else {}


def main() -> None:
    """The command; `twin voices` says the same."""
    cache, verb, name = Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] or [""])[0]

    def bar(done: int, total: int | None) -> None:
        sys.stdout.write(f"\r{done / 1e6:.0f}{f' of {total / 1e6:.0f}' if total else ''} MB ")
        sys.stdout.flush()

    try:
        if verb == "fetch":
            sys.stdout.write(f"\n{asyncio.run(fetch(name, cache, bar))}\n")
        elif verb == "accept":
            accept(name, cache)
        sys.stdout.write("\n".join(show(each, cache) for each in ([name] if name else MODELS)) + "\n")
    except TwinError as error:
        raise SystemExit(error.message) from None


if __name__ == "__main__":
    main()
