from __future__ import annotations

import asyncio
import io
import json
import tempfile
import wave
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from compliance import judgement
from compliance.origin.manifests import Manifests
from compliance.public.papers import judge
from compliance.watermark.embedder import Embedder
from compliance.watermark.keys import MarkKeys
from compliance.watermark.listening import Place
from compliance.watermark.register import Marks
from compliance.watermark.verifying import MarkVerdict
from tests.behaviour.console import Office, keep_call, opened_office
from tests.unit.compliance.watermark.files import voice

PLACE = Place(3.2, 14.94, 3e-10, date(2026, 11, 22), 1, 0x1234, 0x1234_ABCD, 1.02, 1.0, "left")
MARKED = MarkVerdict(heard_s=20.0, p_value=3e-10, places=(PLACE,), keys=30)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened_office(tmp_path / "home") as office:
        yield office


@pytest.fixture
async def http(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=office.url, timeout=30) as http:
        yield http


def wav(sound: float | NDArray[np.int16] = 1.0) -> bytes:
    """A sound, or a tone of so many seconds."""
    if isinstance(sound, float | int):
        sound = (8_000 * np.sin(np.arange(int(16_000 * sound)) / 9)).astype(np.int16)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(sound.astype("<i2").tobytes())
    return data.getvalue()


async def check(
    http: httpx.AsyncClient, data: bytes, name: str = "file.wav", *, as_json: bool = True
) -> httpx.Response:
    headers = {"Accept": "application/json"} if as_json else {}
    return await http.post("/verify", files={"file": (name, data)}, headers=headers)


async def test_a_file_of_the_twin_is_known_and_one_that_was_changed_too(
    office: Office, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    plain, signed = tmp_path / "plain.wav", tmp_path / "signed.wav"
    await asyncio.to_thread(plain.write_bytes, wav())
    await asyncio.to_thread(office.signed_file, plain, signed)
    ours = await asyncio.to_thread(signed.read_bytes)
    changed = bytearray(ours)
    changed[20_000] ^= 1

    told = (await check(http, ours)).json()["file"]
    assert (told["found"], told["valid"], told["trusted"], told["ai"]) == (True, True, True, "generated")
    told = (await check(http, bytes(changed))).json()["file"]
    assert (told["found"], told["valid"], told["trusted"]) == (True, False, False)
    assert told["problems"]
    assert (await check(http, wav())).json()["file"]["found"] is False
    page = await check(http, ours, as_json=False)
    assert "From this AI twin, and not changed since." in page.text


@pytest.fixture
def hears(monkeypatch: pytest.MonkeyPatch) -> list[MarkVerdict]:
    """What the processes that listen say, in place of them: the last one of this list."""
    said = [MARKED]

    async def listened(*_: object) -> MarkVerdict:
        return said[-1]

    monkeypatch.setattr(judgement, "listened", listened)
    return said


async def test_a_watermark_is_told_with_its_day_and_nothing_of_the_call(
    office: Office, http: httpx.AsyncClient, hears: list[MarkVerdict]
) -> None:
    key = MarkKeys.open(office.home, office.vault.master).of(PLACE.day)
    await keep_call(office, recorded=False)
    token = await Marks(office.vault).for_call("CA100", key)
    hears.append(replace(MARKED, places=(replace(PLACE, short=token.short, full=token.bits),)))
    answer = await check(http, wav())
    told = answer.json()
    assert (told["made_by_this_twin"], told["standing"]) == (True, "marked")
    mark = told["watermark"]
    assert (mark["found"], mark["p_value"], mark["made_on"]) == (True, 3e-10, "2026-11-22")
    assert mark["regions"] == [
        {"start_s": 3.2, "end_s": 14.94, "p_value": 3e-10, "made_on": "2026-11-22", "channel": "left",
         "speed": 1.02, "tempo": 1.0}
    ]  # fmt: skip
    page = (await check(http, wav(), as_json=False)).text
    for said in (
        "This AI twin's watermark was found",
        "below 1&nbsp;in&nbsp;10<sup>9</sup>",
        "0:03.2",
        "0:14.9",
        "played 2.0% faster",
    ):
        assert said in page
    for secret in ("CA100", token.text, f"{token.bits:08x}", f"{token.short:04x}", str(token.bits), key.key.hex()):
        assert secret not in answer.text + page


async def test_what_the_twin_said_is_known_by_whoever_asks(office: Office, http: httpx.AsyncClient) -> None:
    key = MarkKeys.open(office.home, office.vault.master).of(PLACE.day)
    token = await Marks(office.vault).for_file(key)
    said = Embedder(key.key, token.bits, 16_000).process(voice(20, 16_000), 0)
    told = (await check(http, wav(said))).json()
    assert (told["made_by_this_twin"], told["watermark"]["made_on"]) == (True, "2026-11-22")
    assert told["watermark"]["p_value"] < 1e-9
    assert (await check(http, wav(voice(20, 16_000)))).json()["standing"] == "nothing"


async def test_a_manifest_that_is_found_again_tells_neither_time_nor_call(
    office: Office, http: httpx.AsyncClient, hears: list[MarkVerdict], tmp_path: Path
) -> None:
    token = await Marks(office.vault).for_file(MarkKeys.open(office.home, office.vault.master).of(PLACE.day))
    plain, signed = tmp_path / "plain.wav", tmp_path / "signed.wav"
    await asyncio.to_thread(plain.write_bytes, wav())
    manifest = await asyncio.to_thread(office.signed_file, plain, signed, token.text)
    await Manifests(office.vault).keep(token.text, manifest)
    hears.append(replace(MARKED, places=(replace(PLACE, short=token.short, full=token.bits),)))
    answer = await check(http, wav())
    assert answer.json()["recovered"]["In the likeness of"] == "Ada Example"
    page = (await check(http, wav(), as_json=False)).text
    assert "What it once said of itself" in page
    when = datetime.fromtimestamp(office.clock.now_s, UTC).strftime("%Y-%m-%dT")
    for secret in (token.text, when):
        assert secret not in answer.text + page


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (MarkVerdict(heard_s=20.0, p_value=0.4, keys=30), "That proves nothing for recordings under 3 seconds"),
        (MarkVerdict(heard_s=20.0, p_value=0.4, keys=1), "with 1 daily key."),
        (MarkVerdict(heard_s=20.0), "this twin has marked nothing yet"),
        (MarkVerdict(heard_s=0.0, problem="there is no sound in this file"), "There is no sound in this file."),
        (replace(MARKED, damaged=True), "Parts of the file could not be read."),
        (replace(MARKED, places=(PLACE,) * 30), "And in 18 more places."),
    ],
)
async def test_the_page_says_what_was_not_found_too(
    http: httpx.AsyncClient, hears: list[MarkVerdict], mark: MarkVerdict, said: str
) -> None:
    hears.append(mark)
    assert said in (await check(http, wav(), as_json=False)).text


