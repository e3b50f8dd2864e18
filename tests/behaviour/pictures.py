"""Pictures of the console and the public pages, for the documentation.

python -m tests.behaviour.pictures        # writes compliance/console/*.png anew
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

from compliance.jurisdiction import Party, law_of
from tests.behaviour.console import CALLER, TALK, Office, keep_call, opened_office
from tests.doubles.browser import FLAGS, chromium

FOLDER = Path(__file__).parents[2] / "compliance" / "console"
GERMANY = law_of([Party(country="DE")], Party(country="DE"))


async def main() -> None:
    """Fill a console with calls and requests, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened_office(Path(folder) / "home") as office, async_playwright() as playwright:
            await fill(office)
            browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), headless=True)
            await pictures(office, browser)
            await browser.close()


async def fill(office: Office) -> None:
    """A week of the twin."""
    for n, (subject, recorded) in enumerate(
        [
            ("+14155550100", False),
            (CALLER, True),
            ("+33142685300", False),
            (CALLER, False),
            ("+441632960123", True),
        ]
    ):
        await keep_call(office, f"CA{n}", subject=subject, recorded=recorded, talk=TALK[: 7 - n % 3])
        office.clock.turn(5_400 * (n + 1))
    await office.requests.open("access", "web", law=GERMANY, subject="+33142685300")
    office.clock.turn(20 * 86_400)
    asked = await office.requests.open(
        "erasure", "phone", law=GERMANY, subject=CALLER, call_id="CA1", said="Delete what you know about me."
    )
    await office.requests.send_code(asked.number)
    await office.requests.close()
    await office.requests.check_code(asked.number, office.codes[CALLER])
    await keep_call(office, "CA8", recorded=True)
    await keep_call(office, "CA9", subject="+33142685300", live=True, recorded=False, talk=TALK[:4])


async def window(
    browser: Browser, *, height: int = 1_000, width: int = 1_280, scheme: Literal["light", "dark"] = "light"
) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    return await context.new_page()


async def pictures(office: Office, browser: Browser) -> None:
    """Each of the pages one looks at most."""
    page = await window(browser)
    await office.sign_in(page)
    await page.goto(f"{office.url}/console/calls")
    await page.screenshot(path=FOLDER / "calls.png")
    await page.goto(f"{office.url}/console/calls/CA8")
    await page.evaluate("document.getElementById('sound').currentTime = 10.6 + 0.32 * 3.5 - 7")
    await page.wait_for_selector("#line-2.now")
    await page.screenshot(path=FOLDER / "call.png")
    number = next(request.number for request in await office.requests.list() if request.kind == "erasure")
    await page.goto(f"{office.url}/console/requests/{number}")
    await page.screenshot(path=FOLDER / "request.png")
    await page.goto(f"{office.url}/console/ledger")
    await page.get_by_role("button", name="Check every entry now").click()
    await page.get_by_text("Whole and unchanged.").wait_for()
    await page.screenshot(path=FOLDER / "ledger.png")

    dark = await window(browser, scheme="dark")
    await office.sign_in(dark)
    await dark.goto(f"{office.url}/console/calls/CA9")
    await dark.screenshot(path=FOLDER / "live.png")

    public = await window(browser, height=1_200)
    await public.goto(f"{office.url}/privacy")
    await public.screenshot(path=FOLDER / "privacy.png")


if __name__ == "__main__":
    asyncio.run(main())
