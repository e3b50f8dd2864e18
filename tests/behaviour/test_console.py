"""The console and the public pages in a real browser, with the real parts behind them."""

from __future__ import annotations

import asyncio
import io
import json
import re
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import numpy as np
import pytest
from axe_playwright_python.async_playwright import Axe
from numpy.typing import NDArray
from playwright.async_api import Browser, Download, Page, async_playwright, expect

from tests.behaviour.console import (
    CALLER,
    HZ,
    MEETING,
    TALK,
    Office,
    answer,
    keep_call,
    keep_meeting,
    opened_office,
    said,
    spoken,
)
from tests.doubles.browser import FLAGS, WAIT_MS, chromium
from tests.unit.compliance.console.house import csrf_of

SECRETS = ("Appleseed", "John", "030 90", "18 20", CALLER, "901820")
HIDDEN_S = (22.4 + 3 * 0.32, 22.4 + 7 * 0.32)
"""When the twin says the number in `TALK`: its fourth to seventh word."""


@dataclass
class Window:
    """A browser window, and what it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.set_default_timeout(WAIT_MS)
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def text(self) -> str:
        return await self.page.inner_text("body")

    async def serious(self) -> list[str]:
        """What axe-core finds that keeps somebody from using the page."""
        found = await Axe().run(self.page)
        return [
            f"{self.page.url}: {item['id']} {[node['target'] for node in item['nodes']]}"
            for item in found.response["violations"]
            if item["impact"] in ("serious", "critical")
        ]

    async def overflow(self) -> int:
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(await self.page.evaluate(script))


@pytest.fixture
async def office(home: Path) -> AsyncIterator[Office]:
    async with opened_office(home) as office:
        yield office


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), headless=True)
        yield browser
        await browser.close()


async def window(
    browser: Browser, *, scheme: Literal["dark", "light"] = "light", width: int = 1280, height: int = 900
) -> Window:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    opened = Window(await context.new_page())
    opened.listen()
    return opened


async def signed_in(office: Office, browser: Browser, name: str = "ada", **how: Any) -> Window:
    opened = await window(browser, **how)
    await office.sign_in(opened.page, name)
    return opened


async def until(page: Page, script: str) -> None:
    """Wait for the page; its policy forbids what Playwright would do for it."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await page.evaluate(script):  # noqa: ASYNC110  the page has no event to wait on
            await asyncio.sleep(0.05)


async def unmask(opened: Window) -> None:
    """Give a reason on the page of a call."""
    await opened.page.get_by_text("Show them", exact=True).click()
    await opened.page.get_by_label("Why do you need to see them?").fill("a dispute")
    await opened.page.keyboard.press("Enter")
    await opened.page.get_by_text("Names and numbers are shown.").wait_for()


async def read(download: Download) -> bytes:
    """What was downloaded."""
    path = await download.path()
    return await asyncio.to_thread(path.read_bytes)


async def ledger_kinds(office: Office) -> list[str]:
    """What the ledger's file says, also of what was erased from the vault."""
    await office.vault.flush()
    lines = await asyncio.to_thread((office.home / "ledger" / "entries.jsonl").read_text)
    return [json.loads(line)["kind"] for line in lines.splitlines()]


async def closed(office: Office) -> None:
    """Return when an erasure has come to its end."""
    while "erased" not in await ledger_kinds(office):  # noqa: ASYNC110  the eraser tells the ledger alone
        await asyncio.sleep(0.1)


async def cookies(opened: Window) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in await opened.page.context.cookies()}


async def sound_of(office: Office, opened: Window) -> NDArray[np.int16]:
    """All frames of the player's file, fetched in ranges as a browser does."""
    source = await opened.page.get_attribute("#sound", "src")
    assert source
    data = b""
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(opened)) as http:
        while True:
            response = await http.get(source, headers={"Range": f"bytes={len(data)}-"})
            if response.status_code == 416:
                break
            assert response.status_code == 206
            data += response.content
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, HZ)
        frames = file.readframes(file.getnframes())
    return np.frombuffer(frames, "<i2").reshape(-1, 2)