async def test_nothing_of_a_file_stays(http: httpx.AsyncClient) -> None:
    def left() -> list[Path]:
        return list(Path(tempfile.gettempdir()).glob("twin-verify-*"))

    before = await asyncio.to_thread(left)
    await check(http, wav())
    await check(http, b"\x00" * 5_000)

    assert await asyncio.to_thread(left) == before


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\..\\x.wav", "/etc/passwd", "a\x00b.wav", "x" * 5_000, "twin-verify-;rm -rf"],
)
async def test_the_name_of_a_file_is_never_a_path(http: httpx.AsyncClient, name: str) -> None:
    response = await check(http, wav(), name)

    assert response.status_code in (200, 400)
    assert "etc" not in response.text


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("big", bytes(50_000_000))
    return data.getvalue()


HUGE_CLAIM = wav(0)[:4] + b"\xff\xff\xff\x7f" + wav(0)[8:40] + b"\xff\xff\xff\x7f"
"""A WAV file that says it is 2 GiB long."""


@pytest.mark.parametrize(
    "data",
    [b"{" * 200_000, b"[" * 100_000, b"{" + b'"a":{' * 100_000, bomb(), HUGE_CLAIM, b"RIFF", b"\xff\xfb" * 999,
     b"\x00\x00\x00\x18ftypisom" + b"\xff" * 500, b"<svg/onload=alert(1)>", b'{"entry": 1, "path": [1]}',
     b'{"receipt": {"a": 1}, "signature": []}', b'{"payload": "AAAA", "signatures": [{}]}',
     b"\xef\xbb\xbf{}", b"{}"],
    ids=range(14),
)  # fmt: skip
async def test_bombs_and_rubbish_are_told_apart_without_an_error(http: httpx.AsyncClient, data: bytes) -> None:
    response = await check(http, data)

    assert response.status_code in (200, 400), response.text
    told = response.json()
    assert not (told.get("file") or {}).get("valid")
    assert not (told.get("paper") or {}).get("valid")


async def test_what_is_too_large_is_refused_before_it_is_read(office: Office, http: httpx.AsyncClient) -> None:
    assert (await check(http, bytes(2_100_000))).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(200):
            yield bytes(100_000)

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Accept": "application/json"}
    try:
        response = await http.post("/verify", content=endless(), headers=headers)
    except httpx.HTTPError:
        return
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "multipart/form-data; boundary=x", 400),
        (b"x", "multipart/form-data", 400),
        (b"x", "text/plain", 415),
        (b"--x\r\n\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--x--\r\n',
         "multipart/form-data; boundary=x", 400),
        (b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nhello\r\n' * 2 + b"--x--\r\n",
         "multipart/form-data; boundary=x", 400),
    ],
)  # fmt: skip
async def test_a_damaged_form_is_refused(
    http: httpx.AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    response = await http.post("/verify", content=content, headers={"Content-Type": content_type})

    assert response.status_code == status
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_who_checks_often_waits(office: Office, http: httpx.AsyncClient) -> None:
    answers = [(await check(http, b"{}")).status_code for _ in range(11)]

    assert answers[:10] == [200] * 10
    assert answers[10] == 429


async def test_receipts_and_proofs_hold_until_a_letter_is_changed(office: Office, http: httpx.AsyncClient) -> None:
    await keep_call(office, recorded=False)
    leaf = (await office.evidence.of("CA100"))[0].leaf
    proof = json.dumps((await office.evidence.proof(leaf)).as_json()).encode()
    receipt = await office.eraser.receipt((await office.eraser.erase_calls(["CA100"])).id)
    assert receipt is not None

    for paper, kind in ((proof, "ledger proof"), (receipt.encode(), "erasure receipt")):
        told = (await check(http, paper, "paper.json")).json()["paper"]
        assert (told["kind"], told["valid"]) == (kind, True)
        forged = bytearray(paper)
        at = len(paper) // 2
        forged[at] = forged[at] ^ 1
        assert not judge(bytes(forged), office.signer.public_pem).valid


def test_without_a_key_nothing_is_believed() -> None:
    assert not judge(b"{}", "").valid
