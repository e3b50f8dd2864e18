"""The gate: who gets to a page at all, with what, and what every answer says to the browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from compliance.console.forms import FORM_BYTES
from compliance.settings import ConsoleSettings
from tests.unit.compliance.console.house import House, opened_house

PATHS = [
    "/console/",
    "/console/settings",
    "/console/nothing-here",
    "/console/static/nothing.css",
    "/console/sign-in",
]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_guards(house: House, path: str) -> None:
    for person in (house.stranger(), await house.signed_in("ada")):
        headers = (await person.get(path)).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_what_breaks_inside_is_answered_with_the_guards_and_nothing_of_the_inside(house: House) -> None:
    @house.app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret of the inside")

    answer = await (await house.signed_in("ada")).get("/console/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_route_without_any_guard_of_its_own_is_closed_to_strangers(house: House) -> None:
    @house.app.get("/forgotten")
    async def forgotten() -> str:
        return "the secret"

    answer = await house.stranger().get("/console/forgotten")
    assert (answer.status_code, answer.text) == (303, "")


async def test_a_stranger_cannot_tell_what_is_there(house: House) -> None:
    stranger = house.stranger()
    there, not_there = await stranger.get("/console/settings"), await stranger.get("/console/settingz")
    assert there.status_code == not_there.status_code == 303
    assert there.headers["location"].replace("settings", "") == not_there.headers["location"].replace(
        "settingz", ""
    )


@pytest.mark.parametrize(
    "path",
    [
        "/console//",
        "/console//settings",
        "/console/./settings",
        "/console/static/../settings",
        "/console/static/..%2fsettings",
        "/console/static/%2e%2e/settings",
        "/console/static/..\\settings",
        "/console/static/console.css/../../settings",
        "/console/sign-in/",
        "/console/sign-in/../settings",
        "/console/sign-in%2f..%2fsettings",
        "/console/sign-in;/settings",
        "/console/SIGN-IN",
        "/console/%73ettings",
        "/console/settings%00",
        "/console/settings/",
        "/console/static/",
        "/console/static/NOTICE.txt",
        "/console/static/a.css%00.js",
        "/console/static/..%5c..%5cdesk.py",
        "/console/pages/home.html",
    ],
)
async def test_no_spelling_of_a_path_gets_a_stranger_in(house: House, path: str) -> None:
    status, body = await raw(house.url, f"GET {path} HTTP/1.1", "Host: localhost")
    assert status in (303, 404)
    assert b"Who may sign in" not in body
    assert b"class Desk" not in body


async def test_files_outside_the_folder_cannot_be_named_by_an_operator_either(house: House) -> None:
    ada = await house.signed_in("ada")
    for name in ("..%2fdesk.py", "%2e%2e%2fdesk.py", "README.md", ".css", "a.css.py", "%2fetc%2fpasswd"):
        assert (await ada.get(f"/console/static/{name}")).status_code == 404


async def test_style_and_script_are_for_everybody_and_may_be_kept(house: House) -> None:
    for name, media_type in (("console.css", "text/css"), ("htmx.min.js", "text/javascript")):
        answer = await house.stranger().get(f"/console/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["cache-control"] == "public, max-age=600"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
async def test_nothing_but_get_and_post_is_answered(house: House, method: str) -> None:
    ada = await house.signed_in("ada")
    assert (await ada.http.request(method, "/console/")).status_code == 405


@pytest.mark.parametrize("token", ["", "0" * 64, "ä" * 64, "of another"])
async def test_a_post_without_the_sessions_own_token_does_nothing(house: House, token: str) -> None:
    ada = await house.signed_in("ada")
    if token == "of another":
        token = (await house.signed_in("rob")).csrf
    answer = await ada.http.post("/console/sign-out", data={"csrf": token})
    assert answer.status_code == 403
    assert (await ada.get("/console/")).status_code == 200


async def test_the_token_of_an_earlier_session_is_not_good_in_a_later_one(house: House) -> None:
    ada = await house.signed_in("ada")
    old = ada.csrf
    await ada.post("/console/sign-out")
    await ada.sign_in("ada", house.secrets["ada"])
    assert ada.csrf != old
    assert (await ada.http.post("/console/sign-out", data={"csrf": old})).status_code == 403


async def test_the_token_may_come_as_a_header_as_htmx_sends_it(house: House) -> None:
    ada = await house.signed_in("ada")
    headers = {"X-CSRF-Token": ada.csrf, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await ada.http.post("/console/sign-out", headers=headers)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "file://"},
    ],
)
async def test_a_post_from_another_site_does_nothing_even_with_the_token(
    house: House, headers: dict[str, str]
) -> None:
    ada = await house.signed_in("ada")
    assert (await ada.post("/console/sign-out", headers=headers)).status_code == 403
    assert (await ada.get("/console/")).status_code == 200


async def test_a_post_from_our_own_page_works(house: House) -> None:
    ada = await house.signed_in("ada")
    assert (await ada.post("/console/account/others", headers={"Origin": house.url})).status_code == 303
    assert (
        await ada.post("/console/account/others", headers={"Sec-Fetch-Site": "same-origin"})
    ).status_code == 303


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "192.0.2.7",
        "[2001:db8::1]:80",
        "127.0.0.1.evil.example",
        "",
    ],
)
async def test_a_name_pointed_at_this_machine_by_others_is_refused(house: House, host: str) -> None:
    status, body = await raw(house.url, "GET /console/sign-in HTTP/1.1", f"Host: {host}")
    assert status == 421
    assert b"public_url" in body


async def test_forms_that_are_too_large_are_refused_before_they_are_read(house: House) -> None:
    ada = await house.signed_in("ada")
    assert (await ada.post("/console/sign-out", {"x": "y" * FORM_BYTES})).status_code == 413
    assert (await house.stranger().post("/console/sign-in", {"x": "y" * FORM_BYTES})).status_code == 413


async def test_a_form_that_grows_without_saying_so_is_refused(house: House) -> None:
    ada = await house.signed_in("ada")

    async def endless() -> object:
        for _ in range(1_000):
            yield b"x" * 1_000

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await ada.http.post("/console/sign-out", content=endless(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"csrf=1", "text/plain", 415),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
        (b"csrf=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"csrf=\xff", "application/x-www-form-urlencoded", 400),
        (b"csrf=a%00b", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % i for i in range(300)), "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_what_is_not_a_form_of_ours_is_refused(
    house: House, body: bytes, media_type: str, status: int
) -> None:
    ada = await house.signed_in("ada")
    answer = await ada.http.post("/console/sign-out", content=body, headers={"Content-Type": media_type})
    assert answer.status_code == status


async def test_an_address_that_is_far_too_long_is_refused(house: House) -> None:
    ada = await house.signed_in("ada")
    assert (await ada.get("/console/?q=" + "a" * 5_000)).status_code == 414


async def test_a_part_of_a_page_asked_for_after_the_session_ended_leads_to_the_sign_in(house: House) -> None:
    answer = await house.stranger().get("/console/now", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/console/sign-in")


async def test_there_is_no_socket_behind_the_gate(house: House) -> None:
    upgrade = ("Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    status, _ = await raw(house.url, "GET /console/ HTTP/1.1", *upgrade, "Sec-WebSocket-Key: " + "A" * 22 + "==")
    assert status == 403


async def test_over_https_the_cookies_are_for_this_host_and_https_alone(tmp_path: Path) -> None:
    settings = ConsoleSettings(public_url="https://twin.example.org")
    async with opened_house(tmp_path / "home", settings=settings) as house:
        person = house.stranger()
        person.http.headers["Host"] = "twin.example.org"
        page = await person.get("/console/sign-in")
        assert "max-age" in page.headers["strict-transport-security"]
        assert_guarded(page, "__Host-twin-door")


async def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    person = house.stranger()
    assert (
        "HttpOnly; Path=/console; SameSite=strict" in (await person.get("/console/sign-in")).headers["set-cookie"]
    )
    answer = await person.try_to_sign_in("ada", house.code("ada"))
    for line in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in line
        assert "SameSite=strict" in line


async def test_the_address_without_a_slash_leads_to_the_one_with(house: House) -> None:
    answer = await house.stranger().get("/console")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/console/")


def assert_guarded(answer: httpx.Response, name: str) -> None:
    line = answer.headers["set-cookie"]
    assert line.startswith(f"{name}=")
    for guard in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert guard in line
    assert "Domain" not in line


async def raw(url: str, request_line: str, *headers: str) -> tuple[int, bytes]:
    """Send exactly this, which no client library would; gives status and body."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        ending = () if any(line.startswith("Connection") for line in headers) else ("Connection: close",)
        writer.write("\r\n".join((request_line, *headers, *ending, "", "")).encode())
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body
