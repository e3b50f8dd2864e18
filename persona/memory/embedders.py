"""Embedders with a model: an OpenAI-compatible server, or fastembed on this machine; chosen by the settings."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from compliance.errors import EngineFailed, EngineMissing, EngineTimeout
from persona.memory.embedder import Embedder, LocalEmbedder, unit
from persona.memory.settings import MemorySettings

_OPENAI_URL = "https://api.openai.com/v1"
_OPENAI_MODEL = "text-embedding-3-small"
_FASTEMBED_MODEL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
_LIMIT_S = 10.0
_BATCH = 256


def make_embedder(settings: MemorySettings, *, api_key: str = "") -> Embedder:
    """The embedder that the settings name. Blocks while a model is asked or loaded. Raises `EngineError`."""
    if settings.embedder == "openai":
        url = settings.embedder_url or _OPENAI_URL
        return ServedEmbedder(url, settings.embedder_model or _OPENAI_MODEL, api_key=api_key)
    if settings.embedder == "fastembed":
        return ModelEmbedder(settings.embedder_model or _FASTEMBED_MODEL)
    return LocalEmbedder()


class ServedEmbedder:
    """An OpenAI-compatible server: what is remembered, and every question, is sent to it."""

    in_ram = False

    def __init__(self, url: str, model: str, *, api_key: str = "") -> None:
        """Asks the server once, for how long its vectors are. Raises `EngineError`."""
        if url == _OPENAI_URL and not api_key:
            raise EngineMissing("[memory] embedder `openai` needs OPENAI_API_KEY, or an embedder_url of your own.")
        self._url = url.rstrip("/") + "/embeddings"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.name = f"openai:{model}"
        self.dims = self._ask(["How long is a vector?"]).shape[1]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, dims). Blocks. Raises `EngineError`."""
        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        vectors = np.concatenate([self._ask(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)])
        if vectors.shape != (len(texts), self.dims):
            raise EngineFailed("The embedding server answered with vectors of another length than before.")
        return unit(vectors)

    def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            answer = httpx.post(
                self._url,
                json={"model": self._model, "input": list(texts)},
                headers=self._headers,
                timeout=_LIMIT_S,
            )
            answer.raise_for_status()
            entries = sorted(answer.json()["data"], key=lambda entry: int(entry["index"]))
            vectors = np.array([entry["embedding"] for entry in entries], dtype=np.float32)
        except httpx.TimeoutException as error:
            raise EngineTimeout(f"The embedding server did not answer within {_LIMIT_S:g} s.") from error
        except httpx.HTTPStatusError as error:
            raise EngineFailed(
                f"The embedding server refused ({error.response.status_code}); check [memory] embedder_url, "
                "embedder_model and the key."
            ) from error
        except httpx.HTTPError as error:
            raise EngineFailed("The embedding server is not reachable; check [memory] embedder_url.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise EngineFailed("The embedding server answered with something other than vectors.") from error
        if vectors.ndim != 2 or not vectors.shape[1]:
            raise EngineFailed("The embedding server answered with something other than vectors.")
        return vectors


class ModelEmbedder:
    """A model of the `fastembed` package, on this machine; it is downloaded once by that package."""

    in_ram = False

    def __init__(self, model: str) -> None:
        """Loads the model. Raises `EngineError`."""
        try:
            package: Any = importlib.import_module("fastembed")
        except ImportError as error:
            raise EngineMissing(
                "[memory] embedder `fastembed` needs its package: `uv pip install fastembed`."
            ) from error
        try:
            self._model = package.TextEmbedding(model_name=model)
            self.dims = int(self._embedded(["How long is a vector?"]).shape[1])
        except Exception as error:  # it raises what its downloader and its runtime raise
            raise EngineMissing(
                f"[memory] the model {model!r} cannot be loaded ({type(error).__name__}); is it downloaded?"
            ) from error
        self.name = f"fastembed:{model}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, dims). Blocks."""
        return unit(self._embedded(texts)) if texts else np.zeros((0, self.dims), dtype=np.float32)

    def _embedded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array(list(self._model.embed(list(texts))), dtype=np.float32)
