"""How mem0 is started: without telemetry, model and download, on one of its stores or on ours.

What it does of its own accord otherwise, and why each is stopped here, is said where it is stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compliance.errors import SettingsError, VaultError
from persona.memory.settings import OWN_STORE, MemorySettings
from persona.memory.vectors import NAME, SqliteConfig, SqliteVectors

HISTORY = "history.db"
COLLECTION = "twin"
_LOCK, _LOCK_S, _RETRY_S = "open.lock", 20.0, 0.02
_OURS = "twin"
"""Our embedder and our missing model, by the name under which mem0's factories make them."""


class HandedVectors:
    """The embedder that mem0 asks: it hands over the vector that was made of the text before it was sealed."""

    def __init__(self, config: object) -> None:
        self.config = config
        self._ready: dict[str, list[float]] = {}

    def hand(self, text: str, vector: list[float]) -> None:
        """What is answered when mem0 asks for this text, once."""
        self._ready[text] = vector

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """The vector handed over for this text."""
        try:
            return self._ready.pop(text)
        except KeyError:
            raise VaultError("The memory was asked for the vector of a text that it may not read.") from None


class NoModel:
    """The language model that mem0 insists on having: what is remembered is decided by us, before it is sealed."""

    def __init__(self, config: object) -> None:
        self.config = config

    def generate_response(self, *_args: object, **_more: object) -> str:
        """Never: mem0 is not to read anything."""
        raise VaultError("The memory asked a model, which it must not; a mem0 was installed that does not fit.")


def open_mem0(folder: Path, settings: MemorySettings, *, dims: int) -> Any:
    """A `mem0.Memory` with its files in `folder`. Blocks, for seconds the first time.

    Raises `SettingsError` for a store that does not exist, is not installed or is told something wrong, and
    `VaultError` when it cannot be used now.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    main = _imported(folder)
    # Two processes that make mem0's history at once lock each other out.
    with _opening(settings.store), _alone(folder / _LOCK):
        memory = main.Memory(_config(main, folder, settings, dims))
    if hasattr(memory.vector_store, "_bm25_encoder"):
        # Qdrant's: with fastembed installed it downloads a model, to find words in what is sealed.
        memory.vector_store._bm25_encoder = False
    return memory


def _imported(folder: Path) -> Any:
    """mem0's main module, without telemetry, its own folder, and spaCy."""
    # Both are read when it is imported: it would report to its makers, and write into the user's home.
    os.environ["MEM0_TELEMETRY"] = "False"
    os.environ.setdefault("MEM0_DIR", str(folder))
    try:
        main = importlib.import_module("mem0.memory.main")
    except ImportError as error:
        raise SettingsError(
            f"[memory] needs the package mem0ai ({error.name} is missing): `uv pip install 'mem0ai>=2.2,<3'`."
        ) from error
    if sys.modules["mem0.memory.telemetry"].MEM0_TELEMETRY:
        raise SettingsError("mem0 was imported with its telemetry on; set MEM0_TELEMETRY=False before the start.")
    # Where spaCy is installed, it downloads a model at the first text, to look for words in what is sealed.
    spacy: Any = importlib.import_module("mem0.utils.spacy_models")
    spacy._load_failed_full = spacy._load_failed_lemma = True
    factory: Any = importlib.import_module("mem0.utils.factory")
    factory.EmbedderFactory.provider_to_class[_OURS] = f"{__name__}.{HandedVectors.__name__}"
    # Not one of mem0's own: that of OpenAI goes to OpenRouter when a key for it is in the environment.
    factory.LlmFactory.register_provider(_OURS, f"{__name__}.{NoModel.__name__}")
    factory.VectorStoreFactory.provider_to_class[OWN_STORE] = (
        f"{SqliteVectors.__module__}.{SqliteVectors.__name__}"
    )
    return main


def _config(main: Any, folder: Path, settings: MemorySettings, dims: int) -> Any:
    stores = importlib.import_module("mem0.vector_stores.configs")
    embedders = importlib.import_module("mem0.embeddings.configs")
    models = importlib.import_module("mem0.llms.configs")
    # mem0's configurations admit its own names only, so ours are made without that check.
    if settings.store == OWN_STORE:
        ours = SqliteConfig(
            path=str(folder / NAME), collection_name=COLLECTION, embedding_model_dims=dims, **settings.options
        )
        store = stores.VectorStoreConfig.model_construct(provider=OWN_STORE, config=ours)
    else:
        options = {"collection_name": COLLECTION, "embedding_model_dims": dims, **settings.options}
        store = stores.VectorStoreConfig(provider=settings.store, config=_in_home(options, folder, settings.store))
    return main.MemoryConfig.model_construct(
        vector_store=store,
        embedder=embedders.EmbedderConfig.model_construct(provider=_OURS, config={}),
        llm=models.LlmConfig.model_construct(provider=_OURS, config={}),
        history_db_path=str(folder / HISTORY),
    )


def _in_home(options: dict[str, Any], folder: Path, store: str) -> dict[str, Any]:
    """With a folder in the home for stores that keep files: mem0's own choice is /tmp."""
    if store in ("qdrant", "faiss", "chroma") and not {"url", "host", "path", "client"} & options.keys():
        options = {**options, "path": str(folder / store)}
    return options


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock against the other processes of this home. Raises `TimeoutError`."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                time.sleep(_RETRY_S)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _opening(store: str) -> Iterator[None]:
    """Say in our words why a store of mem0's cannot be opened: each raises something of its own."""
    try:
        yield
    except (VaultError, SettingsError):
        raise
    except ImportError as error:
        raise SettingsError(
            f"[memory] store {store!r} needs a package: {error.name or 'see its page'}."
        ) from error
    except ValidationError as error:
        # Not its text, which repeats what was given: passwords are among it.
        wrong = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise SettingsError(f"[memory] store {store!r}: {wrong}") from error
    except Exception as error:  # any store's driver may raise anything
        raise VaultError(
            f"The memory's store {store!r} cannot be opened ({type(error).__name__}): does its server run, "
            "and does no other process have its files?"
        ) from error
