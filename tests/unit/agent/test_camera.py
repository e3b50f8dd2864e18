import asyncio
import io
import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

import agent.camera as module
from agent.camera import Still, Wishes, camera, sound_of
from agent.camera_window import Window
from agent.home import Home
from agent.serve import Plan
from agent.settings import Settings
from agent.terminal_keys import Keys
from avatar.picture import Picture
from channels.call import Caption, Notice, Status
from channels.camera.port_audio import PortAudioSound
from channels.camera.pulse_sound import PulseSound
from channels.camera.settings import CameraSettings
from compliance.errors import SettingsError
from tests.doubles.sound import HandSound


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def window(written: io.StringIO) -> Window:
    return Window(Console(file=written, width=200, highlight=False))


def test_the_window_says_what_to_choose_and_how_to_be_there(window: Window, written: io.StringIO) -> None:
    window.ready("Ada Lovelace", HandSound(), "AI twin")
    text = written.getvalue()
    assert "camera      AI twin" in text
    assert "a microphone" in text
    assert "Ada Lovelace's AI twin" in text
    assert "ask the host first" in text
    assert "Zoom" in text


def test_the_window_shows_what_happens_and_no_words_of_anybody(window: Window, written: io.StringIO) -> None:
    window.told(Status("disclosing"))
    window.told(Status("listening"))
    window.told(Status("speaking"))
    window.told(Status("listening"))
    window.told(Caption("caller", "a secret", 1))
    window.told(Notice("fallback", "[bold] another engine"))
    assert written.getvalue().split("\n") == [
        "  the announcement sounds",
        "  it listens",
        "  [bold] another engine",
        "",
    ]


def test_devices_are_made_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    named = Settings(camera=CameraSettings(plays_into="a", listens_to="b"))
    monkeypatch.setattr(module, "by_default", lambda: False)
    assert isinstance(sound_of(Settings(), {}), PulseSound)
    assert isinstance(sound_of(named, {}), PortAudioSound)
    monkeypatch.setattr(module, "by_default", lambda: True)
    assert isinstance(sound_of(named, {}), PortAudioSound)
    with pytest.raises(SettingsError, match="plays_into"):
        sound_of(Settings(), {})


class Shown:
    """A camera that keeps what it was shown."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.seen = asyncio.Event()

    async def show(self, width: int, height: int, i420: bytes) -> None:
        self.pictures.append(i420)
        self.seen.set()


class Resting:
    """Faces of which one is loaded, which is grey."""

    class Loaded:
        class rig:  # noqa: N801  an attribute of the real one
            @staticmethod
            def blank() -> Picture:
                return Picture(64, 64)

            @staticmethod
            def draw(controls: object, picture: Picture) -> None:
                picture.y.fill(90)

    loaded: type[Loaded] | None = Loaded


async def test_until_it_begins_the_face_at_rest_is_shown_with_its_mark() -> None:
    screen, faces = Shown(), Resting()
    async with Still(cast(Any, screen), cast(Any, faces), Settings()):
        await asyncio.wait_for(screen.seen.wait(), 5)
    assert len(set(screen.pictures[0][: 64 * 64])) > 1, "the face alone is of one grey"


async def test_without_a_face_or_a_camera_nothing_is_shown() -> None:
    screen, faces = Shown(), Resting()
    faces.loaded = None
    async with Still(cast(Any, screen), cast(Any, faces), Settings()):
        await asyncio.sleep(0.02)
    async with Still(None, cast(Any, faces), Settings()):
        await asyncio.sleep(0)
    assert screen.pictures == []


@pytest.mark.parametrize(("pressed", "begins"), [("xm\n", True), ("q", False), ("mq\n", False)])
async def test_enter_begins_q_does_not_and_other_keys_say_nothing(pressed: str, begins: bool) -> None:
    keys = Keys()
    wishes = Wishes(keys)
    for key in pressed:
        keys.press(key)
    assert await wishes.begin() is begins
    await wishes.close()


async def test_a_signal_is_a_q() -> None:
    wishes = Wishes(Keys())
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(wishes.next(), 5) == "q"
    await wishes.close()


async def test_the_second_signal_ends_the_process_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    wishes = Wishes(Keys())
    wishes.leave()
    assert ended == []
    wishes.leave()
    assert ended == [1]
    await wishes.close()


async def test_without_a_terminal_it_begins_at_once_or_not_at_all(tmp_path: Path, window: Window) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    plan = Plan(Home(tmp_path), Settings(), {})
    with pytest.raises(SettingsError, match="--now"):
        await camera(plan, window, Keys(nothing))
    os.close(nothing)
