from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import channels.web
from channels.web import routes
from channels.web.routes import SECURITY_HEADERS
from channels.web.settings import IceServer, WebSettings
from tests.doubles.host import TestHost
from tests.doubles.webserver import serving

FOLDER = Path(channels.web.__file__).parent
OUR_PAGES = ("privacy", "verify")
"""Pages of this server that other parts of it answer; linked to, and never loaded by the page."""
SETTINGS = WebSettings(
    offer_limit_bytes=2_048,
    allowed_origins=("https://twin.example.org",),
    ice_servers=(
        IceServer.model_validate({"url": "turn:turn.example.org", "username": "twin", "credential": "given-away"}),
    ),
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    status = {"name": '<b>Ada</b> & "Co"', "models": [], "notices": ["hello"], "engines": {"speech": "whisper"}}
    async with (
        serving(TestHost(), SETTINGS, status=lambda: status) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def test_the_page_names_the_owner_and_says_ai(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text

    assert "You are talking to an <strong>AI</strong>, the digital twin of" in page
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; &quot;Co&quot;" in page
    assert "{{" not in page


async def test_the_page_has_no_inline_code_and_asks_no_other_server(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text

    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"\s(style|on\w+)=", page)
    for link in re.findall(r'(?:src|href)="([^"]+)"', page):
        if link in OUR_PAGES:
            continue
        assert link == "face" or link.startswith("assets/")
        assert (await client.get("/" + link)).status_code == 200
    assert not re.findall(rf'src="(?:{"|".join(OUR_PAGES)})"', page)
    for source in (FOLDER / "page").glob("*.*"):
        urls = re.findall(r"https?://[^\s\"'<)]+", source.read_text("utf-8"))
        assert all(url.startswith("http://localhost") for url in urls), source.name


async def test_the_face_of_the_calls_is_shown_before_one_begins(client: httpx.AsyncClient) -> None:
    without = await client.get("/face")
    assert (without.status_code, without.headers["content-type"]) == (200, "image/svg+xml")

    async def still() -> bytes:
        return b"a picture"

    async with (
        serving(TestHost(), SETTINGS, still=still) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as other,
    ):
        there = await other.get("/face")
    assert (there.content, there.headers["content-type"]) == (b"a picture", "image/jpeg")


@pytest.mark.parametrize(
    "path", ["/", "/face", "/assets/app.js", "/assets/still.svg", "/assets/nothing", "/status.json"]
)
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "unsafe" not in SECURITY_HEADERS["Content-Security-Policy"]


async def test_only_known_files_are_served(client: httpx.AsyncClient) -> None:
    for path in ("/assets/settings.py", "/assets/..%2Froutes.py", "/assets/%2e%2e/routes.py"):
        assert (await client.get(path)).status_code == 404


async def test_the_status_and_the_ice_servers_are_given(client: httpx.AsyncClient) -> None:
    assert (await client.get("/status.json")).json()["engines"] == {"speech": "whisper"}
    assert (await client.get("/webrtc/config")).json() == {
        "ice_servers": [{"urls": "turn:turn.example.org", "username": "twin", "credential": "given-away"}]
    }


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
async def test_a_foreign_page_is_turned_away(client: httpx.AsyncClient, origin: str) -> None:
    response = await client.post("/webrtc/offer", json={}, headers={"Origin": origin})

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "origin"
    assert "access-control-allow-origin" not in response.headers


async def test_an_allowed_origin_gets_as_far_as_the_offer(client: httpx.AsyncClient) -> None:
    response = await client.post("/webrtc/offer", json={}, headers={"Origin": "https://twin.example.org"})

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=utf-8", 400),
        (b"not json", "application/json", 400),
        (b'{"sdp": "junk", "type": "offer"}', "application/json", 400),
        (b"x" * 5_000, "application/json", 413),
    ],
)
async def test_a_bad_offer_is_refused_with_one_clear_line(
    client: httpx.AsyncClient, body: bytes, kind: str, status: int
) -> None:
    response = await client.post("/webrtc/offer", content=body, headers={"Content-Type": kind})

    assert response.status_code == status
    message = response.json()["error"]["message"]
    assert message
    assert "\n" not in message


async def test_a_body_without_an_end_is_cut_at_its_limit(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 1_000

    response = await client.post("/webrtc/offer", content=endless(), headers={"Content-Type": "application/json"})

    assert response.status_code == 413


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "BODY_LIMIT_S", 0.1)
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(
        b"POST /webrtc/offer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    )

    answer = await asyncio.wait_for(reader.readline(), 10)

    assert answer.split()[1] == b"408"
    writer.close()
    await writer.wait_closed()


def test_every_setting_route_and_message_is_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    source = (FOLDER / "routes.py").read_text("utf-8")
    messages = (FOLDER / "messages.py").read_text("utf-8")

    for name in WebSettings.model_fields:
        assert f"`{name}`" in readme, name
    for method, path in re.findall(r'@routes\.(get|post)\("([^"]+)"', source):
        assert f"`{method.upper()} {path}`" in readme, path
    for kind in {*re.findall(r'"type": "(\w+)"', messages), "caption", "status", "notice"}:
        assert f"`{kind}`" in readme, kind
