"""Embedders with a model: an OpenAI-compatible server on loopback, and what is said when one is missing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from compliance.errors import EngineFailed, EngineMissing
from persona.memory.embedder import LocalEmbedder
from persona.memory.embedders import ServedEmbedder, make_embedder
from persona.memory.settings import MemorySettings


class Server(ThreadingHTTPServer):
    """Answers as OpenAI does: a vector for every text, in any order, by its index."""

    status = 200
    body: bytes | None = None
    asked: list[dict[str, Any]]
    keys: list[str | None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        self.server.keys.append(self.headers.get("Authorization"))
        data = [{"index": at, "embedding": [3.0, float(len(text)), 0.0]} for at, text in enumerate(asked["input"])]
        body = self.server.body or json.dumps({"data": data[::-1]}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a failing test prints what it needs."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as served:
        served.asked, served.keys = [], []
        thread = threading.Thread(target=served.serve_forever, name="embeddings", kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            served.shutdown()
            thread.join()


def test_a_server_is_asked_by_its_model_and_key(server: Server) -> None:
    settings = MemorySettings(embedder="openai", embedder_url=server.url, embedder_model="nomic")
    embedder = make_embedder(settings, api_key="sk-1")
    vectors = embedder.embed(["abcd", ""])
    assert embedder.name == "openai:nomic"
    assert (embedder.dims, embedder.in_ram) == (3, False)
    assert np.allclose(vectors, np.array([[0.6, 0.8, 0.0], [1.0, 0.0, 0.0]]))
    assert server.asked[-1] == {"model": "nomic", "input": ["abcd", ""]}
    assert server.keys == ["Bearer sk-1"] * 2


def test_many_texts_are_sent_in_pieces(server: Server) -> None:
    vectors = ServedEmbedder(server.url, "nomic").embed(["x"] * 600)
    assert vectors.shape == (600, 3)
    assert [len(asked["input"]) for asked in server.asked[1:]] == [256, 256, 88]


def test_no_texts_ask_nobody(server: Server) -> None:
    embedder = ServedEmbedder(server.url, "nomic")
    assert embedder.embed([]).shape == (0, 3)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, b"{}", r"refused \(401\)"),
        (200, b"<html>", "something other than vectors"),
        (200, b'{"data": []}', "something other than vectors"),
        (200, b'{"data": [{"index": 0, "embedding": ["a"]}]}', "something other than vectors"),
    ],
)
def test_a_server_that_answers_wrongly(server: Server, status: int, body: bytes, says: str) -> None:
    server.status, server.body = status, body
    with pytest.raises(EngineFailed, match=says):
        ServedEmbedder(server.url, "nomic")


def test_a_server_that_is_not_there(server: Server) -> None:
    url = server.url
    server.server_close()
    with pytest.raises(EngineFailed, match="not reachable"):
        ServedEmbedder(url, "nomic")


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(EngineMissing, match="OPENAI_API_KEY"):
        make_embedder(MemorySettings(embedder="openai"))


def test_fastembed_that_is_not_installed_says_how_to_get_it() -> None:
    with pytest.raises(EngineMissing, match="uv pip install fastembed"):
        make_embedder(MemorySettings(embedder="fastembed"))


def test_without_a_word_it_is_ours() -> None:
    assert isinstance(make_embedder(MemorySettings()), LocalEmbedder)