def part(sound: NDArray[np.int16], start_s: float, end_s: float, *, begins_s: float = 7.0) -> NDArray[np.int16]:
    """The frames between two seconds of the call; the recording begins at its seventh."""
    return sound[int((start_s - begins_s) * HZ) : int((end_s - begins_s) * HZ)]


async def test_a_call_is_masked_until_a_reason_is_given_and_the_ledger_knows_first(
    office: Office, browser: Browser
) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls")
    await opened.page.get_by_role("link", name=re.compile("18 Nov 2026")).first.click()
    await opened.page.wait_for_selector("#script")
    shown = await opened.page.content()

    assert not [secret for secret in SECRETS if secret in shown]
    assert "The broken lamp is urgent" in shown
    assert await opened.page.locator(".cut").count() == 1, "where the twin was interrupted is seen"
    assert await office.kinds("CA100") == [
        "disclosure_played", "consent_asked", "consent_given", "recording_started", "recording_stopped", "viewed",
    ]  # fmt: skip

    await opened.page.get_by_text("Show them", exact=True).click()
    await opened.page.get_by_role("button", name="Show for 30 minutes").click()
    assert "unmasked" not in await office.kinds("CA100"), "without a reason nothing happens"
    await opened.page.get_by_label("Why do you need to see them?").fill("She says her number was noted wrongly")
    await opened.page.keyboard.press("Enter")
    await opened.page.get_by_text("Names and numbers are shown.").wait_for()

    assert "John Appleseed and my number is 030 90 18 20" in await opened.text()
    noted = {entry.kind: entry.detail for entry in await office.evidence.of("CA100")}
    assert (noted["unmasked"] or {})["reason"] == "She says her number was noted wrongly"
    assert (noted["unmasked"] or {})["operator"] == "ada"

    office.clock.turn(31 * 60)
    await opened.page.reload()
    await office.sign_in(opened.page)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    assert not [secret for secret in SECRETS if secret in await opened.page.content()]
    assert [text for text in opened.complaints if "401" not in text] == []


async def test_a_ticket_to_see_is_over_after_its_time(office: Office, browser: Browser) -> None:
    await keep_call(office, recorded=False)
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    await unmask(opened)
    unmasked = opened.page.url
    office.clock.turn(29 * 60)
    await opened.page.goto(unmasked)
    assert "Appleseed" in await opened.page.content()
    office.clock.turn(2 * 60)
    await opened.page.goto(unmasked)

    assert "Names and numbers are hidden again." in await opened.text()
    assert "Appleseed" not in await opened.page.content()
    other = await signed_in(office, browser)
    await other.page.goto(unmasked)
    assert "Appleseed" not in await other.page.content(), "a ticket is good for one session alone"


async def test_captions_words_and_picture_follow_the_sound(office: Office, browser: Browser) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    page = opened.page
    await page.goto(f"{office.url}/console/calls/CA100")
    await until(page, "document.getElementById('sound').readyState >= 1")
    duration = await page.evaluate("document.getElementById('sound').duration")
    assert duration == pytest.approx(27.0, abs=0.1)

    await page.evaluate("document.getElementById('sound').currentTime = 10.6 + 0.32 * 3.5 - 7")
    await page.wait_for_selector("#line-2.now")
    assert await page.inner_text("#script .word.now") == "workshop "
    await expect(page.locator("#caption")).to_contain_text("AI twin: On Saturdays the workshop is open")
    assert await page.inner_text("#caption .word.now") == "workshop "
    at = float((await page.get_attribute("#playhead", "x1") or "").rstrip("%"))
    length = float(await page.get_attribute("#strip", "data-length") or 0)
    assert at == pytest.approx(100 * (10.6 + 0.32 * 3.5) / length, abs=0.2)

    await page.locator("#line-3 .at").click()
    await page.wait_for_selector("#line-3.now")
    await until(page, "document.getElementById('sound').currentTime > 14.6 - 7 + 0.2")
    await expect(page.locator("#caption")).to_contain_text("Caller: Great, could")
    assert "Appleseed" not in await page.inner_text("#caption")
    await page.evaluate("document.getElementById('sound').pause()")

    box = await page.locator("#strip svg").bounding_box()
    assert box
    await page.mouse.click(box["x"] + box["width"] * 30 / length, box["y"] + 30)
    assert await page.evaluate("document.getElementById('sound').currentTime") == pytest.approx(23, abs=0.3)
    await page.wait_for_selector("#line-5.now")
    assert opened.complaints == []


