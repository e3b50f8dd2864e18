"""A stranger with a recording asks `/verify` whether it was the twin: a real browser, also without JavaScript."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, async_playwright

from compliance.watermark.embedder import Embedder
from compliance.watermark.keys import MarkKeys
from compliance.watermark.register import Marks
from tests.behaviour.console import Office, keep_call, opened_office
from tests.behaviour.test_console import Window, signed_in, window
from tests.doubles.browser import FLAGS, chromium
from tests.unit.compliance.watermark.files import encode, voice

WAIT_MS = 60_000
DAY = date(2026, 11, 22)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened_office(tmp_path / "home") as office:
        yield office


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), headless=True)
        yield browser
        await browser.close()


async def recording(office: Office, path: Path) -> Path:
    """What somebody recorded of a call with the twin: both sides in one file, after a telephone line."""
    key = MarkKeys.open(office.home, office.vault.master).of(DAY)
    token = await Marks(office.vault).for_call("CA100", key)
    said = Embedder(key.key, token.bits, 8_000).process(voice(20, 8_000), 0)
    pause = np.zeros(8_000 * 8, dtype=np.int16)
    twin = np.concatenate([said, pause, said[: 8_000 * 12]])
    caller = np.concatenate([pause // 2, voice(len(twin) / 8_000 - 8, 8_000, seed=9) // 8])
    sound = np.stack([caller, twin])
    return await asyncio.to_thread(encode, path, sound, codec="pcm_mulaw", form="wav", rate_hz=8_000)


async def ask(office: Office, opened: Window, path: Path) -> None:
    page = opened.page
    page.set_default_timeout(WAIT_MS)
    await page.goto(f"{office.url}/verify")
    await page.set_input_files("#file", str(path))
    await page.get_by_role("button", name="Check").click()
    await page.locator("[role=status]").wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1_280), ("dark", 390)])
async def test_a_stranger_learns_that_it_was_the_twin_and_not_in_which_call(
    office: Office, browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    await keep_call(office, recorded=False)
    path = await recording(office, tmp_path / "call.wav")
    opened = await window(browser, scheme="dark" if scheme == "dark" else "light", width=width)
    await ask(office, opened, path)
    text = await opened.text()
    assert "This AI twin's watermark was found" in text
    assert "22 Nov 2026" in text
    assert "right" in text
    token = await Marks(office.vault).of("CA100")
    assert token is not None
    assert token.text not in text
    assert "CA100" not in text
    assert await opened.serious() == []
    assert not await opened.overflow()
    assert opened.complaints == []


async def test_the_page_works_without_javascript_and_says_what_is_no_sound(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    await asyncio.to_thread(path.write_text, "no sound at all")
    context = await browser.new_context(java_script_enabled=False)
    opened = Window(await context.new_page())
    await ask(office, opened, path)
    assert "It could not be looked at" in await opened.text()


async def test_the_page_of_the_call_shows_its_watermark(office: Office, browser: Browser, tmp_path: Path) -> None:
    await keep_call(office, recorded=False)
    await recording(office, tmp_path / "call.wav")
    token = await Marks(office.vault).of("CA100")
    assert token is not None
    opened = await signed_in(office, browser)
    await opened.page.goto(f"{office.url}/console/calls/CA100")
    assert token.text in await opened.page.inner_text(".facts")
    assert opened.complaints == []
