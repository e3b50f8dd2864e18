"""The page in a real browser: real microphone, real WebRTC, real server; only the twin is missing."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from channels.call import Caption, Notice, Refusal, Status
from channels.web.track import TrackWire
from tests.doubles.browser import BrowserCaller, browser_caller
from tests.doubles.host import Conversation, TestHost, tone
from tests.doubles.webserver import served_apart, serving


@pytest.fixture
def host() -> TestHost:
    return TestHost(disclosure_ms=800)


@pytest.fixture
async def browser() -> AsyncIterator[BrowserCaller]:
    async with browser_caller() as browser:
        yield browser


def _wav(path: Path, hz: float, milliseconds: int = 20_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(tone(48_000, milliseconds=milliseconds, hz=hz))
    return path


async def _until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not met():  # noqa: ASYNC110  the host's records are plain lists, there is nothing to wait on
            await asyncio.sleep(0.05)


async def _disclosed(conversation: Conversation) -> None:
    await asyncio.wait_for(conversation.disclosed_event.wait(), 15)


def _strongest_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, np.int16)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples))


async def test_the_announcement_is_heard_first_and_whole_though_the_caller_talks_at_once(
    host: TestHost, tmp_path: Path
) -> None:
    async with serving(host) as url, browser_caller(_wav(tmp_path / "caller.wav", 700)) as browser:
        page = await browser.open(url)
        await page.start()
        conversation = host.conversations[0]
        assert conversation.heard_from_caller == b"" or conversation.disclosed_at is not None
        await _disclosed(conversation)
        heard = await page.until_heard(2_000)
        await _until(lambda: len(conversation.heard_from_caller) > 48_000)

        loud = np.flatnonzero(heard.loudness(10) > 2_000) * 10
        assert loud[-1] - loud[0] >= 780, "nothing of the announcement is missing"
        assert len(loud) * 10 >= 780, "and it has no gap"
        assert heard.pitch_hz(loud[0], loud[-1]) == pytest.approx(440, abs=5)
        inlet, outlet = conversation.call.inlet, conversation.call.outlet
        assert inlet.bytes_dropped >= 0.5 * 32_000, "what was said over the announcement is forgotten"
        assert len(conversation.heard_from_caller) == inlet.bytes_let_in
        assert _strongest_hz(bytes(conversation.heard_from_caller)[-32_000:]) == pytest.approx(700, abs=10)
        wire = conversation.call.wire
        assert isinstance(wire, TrackWire)
        assert outlet.bytes_out == wire.bytes_sent == wire.bytes_framed > 0
        assert page.complaints == []


async def test_captions_of_both_sides_states_and_notices_are_shown(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        await page.start()
        call = host.conversations[0].call
        call.tell(Status("speaking"))
        await page.until_state("speaking")
        call.tell(Caption("twin", "I am the AI twin", 1))
        call.tell(Caption("twin", "of Ada.", 1, final=True))
        call.tell(Caption("caller", "When is", 1))
        call.tell(Caption("caller", "When is the workshop?", 1, final=True))
        call.tell(Notice("fallback", "A simpler voice serves now."))
        call.tell(Status("thinking"))
        await page.until_state("thinking")

        assert await page.captions() == [
            ("twin", "I am the AI twin of Ada."),
            ("caller", "When is the workshop?"),
        ]
        assert "A simpler voice serves now." in await page.page.inner_text("#notices")
        assert await page.page.inner_text("#announcer") == "You: When is the workshop?"
        assert await page.page.locator(".notice").is_visible()
        assert "AI, the digital twin of Ada Example" in await page.page.inner_text(".notice")
        assert page.complaints == []


async def test_typed_words_wait_for_the_announcement_and_then_arrive(
    host: TestHost, browser: BrowserCaller
) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        await page.start(typing=True)
        conversation = host.conversations[0]
        conversation.call.tell(Status("disclosing"))
        await page.until_state("disclosing")
        await page.type("What are your   hours?")
        await _disclosed(conversation)
        assert conversation.texts == []
        conversation.call.tell(Status("listening"))
        await _until(lambda: bool(conversation.texts))
        conversation.call.tell(Caption("caller", "What are your hours?", 1, final=True))
        conversation.call.tell(Caption("twin", "Nine to five.", 1, final=True))
        await page.until_caption("twin", "Nine to five.")

        assert conversation.texts == ["What are your hours?"]
        assert await page.captions() == [("caller", "What are your hours?"), ("twin", "Nine to five.")]


async def test_muting_sends_silence(host: TestHost, tmp_path: Path) -> None:
    async with serving(host) as url, browser_caller(_wav(tmp_path / "caller.wav", 700)) as browser:
        page = await browser.open(url)
        await page.start()
        conversation = host.conversations[0]
        await _disclosed(conversation)
        await _until(lambda: len(conversation.heard_from_caller) > 32_000)
        await page.mute()
        before = len(conversation.heard_from_caller)
        await _until(lambda: len(conversation.heard_from_caller) > before + 64_000)

        muted = np.frombuffer(bytes(conversation.heard_from_caller[before + 32_000 :]), np.int16)
        assert np.abs(np.frombuffer(bytes(conversation.heard_from_caller[:before]), np.int16)).max() > 1_000
        assert np.abs(muted).max() < 20
        assert await page.page.get_attribute("#mute", "aria-pressed") == "true"


async def test_either_side_hangs_up_and_one_can_call_again(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        await page.start()
        await page.hang_up()
        await _until(host.conversations[0].ended.is_set)
        assert host.conversations[0].reason == "caller_left"

        await page.press("Call again")
        await page.page.wait_for_selector("body[data-phase=in-call]")
        host.conversations[1].hang_up("said_goodbye")
        await page.until_ended()

        assert await page.page.inner_text("#state-text") == "Call ended"
        assert page.complaints == []


async def test_leaving_the_page_ends_the_call(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        await page.start()
        await page.page.goto("about:blank")
        await asyncio.wait_for(host.conversations[0].ended.wait(), 10)

    assert host.conversations[0].reason == "caller_left"


async def test_two_browsers_hear_and_are_heard_apart(tmp_path: Path) -> None:
    host = TestHost(disclosure_ms=300)
    async with (
        serving(host) as url,
        browser_caller(_wav(tmp_path / "first.wav", 500)) as first,
        browser_caller(_wav(tmp_path / "second.wav", 1_300)) as second,
    ):
        for number, browser in enumerate((first, second)):
            page = await browser.open(url)
            await page.start()
            await _disclosed(host.conversations[number])
        for conversation in host.conversations:
            conversation.heard_from_caller.clear()
        await _until(lambda: all(len(each.heard_from_caller) > 32_000 for each in host.conversations))

        pitches = [_strongest_hz(bytes(each.heard_from_caller)) for each in host.conversations]
        assert pitches == [pytest.approx(500, abs=10), pytest.approx(1_300, abs=10)]


async def test_a_blocked_microphone_is_explained_and_typing_goes_on(host: TestHost) -> None:
    async with serving(host) as url, browser_caller("denied") as browser:
        page = await browser.open(url)
        await page.press("Start talking")
        title, text = await page.problem()
        assert title == "The microphone is blocked"
        assert "address bar" in text

        await page.press("Go on by typing")
        await page.page.wait_for_selector("body[data-phase=in-call]")
        await _disclosed(host.conversations[0])
        await page.type("Hello")
        await _until(lambda: host.conversations[0].texts == ["Hello"])


async def test_a_machine_without_a_microphone_is_told_so(host: TestHost) -> None:
    async with serving(host) as url, browser_caller("none") as browser:
        page = await browser.open(url)
        await page.press("Start talking")

        assert (await page.problem())[0] == "No microphone was found"
        assert host.conversations == []


async def test_a_browser_that_hides_its_addresses_gets_through(host: TestHost) -> None:
    async with serving(host) as url, browser_caller("none", hide_addresses=True) as browser:
        page = await browser.open(url)
        await page.start(typing=True)
        heard = await page.until_heard(1_000)

        assert heard.loudness().max() > 2_000


async def test_a_page_that_is_not_secure_says_so(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        await page.page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
        await page.press("Start talking")
        title, text = await page.problem()

        assert title == "The microphone needs a secure page"
        assert "https://" in text


async def test_a_refusal_is_shown_in_the_host_s_words(host: TestHost, browser: BrowserCaller) -> None:
    host.refuse_with = Refusal("capacity", "All lines are busy. Please try again in a minute.")
    async with serving(host) as url:
        page = await browser.open(url)
        await page.press("Start talking")
        title, text = await page.problem()

        assert title == "The twin cannot take your call right now"
        assert "All lines are busy." in text
        host.refuse_with = None
        await page.press("Try again")
        await page.page.wait_for_selector("body[data-phase=in-call]")


async def test_a_server_that_is_gone_is_explained(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
    await page.press("Start talking")

    assert (await page.problem())[0] == "The twin does not answer"


async def test_a_broken_connection_is_tried_again_once_by_itself(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        await page.start()
        await page.page.get_by_text("0:06").wait_for()
        await page.page.evaluate("peerOfTest.close()")
        await page.page.get_by_text("Called again").wait_for()
        await page.page.wait_for_selector("body[data-phase=in-call]")

        marks = await page.page.locator(".mark").all_inner_texts()
        assert marks == ["Call started", "Connection lost, calling again", "Called again"]
        assert len(host.conversations) == 2


async def test_a_killed_server_is_noticed_and_called_again_when_it_is_back(browser: BrowserCaller) -> None:
    async with served_apart() as (url, process):
        page = await browser.open(url)
        await page.start()
        process.kill()
        title, text = await page.problem()

    assert title == "The connection was lost"
    assert "call again" in text
    async with served_apart(int(url.rpartition(":")[2])):
        await page.press("Call again")
        await page.page.wait_for_selector("body[data-phase=in-call]")
        assert (await page.until_heard(500)).loudness().max() > 2_000


async def test_a_whole_call_by_keyboard_alone(host: TestHost, browser: BrowserCaller) -> None:
    async with serving(host) as url:
        page = await browser.open(url)
        keys = page.page.keyboard
        await keys.press("Tab")
        assert await page.page.evaluate("document.activeElement.id") == "start"
        outline = await page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await keys.press("Enter")
        await page.page.wait_for_selector("body[data-phase=in-call]")
        assert await page.page.evaluate("document.activeElement.id") == "mute"
        await keys.press("Space")
        assert await page.page.get_attribute("#mute", "aria-pressed") == "true"
        await keys.press("Alt+m")
        assert await page.page.get_attribute("#mute", "aria-pressed") == "false"
        visited = []
        for _ in range(6):
            await keys.press("Tab")
            visited.append(await page.page.evaluate("document.activeElement.id"))
        assert visited[:4] == ["hang-up", "scroller", "words", "send"], "and no trap after it"
        await keys.press("Alt+h")
        await page.until_ended()
        assert await page.page.evaluate("document.activeElement.id") == "start"


@pytest.mark.parametrize(("width", "height"), [(320, 568), (375, 667), (667, 375), (1200, 800)])
async def test_it_fits_every_screen(host: TestHost, browser: BrowserCaller, width: int, height: int) -> None:
    async with serving(host) as url:
        page = await browser.open(url, width=width, height=height, reduced_motion=True)
        await page.start()
        host.conversations[0].call.tell(Caption("twin", "Donaudampfschifffahrtsgesellschaft" * 5, 1))
        await page.until_caption("twin", "Donau")

        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.page.evaluate(overflow) == 0
        assert await page.page.locator("#hang-up").is_visible()
        await page.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        box = await page.page.locator(".notice").bounding_box()
        assert box is not None
        assert box["y"] == 0, "the notice never scrolls away"
        assert await page.page.evaluate("document.getAnimations().length") == 0


async def test_models_on_their_way_are_shown_until_they_are_there(host: TestHost, browser: BrowserCaller) -> None:
    model: dict[str, object] = {
        "name": "whisper base",
        "state": "downloading",
        "done_bytes": 20_000_000,
        "total_bytes": 80_000_000,
    }
    status = {"name": "Ada Example", "models": [model], "notices": [], "engines": {"speech": "pocketsphinx"}}
    async with serving(host, status=lambda: status) as url:
        page = await browser.open(url)
        await page.page.get_by_text("Fetching the model whisper base: 20 of 80 MB").wait_for()
        assert await page.page.locator("progress").evaluate("bar => bar.value / bar.max") == 0.25
        model["state"] = "ready"
        await page.page.locator("#notices").wait_for(state="hidden")
        assert page.complaints == []