async def test_hidden_words_are_silent_in_the_sound_too(office: Office, browser: Browser, tmp_path: Path) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    masked = await sound_of(office, opened)
    await unmask(opened)
    whole = await sound_of(office, opened)

    assert len(masked) == len(whole) == 27 * HZ
    assert np.abs(part(whole, *HIDDEN_S)).max() > 8_000
    assert np.abs(part(masked, *HIDDEN_S)).max() == 0, "not a sample of the number"
    assert np.abs(part(masked, 14.6, 21.5)).max() == 0, "a line without word times is silent as a whole"
    heard = part(masked, 10.7, 14.2)
    assert np.array_equal(heard, part(whole, 10.7, 14.2)), "the rest is as it was recorded"
    assert np.abs(heard[:, 1]).max() > 8_000
    assert np.abs(heard[:, 0]).max() == 0, "the twin is on the right"
    assert np.abs(part(masked, 7.3, 9.9)[:, 0]).max() > 8_000, "the caller on the left"


async def test_sound_and_captions_are_for_those_who_were_seen_to_look(office: Office, browser: Browser) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    source = await opened.page.get_attribute("#sound", "src") or ""
    captions = await opened.page.get_by_role("link", name="Captions").get_attribute("href") or ""
    reviewer = await signed_in(office, browser, "rob")
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(opened)) as http:
        assert (await http.get(source.split("?")[0])).status_code == 403
        assert (await http.get(captions.split("?")[0])).status_code == 403
        got = await http.get(captions)
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(reviewer)) as http:
        assert (await http.get(source)).status_code == 403, "somebody else's permission is none"
    async with httpx.AsyncClient(base_url=office.url) as http:
        assert (await http.get(source)).status_code == 303

    assert got.text.startswith("WEBVTT\n\n00:00:00.400 --> ")
    assert "<v Caller>No, that is all, thank you." in got.text
    assert not [secret for secret in SECRETS if secret in got.text]
    assert (await office.kinds("CA100"))[-1] == "exported"
    stored = b"".join(path.read_bytes() for path in office.home.rglob("*") if path.is_file())
    assert b"RIFF" not in stored, "the recording is never a plain file"


async def test_a_reviewer_reads_what_is_masked_and_decides_nothing(office: Office, browser: Browser) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser, "rob")
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    shown = await opened.page.content()

    assert not [secret for secret in SECRETS if secret in shown]
    assert "Only an owner can show them" in shown
    assert await opened.page.get_by_text("Delete the call").count() == 0
    assert await opened.page.locator("#sound").count() == 1, "they may hear what they may read"
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(opened)) as http:
        csrf = csrf_of(await http.get("/console/account"))
        for path in ("unmask", "hold", "release", "delete"):
            data = {"csrf": csrf, "reason": "curiosity", "sure": "yes"}
            assert (await http.post(f"/console/calls/CA100/{path}", data=data)).status_code == 403
        assert (await http.get("/console/calls/CA100/evidence.json")).status_code == 403
    assert "unmasked" not in await office.kinds("CA100")


async def test_a_call_appears_while_it_is_on_the_line_and_its_words_as_they_are_said(
    office: Office, browser: Browser
) -> None:
    listing, call = await signed_in(office, browser), await signed_in(office, browser)
    await listing.page.goto(f"{office.url}/console/calls")
    assert "Nobody is on the line" in await listing.text()
    await keep_call(office, "CA7", live=True, recorded=False, talk=TALK[:2])
    await listing.page.get_by_text("On the line now").wait_for()
    await call.page.goto(f"{office.url}/console/calls/CA7")
    assert "When are you open on Saturdays?" in await call.text()

    office.vault.turn_heard("CA7", TALK[2])
    await call.page.get_by_text("the workshop is open from nine to one").wait_for()
    office.vault.turn_heard("CA7", TALK[3])
    await call.page.get_by_text("Great, could Ada call me back?").wait_for()
    assert "Appleseed" not in await call.page.content()
    before = len(await office.kinds("CA7"))
    office.vault.end_call("CA7", "caller_hung_up")
    await call.page.get_by_text("What you can do").wait_for()
    await call.page.get_by_text("Delete the call", exact=True).first.wait_for()
    await listing.page.get_by_text("Nobody is on the line").wait_for()
    await listing.page.get_by_role("link", name=re.compile("18 Nov 2026")).wait_for()

    assert len(await office.kinds("CA7")) == before + 1, (
        "the page that came anew is a look of its own, polling is not"
    )
    assert listing.complaints == call.complaints == []


