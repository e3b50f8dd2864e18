"""The twin that a probe calls: a real house on a free port of this process, with records of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from agent.house import House
from agent.serve import Plan, address, as_error, config, listen, service
from channels.call import Call, Caller, CallEvent, Caption, Channel
from channels.wire import Wire

START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0


class ProbedHouse(House):
    """A house that lets the probe look at the doors and the captions of its calls."""

    ready_ms = 0.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.begun: list[Call] = []
        self.captions: list[tuple[float, Caption]] = []
        """With the loop's time; of the call that began last."""

    def begin(self, channel: Channel, wire: Wire, caller: Caller, *, reference: str | None = None) -> Call:
        call = super().begin(channel, wire, caller, reference=reference)
        self.begun.append(call)
        self.captions = []
        clock = asyncio.get_running_loop().time

        def watch(event: CallEvent) -> None:
            if isinstance(event, Caption):
                self.captions.append((clock(), event))

        call.watchers.append(watch)
        return call

    def opening(self, rate_hz: int) -> bytes:
        """The prepared disclosure of a call that begins now, at the rate of a channel."""
        cloned = self.cloned
        openings = cloned.openings if cloned is not None and cloned.permit is not None else self.openings
        return openings.of(rate_hz, "words").disclosure.pcm


def names(house: House) -> str:
    return ", ".join(f"{what}: {name}" for what, name in house.names.items())


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the command, not to the server it probes."""
        yield


@asynccontextmanager
async def probed(chosen: Plan, folder: Path) -> AsyncIterator[tuple[ProbedHouse, str, str]]:
    """A house on a free port: its base URL, and the token that signs its phone calls."""
    token = secrets.token_hex(16)
    settings = chosen.settings.model_copy(
        update={
            "store": chosen.settings.store.model_copy(update={"url": ""}),
            "speech": chosen.settings.speech.model_copy(update={"fetch": False}),
            "limits": chosen.settings.limits.model_copy(update={"drain_s": 0.0}),
            # Nothing of a probe may reach Twilio: hanging up by REST meets a port where nobody answers.
            "twilio": chosen.settings.twilio.model_copy(
                update={"public_url": "", "api_base_url": "http://127.0.0.1:9"}
            ),
        }
    )
    models = chosen.home.path / "cache"
    models.mkdir(parents=True, exist_ok=True)
    (folder / "cache").symlink_to(models.resolve(), target_is_directory=True)
    variables = {**chosen.environment, "TWILIO_AUTH_TOKEN": token, "TWILIO_ACCOUNT_SID": ""}
    clock = asyncio.get_running_loop().time
    began = clock()
    house = ProbedHouse(settings, chosen.home.persona(), variables, home=folder)
    failures: list[Exception] = []
    listener = listen("127.0.0.1", 0)
    server = _Server(config(service(house, variables, failures), settings))
    serving = asyncio.create_task(_serve(server, listener), name="probed house")
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not server.started and not serving.done():  # noqa: ASYNC110  uvicorn announces it no other way
                await asyncio.sleep(0.01)
        if failures:
            raise as_error(failures[0])
        house.ready_ms = (clock() - began) * 1000
        yield house, address(listener), token
    finally:
        server.should_exit = True
        await asyncio.wait([serving], timeout=STOP_LIMIT_S)
        serving.cancel()
        listener.close()


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    # SystemExit is uvicorn's way to say that the house did not start; why is known.
    with suppress(SystemExit):
        await server.serve(sockets=[listener])
