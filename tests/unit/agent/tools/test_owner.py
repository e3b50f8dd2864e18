"""The owner is told over a real socket, signed, and one way that works is enough."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.tools.owner import SIGNATURE, Bell, News, OwnerUnreached
from compliance.errors import ChannelError

NEWS = News("the roof is leaking", "Anna", urgent=True, call_id="c1")


@asynccontextmanager
async def listener(status: int = 200) -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A web server that takes what it is sent, and what it was sent."""
    got: list[tuple[dict[str, str], bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines()[1:])
        }
        got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/twin", got


async def unreachable(text: str) -> None:
    raise ChannelError("no credit")


async def test_the_owners_address_gets_the_news_with_a_signature() -> None:
    async with listener() as (url, got):
        await Bell(text=None, url=url, secret="s3cret").ring(NEWS)
    headers, body = got[0]
    assert json.loads(body) == {"reason": "the roof is leaking", "caller": "Anna", "urgent": True, "call": "c1"}
    at, _, digest = headers[SIGNATURE.lower()].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(b"s3cret", at.encode() + b"." + body, hashlib.sha256).hexdigest()


async def test_a_text_says_who_and_why_in_one_short_message() -> None:
    texts: list[str] = []

    async def text(said: str) -> None:
        texts.append(said)

    await Bell(text=text, url="", secret="").ring(News("x" * 1_000, "", urgent=True, call_id="c1"))
    assert texts[0].startswith("Urgent: Somebody is calling your twin: x")
    assert len(texts[0]) == 300


async def test_one_way_that_works_is_enough() -> None:
    async with listener() as (url, got):
        await Bell(text=unreachable, url=url, secret="").ring(NEWS)
    assert len(got) == 1


@pytest.mark.parametrize("status", [404, 500])
async def test_when_no_way_works_it_says_so(status: int) -> None:
    async with listener(status) as (url, _):
        with pytest.raises(OwnerUnreached):
            await Bell(text=unreachable, url=url, secret="").ring(NEWS)


def test_without_number_and_address_there_is_no_bell() -> None:
    assert not Bell(text=None, url="", secret="").there