async def test_a_consent_taken_back_hides_at_once(office: Office, browser: Browser) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    source = await opened.page.get_attribute("#sound", "src") or ""
    captions = await opened.page.get_by_role("link", name="Captions").get_attribute("href") or ""
    await answer(office, "CA100", "revoked")
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(opened)) as http:
        assert (await http.get(source)).status_code == 404
        await answer(office, "CA100", "revoked", purpose="transcription")
        assert "lamp" not in (await http.get(captions)).text
    await opened.page.reload()

    assert "Consent to the recording was taken back" in await opened.text()
    assert "Consent to writing the words down was taken back" in await opened.text()
    assert "lamp" not in await opened.page.inner_text("#script")


async def test_a_held_call_stays_and_a_deleted_one_is_gone_but_for_the_ledger(
    office: Office, browser: Browser
) -> None:
    await keep_call(office)
    await keep_call(office, "CA101", subject="+14155550100", recorded=False, talk=(TALK[0],))
    opened = await signed_in(office, browser)
    page = opened.page
    await page.goto(f"{office.url}/console/calls/CA100")
    await page.get_by_text("Hold: keep it from deletion").click()
    await page.get_by_label("Why does it have to stay?").fill("A dispute with John Appleseed")
    await page.get_by_role("button", name="Hold the call").click()
    await page.get_by_text("The call stays until you let it go.").wait_for()
    assert "A dispute with" in await opened.text()
    assert "Appleseed" not in await page.content(), "a reason is masked like everything else"
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(opened)) as http:
        csrf = csrf_of(await http.get("/console/account"))
        refused = await http.post("/console/calls/CA100/delete", data={"csrf": csrf, "sure": "yes"})
        assert refused.status_code == 400
        assert "held" in refused.text

    await page.get_by_role("button", name="Let it go").click()
    await page.get_by_text("Delete the recording", exact=True).first.click()
    await page.get_by_role("button", name="Delete the recording").click()
    await page.get_by_text("The recording is deleted.").wait_for()
    assert list((office.home / "recordings").iterdir()) == []
    assert "There was a recording; it was deleted." in await opened.text()
    await page.get_by_text("Delete the call", exact=True).first.click()
    await page.get_by_label("I know that this cannot be undone").check()
    await page.get_by_role("button", name="Delete the call").click()
    await page.get_by_text("The call is deleted").wait_for()

    assert await office.vault.call("CA100") is None
    kinds = await ledger_kinds(office)
    wanted = ["held", "released", "recording_deleted", "recording_deleted", "erased"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    assert "disclosure_played" in kinds, "the leaves stay"
    assert "erased" in await office.kinds()


async def test_every_step_has_a_proof_and_the_ledger_can_be_checked_from_the_page(
    office: Office, browser: Browser
) -> None:
    await keep_call(office, recorded=False)
    opened = await signed_in(office, browser)
    page = opened.page
    await page.goto(f"{office.url}/console/calls/CA100")
    await page.get_by_role("link", name="Proof of: Told that this is an AI, in full").click()
    await page.get_by_text("It is in the ledger.").wait_for()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Proof", exact=True).click()
    proof = json.loads(await read(await download.value))
    assert proof["kind"] == "disclosure_played"

    stranger = await window(browser)
    await stranger.page.goto(f"{office.url}/verify")
    files = [{"name": "proof.json", "mimeType": "application/json", "buffer": json.dumps(proof).encode()}]
    await stranger.page.set_input_files("#file", files)  # type: ignore[arg-type]
    await stranger.page.get_by_role("button", name="Check").click()
    await stranger.page.get_by_text("A genuine ledger proof.").wait_for()

    await page.goto(f"{office.url}/console/ledger")
    await page.get_by_role("button", name="Check every entry now").click()
    await page.get_by_text("Whole and unchanged.").wait_for()
    entries = office.home / "ledger" / "entries.jsonl"
    changed = entries.read_bytes().replace(b'"kind":"consent_refused"', b'"kind":"consent_given00"', 1)
    entries.write_bytes(changed)
    await page.get_by_role("button", name="Check every entry now").click()
    await page.get_by_text("The ledger was changed.").wait_for()
    assert stranger.complaints == []


async def test_evidence_is_handed_out_with_receipts_that_hold_without_us(office: Office, browser: Browser) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    page = opened.page
    await page.goto(f"{office.url}/console/calls/CA100")
    async with httpx.AsyncClient(base_url=office.url, cookies=await cookies(opened)) as http:
        refused = await http.get(f"/console/calls/CA100/evidence.json?{page.url.partition('?')[2]}")
        assert refused.status_code == 403, "receipts name the caller, so there has to be a reason"
    await unmask(opened)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Evidence with proofs").click()
    package = json.loads(await read(await download.value))

    from compliance.proofs.proof import Inclusion
    from compliance.proofs.receipt import verify_receipt
    from compliance.proofs.signing import PublicKey

    public = PublicKey.load(package["public_key"])
    for leaf in package["leaves"]:
        entry = Inclusion.from_json(leaf["proof"]).check(public)
        assert entry is not None
        assert entry.kind == leaf["kind"]
    assert [verify_receipt(receipt, public).valid for receipt in package["receipts"]] == [True]
    await page.get_by_role("link", name=re.compile("Signed receipt")).click()
    await page.get_by_text("Signed here, and not changed since.").wait_for()
    assert CALLER not in await page.content()
    await page.get_by_text("Read it or give it out").click()
    await page.get_by_label("Why do you need it?").fill("She asked for it")
    await page.keyboard.press("Enter")
    await page.get_by_text("Read the receipt").click()
    assert "2026-11" in await page.inner_text("pre")


async def test_a_caller_asks_on_the_public_page_shows_who_they_are_and_is_erased_with_a_receipt(
    office: Office, browser: Browser
) -> None:
    await keep_call(office)
    await keep_call(office, "CA101", subject="+14155550100", recorded=False, talk=(TALK[0],))
    caller = await window(browser)
    page = caller.page
    await page.goto(f"{office.url}/privacy")
    await page.get_by_label("Have it erased").check()
    await page.get_by_label("The number you called from, or your e-mail address").fill("+49 30 901820")
    await page.get_by_role("button", name="Send").click()
    number = (await page.inner_text(".big")).strip()
    await office.requests.close()
    await page.get_by_label("The code you were sent").fill(office.codes[CALLER])
    await page.get_by_label("Up to three words").fill("appleseed, workshop")
    await page.get_by_label("Day").fill("2026-11-18")
    await page.get_by_role("button", name="Show that it is me").click()
    await page.get_by_text("you have shown that it is you").wait_for()

    owner = await signed_in(office, browser)
    await owner.page.goto(f"{office.url}/console/requests/{number}")
    preview = await owner.text()
    assert "What would go" in preview
    assert re.search(r"Calls\s+1\b", preview)
    assert CALLER not in await owner.page.content()
    await owner.page.get_by_label("Erase all of it; it cannot be undone").check()
    await owner.page.get_by_role("button", name="Approve and erase").click()
    await owner.page.get_by_role("heading", name="Receipt").wait_for(timeout=60_000)
    results = await owner.page.locator("table .badge").all_inner_texts()
    assert results
    assert set(results) <= {"clean", "key destroyed"}

    await page.goto(f"{office.url}/privacy")
    await page.get_by_text("I have a request number").click()
    await page.get_by_label("Request number").fill(number.lower())
    await page.get_by_role("button", name="How far is it?").click()
    await page.get_by_text("It was carried out.", exact=True).wait_for()
    assert await office.vault.call("CA100") is None
    assert await office.vault.call("CA101") is not None
    async with owner.page.expect_download() as download:
        await owner.page.get_by_role("link", name="Receipt").click()
    await page.goto(f"{office.url}/verify")
    await page.set_input_files("#file", str(await (await download.value).path()))
    await page.get_by_role("button", name="Check").click()
    await page.get_by_text("A genuine erasure receipt.").wait_for()
    assert caller.complaints == owner.complaints == []


async def test_no_page_keeps_somebody_out_who_sees_hears_or_moves_differently(
    office: Office, browser: Browser
) -> None:
    await keep_call(office)
    await keep_call(office, "CA7", live=True, recorded=False, talk=TALK[:4])
    await keep_meeting(office)
    from compliance.jurisdiction import law_of

    request = await office.requests.open(
        "erasure", "phone", law=law_of([]), subject=CALLER, call_id="CA100", said="Forget me. John Appleseed."
    )
    leaf = (await office.evidence.recent(1))[0].leaf
    paths = (
        "/console/calls", "/console/calls/CA100", "/console/calls/CA7", f"/console/calls/{MEETING}",
        "/console/calls?channel=web",
        "/console/consents", "/console/requests", f"/console/requests/{request.number}", "/console/ledger",
        f"/console/ledger/leaf/{leaf}", "/privacy", "/verify",
    )  # fmt: skip
    found: list[str] = []
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360)):
        opened = await signed_in(office, browser, scheme="dark" if scheme == "dark" else "light", width=width)
        for path in paths:
            response = await opened.page.goto(office.url + path)
            assert response is not None
            assert response.status == 200
            found += await opened.serious()
            if await opened.overflow():
                found.append(f"{path} is wider than {width} pixels")
        found += opened.complaints
        await opened.page.context.close()

    assert found == []


