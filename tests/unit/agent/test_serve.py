"""`twin serve` as a process: what it says, that it answers, and how it stops."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from agent import greeting
from agent.engines.lineup import Lineup, ModelState
from agent.greeting import Terminal
from agent.home import Home
from agent.serve import address, listen
from agent.settings import Settings
from compliance.errors import SettingsError
from persona.home import demo
from tests.unit.agent.command import serving


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_who_and_where_answers_and_ends_well(how: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path) as twin:
        assert "Martin Alder's AI twin is ready" in twin.block
        for engine in ("pocketsphinx", "grounded", "espeak", "TWILIO_AUTH_TOKEN", "twin operator add NAME"):
            assert engine in twin.block
        with httpx.Client(base_url=twin.address, trust_env=False) as browser:
            assert browser.get("/readyz").text == "ok"
            assert "Martin Alder" in browser.get("/").text
        assert twin.stop(how) == 0
        assert "Traceback" not in twin.err
        assert "error" not in twin.err


def test_several_workers_share_the_port_and_end_together(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as twin:
        assert "workers   2" in twin.block
        with httpx.Client(base_url=twin.address, trust_env=False) as browser:
            assert browser.get("/readyz").text == "ok"
        assert twin.stop() == 0
        assert "Traceback" not in twin.err


def test_workers_that_cannot_start_end_with_an_error(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2", TWIN_VOICE__ENGINE="elevenlabs") as twin:
        assert twin.block == ""
        twin.process.wait(timeout=60)
        assert twin.process.returncode == 1
        assert twin.process.stderr is not None
        err = twin.process.stderr.read()
        assert "ELEVENLABS_API_KEY" in err
        assert err.splitlines()[-1].startswith("error: ")
        assert "Traceback" not in err


def test_an_address_that_others_can_reach_is_warned_of(tmp_path: Path) -> None:
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=200))
    settings = Settings.model_validate({"server": {"host": "192.0.2.1", "workers": 2}})
    terminal.workers_ready("Ada", Home(tmp_path), "http://192.0.2.1:7860", settings, phone=False, nobody=True)
    assert "warning" in out.getvalue()
    assert "not connected" in out.getvalue()
    assert "[web] allowed_origins" in out.getvalue()
    out.truncate(0)
    terminal.workers_ready("Ada", Home(tmp_path), "http://127.0.0.1:7860", Settings(), phone=False, nobody=False)
    assert "warning" not in out.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_who_may_sign_in_is_asked_only_while_nobody_may(is_terminal: bool, tmp_path: Path) -> None:
    def shown(nobody: bool) -> str:
        out = io.StringIO()
        terminal = Terminal(Console(file=out, width=200, force_terminal=is_terminal, color_system=None))
        terminal.workers_ready(
            "Ada", Home(tmp_path), "http://127.0.0.1:7860", Settings(), phone=False, nobody=nobody
        )
        return out.getvalue()

    assert f"twin operator add NAME --role owner --home {tmp_path}" in shown(nobody=True)
    assert "operator add" not in shown(nobody=False)


def test_a_narrow_window_folds_hints_below_themselves_and_leaves_paths_whole(tmp_path: Path) -> None:
    out = io.StringIO()
    home = Home(tmp_path / ("deep" * 20))
    terminal = Terminal(
        Console(file=out, width=80, force_terminal=True, color_system=None, highlight=False, soft_wrap=True)
    )
    terminal.workers_ready("Ada", home, "http://127.0.0.1:7860", Settings(), phone=False, nobody=True)
    lines = out.getvalue().splitlines()
    phone = next(number for number, line in enumerate(lines) if line.startswith("  phone"))
    hint = lines[phone].index("set TWILIO")
    assert lines[phone + 1][:hint].isspace()
    assert not lines[phone + 1][hint].isspace()
    assert any(str(home.path) in line for line in lines if line.startswith("  home"))


async def test_models_are_followed_until_they_are_here_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "LOOK_EVERY_S", 0.0)
    lineup = Lineup(Settings(), {}, demo(), cache=tmp_path)
    first, second = ModelState("base", "absent"), ModelState("other", "fetching")
    lineup.models += [first, second]
    out = io.StringIO()
    showing = asyncio.create_task(Terminal(Console(file=out, width=200)).models(lineup))

    async def reaches(text: str) -> None:
        async with asyncio.timeout(10):
            while text not in out.getvalue():  # noqa: ASYNC110  the terminal announces nothing
                await asyncio.sleep(0)

    first.state, first.total_bytes = "fetching", 100_000_000
    await reaches("fetching Whisper base: 0 of 100 MB")
    first.done_bytes = 60_000_000
    await reaches("fetching Whisper base: 60 of 100 MB")
    first.state = "ready"
    await reaches("Whisper base is here")
    second.state, second.why = "failed", "no internet"
    await asyncio.wait_for(showing, 10)
    assert "no internet" in out.getvalue()


def test_a_listener_has_an_address_to_type_and_is_exclusive() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address(listener) == f"http://127.0.0.1:{port}"
        with pytest.raises(SettingsError, match="--port"):
            listen("127.0.0.1", port)


def test_a_frame_of_sound_does_not_wait_for_the_receipt_of_the_one_before() -> None:
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname(), timeout=10),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_ipv6_address_is_written_for_browsers() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listener = listen("::1", 0)
    except SettingsError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert address(listener).startswith("http://[::1]:")
