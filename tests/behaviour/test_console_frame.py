"""The console's frame in a real browser: signing in by keyboard, what a screen reader finds, light and dark."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Page, async_playwright, expect

from compliance.console.desk import SettingRow
from tests.doubles.browser import FLAGS, WAIT_MS, chromium
from tests.unit.compliance.console.house import PASSPHRASE, House, code_of, opened_house

ROWS = (
    SettingRow("consent", "recording", "off", "The sound is never kept.", True),
    SettingRow("retention", "audio_days", "400 days", "How long recordings are kept.", False),
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    health = {"Ledger": lambda: None, "Recordings": lambda: None}
    async with opened_house(tmp_path / "home", setting_rows=ROWS, health=health, public_key="PUBLIC KEY") as house:
        yield house


@asynccontextmanager
async def browsing(
    scheme: Literal["light", "dark"] = "light", *, width: int = 1280, expected: str = "nothing"
) -> AsyncIterator[Page]:
    """A page of a fresh browser; what the browser complains of fails the test, unless it was expected."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and expected not in message.text:
            complaints.append(message.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS, headless=True)
        try:
            context = await browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=False
            )
            page = await context.new_page()
            page.set_default_timeout(WAIT_MS)
            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            yield page
        finally:
            await browser.close()
    assert complaints == []


async def sign_in(page: Page, house: House, name: str = "ada") -> None:
    """With the keyboard alone, from wherever the page puts the focus."""
    house.clock.turn(30)
    await page.goto(f"{house.url}/console/")
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSPHRASE)
    await page.keyboard.press("Tab")
    await page.keyboard.type(code_of(house.secrets[name], house.clock))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Good to see you, {name}")


async def assert_accessible(page: Page) -> None:
    results = await Axe().run(page)
    grave = [
        (found["id"], found["impact"], [node["html"] for node in found["nodes"]])
        for found in results.response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_of_the_frame_is_sound_for_a_screen_reader(
    house: House, scheme: Literal["light", "dark"]
) -> None:
    house.desk.vault.begin_call("CA1", channel="phone", subject="+493012345", language="de")
    async with browsing(scheme) as page:
        await page.goto(f"{house.url}/console/sign-in")
        await assert_accessible(page)
        await sign_in(page, house)
        await assert_accessible(page)
        for path in ("settings", "account"):
            await page.goto(f"{house.url}/console/{path}")
            await assert_accessible(page)
        house.clock.turn(30)
        await page.locator("#app-passphrase").fill(PASSPHRASE)
        await page.locator("#app-code").fill(house.code("ada"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("img", name="QR code")).to_be_visible()
        await assert_accessible(page)


async def test_a_wrong_sign_in_is_said_aloud_and_the_focus_is_in_the_form(house: House) -> None:
    async with browsing(expected="401") as page:
        await page.goto(f"{house.url}/console/sign-in")
        await page.get_by_label("Name").fill("ada")
        await page.get_by_label("Passphrase").fill("wrong")
        await page.get_by_label("Code").fill("000000")
        async with page.expect_response("**/sign-in") as answered:
            await page.keyboard.press("Enter")
        assert (await answered.value).status == 401
        await expect(page.get_by_role("alert")).to_contain_text("is wrong")
        await expect(page.get_by_label("Name")).to_be_focused()
        await expect(page.get_by_label("Passphrase")).to_have_value("")
        await assert_accessible(page)


async def test_calls_appear_on_the_first_page_by_themselves(house: House) -> None:
    async with browsing() as page:
        await sign_in(page, house)
        await expect(page.get_by_text("Nobody is talking to the twin")).to_be_visible()
        house.desk.vault.begin_call("CA1", channel="phone", subject="+493012345")
        await expect(page.get_by_role("link", name=re.compile("by phone"))).to_be_visible()
        house.desk.vault.end_call("CA1", "hangup")
        await expect(page.get_by_text("Nobody is talking to the twin")).to_be_visible()


async def test_an_owner_is_asked_before_somebody_is_disabled(house: House) -> None:
    async with browsing() as page:
        await sign_in(page, house)
        await page.goto(f"{house.url}/console/settings")
        asked: list[str] = []

        async def answer_no_then_yes(dialog: object) -> None:
            asked.append(dialog.message)  # type: ignore[attr-defined]
            await (dialog.dismiss() if len(asked) == 1 else dialog.accept())  # type: ignore[attr-defined]

        page.on("dialog", answer_no_then_yes)
        await page.get_by_role("button", name="Disable rob").click()
        assert {operator.state for operator in await house.operators.list()} == {"active"}
        await page.get_by_role("button", name="Disable rob").click()
        await expect(page.get_by_role("status")).to_have_text("rob can no longer sign in.")
        assert len(asked) == 2


async def test_the_first_tab_leads_past_the_menu(house: House) -> None:
    async with browsing() as page:
        await sign_in(page, house)
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        await expect(skip).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()


async def test_on_a_narrow_screen_nothing_is_cut_off(house: House) -> None:
    async with browsing(width=360) as page:
        await sign_in(page, house)
        for path in ("", "settings", "account"):
            await page.goto(f"{house.url}/console/{path}")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360, path


async def test_nothing_of_a_page_stays_in_the_browser(house: House) -> None:
    async with browsing() as page:
        await sign_in(page, house)
        await page.goto(f"{house.url}/console/settings")
        kept = await page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]")
        assert kept == [[], [], ""]
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in")
        await page.go_back()
        await page.wait_for_url("**/sign-in*")


async def test_a_page_cannot_run_code_that_somebody_said(house: House) -> None:
    async with browsing(expected="Content Security Policy") as page:
        await sign_in(page, house)
        added = """() => { const code = document.createElement("script");
            code.textContent = "window.ran = true"; document.body.append(code); return window.ran ?? false; }"""
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        assert await page.evaluate(added) is False
        assert any("Content Security Policy" in text for text in refused)