async def test_a_call_is_reviewed_by_keyboard_alone(office: Office, browser: Browser) -> None:
    await keep_call(office)
    opened = await signed_in(office, browser)
    page, keys = opened.page, opened.page.keyboard
    await page.goto(f"{office.url}/console/calls/CA100")
    await until(page, "document.getElementById('sound').readyState >= 1")
    await keys.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await keys.press("Enter")
    visited: list[str] = []
    for _ in range(40):
        await keys.press("Tab")
        visited.append(await page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()"))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        # The player's own buttons draw their focus themselves.
        assert outline not in ("none", "") or visited[-1] == "sound", f"the focus is seen on {visited[-1]}"
        if visited[-1] == "0:07":
            break
    stops = ["Show them", "sound", "5 s back", "5 s on", "speed", "follow"]
    assert [name for name in dict.fromkeys(visited) if name in stops] == stops
    await keys.press("Enter")
    await page.wait_for_selector("#line-1.now")
    await page.focus("[data-skip='5']")
    await keys.press("k")
    paused = await page.evaluate("document.getElementById('sound').paused")
    before = await page.evaluate("document.getElementById('sound').currentTime")
    await keys.press("l")
    assert paused
    assert await page.evaluate("document.getElementById('sound').currentTime") == pytest.approx(
        before + 5, abs=0.3
    )


async def test_a_call_with_nothing_kept_says_why(office: Office, browser: Browser) -> None:
    await keep_call(office, "CA1", recorded=False, talk=())
    await keep_call(office, "CA2", subject=None, recorded=False, talk=(said(0, "Hi", 1, 2), spoken(1, "Bye", 3)))
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA1")
    assert "Nothing was written down." in await opened.text()
    assert "did not say yes to a recording" in await opened.text()
    await opened.page.goto(f"{office.url}/console/calls/CA2")
    assert "Unknown caller" in await opened.text()
    response = await opened.page.goto(f"{office.url}/console/calls/nobody")
    assert response is not None
    assert response.status == 404


async def test_two_owners_can_press_the_same_button(office: Office, browser: Browser) -> None:
    await keep_call(office, recorded=False)
    await keep_call(office, "CA101", subject="+14155550100", recorded=False, talk=(TALK[0],))
    from compliance.jurisdiction import law_of

    request = await office.requests.open("erasure", "web", law=law_of([]), subject=CALLER)
    windows = [await signed_in(office, browser) for _ in range(2)]
    for opened in windows:
        await opened.page.goto(f"{office.url}/console/requests/{request.number}")
        await opened.page.get_by_label("How do you know who asks?").fill("I know her voice")
        await opened.page.get_by_label("Erase all of it").check()
    await asyncio.gather(
        *(opened.page.get_by_role("button", name="Approve and erase").click() for opened in windows)
    )
    await windows[0].page.goto(f"{office.url}/console/requests/{request.number}")
    await windows[0].page.get_by_role("heading", name="Receipt").wait_for(timeout=60_000)

    await asyncio.wait_for(closed(office), WAIT_MS / 1000)
    kinds = await ledger_kinds(office)
    assert kinds.count("request_approved") == kinds.count("erasure_opened") == kinds.count("erased") == 1


async def test_searching_finds_what_may_be_read_and_tells_nothing_of_the_rest(
    office: Office, browser: Browser
) -> None:
    await keep_call(office, recorded=False)
    opened, reviewer = await signed_in(office, browser), await signed_in(office, browser, "rob")
    for shown in (opened, reviewer):
        await shown.page.goto(f"{office.url}/console/calls")
        await shown.page.get_by_label("Words that were said").fill("lamp")
        await shown.page.keyboard.press("Enter")
        await shown.page.locator("mark", has_text="lamp").wait_for()
        await shown.page.get_by_label("Words that were said").fill("Appleseed")
        await shown.page.keyboard.press("Enter")
        await shown.page.get_by_text("Nothing was found").wait_for()
    assert "2 more in what is hidden" in await opened.text(), "an owner may know that there is more"
    assert "more in what is hidden" not in await reviewer.text(), "a reviewer could guess names by searching"
    assert await reviewer.page.get_by_label("Number or address").count() == 0
    whats = [(entry.detail or {})["what"] for entry in await office.evidence.of("CA100") if entry.kind == "viewed"]
    assert whats == ["passage", "passage"], "whose words were shown is noted, and nothing where none were"

    await opened.page.goto(f"{office.url}/console/calls")
    await opened.page.get_by_label("Number or address").fill("+49 30 901820")
    await opened.page.keyboard.press("Enter")
    await opened.page.wait_for_selector("table.calls")
    assert await opened.page.locator("table.calls tbody tr").count() == 1
    await opened.page.get_by_label("Recording").select_option("yes")
    await opened.page.get_by_text("No calls like that").wait_for()
    assert opened.complaints == reviewer.complaints == []


async def test_a_meeting_shows_everybody_and_names_nobody_until_a_reason_is_given(
    office: Office, browser: Browser
) -> None:
    await keep_meeting(office)
    opened = await signed_in(office, browser)
    page = opened.page
    await page.goto(f"{office.url}/console/calls/{MEETING}")
    hidden = await page.inner_text("main")
    digest = ("Questions for you", "Person B: order the paper")
    for told in ("Person A", "Person B", "while somebody else spoke", "raised its hand", *digest):
        assert told in hidden
    for secret in ("Anna", "Benedikt", "Lindqvist", "030 90 18 20", "cleo@example.org"):
        assert secret not in hidden
    assert await page.locator("#strip rect.strip-caller").count() == 4
    await unmask(opened)
    shown = await page.inner_text("main")
    for told in ("Anna Lindqvist", "Benedikt: order the paper", "by Friday", "030 90 18 20", "to Anna Lindqvist"):
        assert told in shown
    await page.get_by_role("link", name="Listen").click()
    await page.wait_for_url("**#player")
    sound = await sound_of(office, opened)
    assert len(sound) == 5 * HZ
    assert sound[:, 0].any()
    assert opened.complaints == []


async def test_of_several_recordings_each_can_be_heard(office: Office, browser: Browser) -> None:
    await keep_call(office)
    again = office.recordings.start("CA100", clock_hz=HZ, caller_hz=HZ, position=40 * HZ)
    for n in range(50):
        again.twin(bytes(HZ // 25), 40 * HZ + n * HZ // 50)
    again.stop()
    await again.settled()
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    await opened.page.get_by_role("link", name="Recorded from 0:40").click()
    await until(opened.page, "document.getElementById('sound').readyState >= 1")

    assert await opened.page.evaluate("document.getElementById('sound').duration") == pytest.approx(1, abs=0.05)
    assert await opened.page.get_attribute("#player", "data-start") == "40.0"
