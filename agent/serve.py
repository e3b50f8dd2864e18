"""`twin serve`: the address, the server, its signals, and what the terminal is told."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors.multiprocess import Multiprocess

from agent import logs
from agent.greeting import Terminal
from agent.home import VARIABLE, Home, find
from agent.house import House
from agent.operators import anybody
from agent.server import application
from agent.settings import Settings, environment, load
from compliance.console.operators import Operators
from compliance.errors import EngineFailed, SettingsError, TwinError

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AFTER_DRAIN_S = 20.0
"""How long everything may take to stop once the calls are over; then the process is ended as it is."""
CLOSE_SOCKETS_S = 3
PING_EVERY_S = 20.0
WORKERS_READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be served, read and checked."""

    home: Home
    settings: Settings
    environment: Mapping[str, str]


def plan(
    named: Path | None, *, host: str | None = None, port: int | None = None, workers: int | None = None
) -> Plan:
    """Read the home and its settings; what is given here goes before both. Raises `TwinError`: one line."""
    home = find(named, os.environ)
    settings = load(home.path)
    given = {
        key: value for key, value in (("host", host), ("port", port), ("workers", workers)) if value is not None
    }
    if given:
        settings = settings.model_copy(update={"server": settings.server.model_copy(update=given)})
    return Plan(home, settings, environment(home.path))


def serve(chosen: Plan, terminal: Terminal) -> None:
    """Serve until SIGINT or SIGTERM, then let the calls end. Raises `TwinError` when it cannot start."""
    server = chosen.settings.server
    listener = listen(server.host, server.port)
    with _signals_end_well(), listener:
        if server.workers > 1:
            _serve_workers(chosen, listener, terminal)
        else:
            _serve_here(chosen, listener, terminal)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `SettingsError` when the address is taken or not one of this machine."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
        # asyncio does this only to sockets that know their protocol, and those that are accepted from this one do
        # not. Without it a frame of sound waits for the caller's receipt of the one before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = "something else uses this port; stop it, or choose another with --port"
        elif error.errno == errno.EACCES:
            what = "this user may not use this port; choose one above 1023 with --port"
        else:
            what = "this machine has no such address; choose another with --host"
        raise SettingsError(f"{host}:{port}: {what}") from None


def config(app: FastAPI | str, settings: Settings, *, factory: bool = False) -> uvicorn.Config:
    """How uvicorn serves us: no access log (addresses and numbers are personal), small messages, no proxy headers
    (the phone channel decides itself which proxies it believes)."""
    return uvicorn.Config(
        app,
        factory=factory,
        workers=settings.server.workers,
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.twilio.max_message_bytes,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PING_EVERY_S,
        # Audio does not compress, and deflate costs a call more than all the rest of its socket.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=CLOSE_SOCKETS_S,
    )


def _serve_here(chosen: Plan, listener: socket.socket, terminal: Terminal) -> None:
    failures: list[Exception] = []
    house = House(chosen.settings, chosen.home.persona(), chosen.environment, home=chosen.home.path)
    app = service(house, chosen.environment, failures)
    server = _Server(config(app, chosen.settings), house, chosen, terminal)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        # uvicorn's way to say that the lifespan failed; why is in `failures`.
        if not failures:
            raise
    if failures:
        raise as_error(failures[0])


class _Server(uvicorn.Server):
    """One process, which tells the terminal when it is ready and how its models come along."""

    def __init__(self, config: uvicorn.Config, house: House, chosen: Plan, terminal: Terminal) -> None:
        super().__init__(config)
        self._house = house
        self._home = chosen.home
        self._phone = bool(chosen.environment.get("TWILIO_AUTH_TOKEN"))
        self._terminal = terminal
        self._models: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            known = await Operators(self._house.vault).list()
            nobody = all(operator.state != "active" for operator in known)
            where = address(sockets[0])
            self._terminal.ready(self._house, self._home, where, phone=self._phone, nobody=nobody)
            if self._house.settings.speech.fetch:
                self._models = asyncio.create_task(self._terminal.models(self._house.lineup), name="show models")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._models is not None:
            self._models.cancel()
            await asyncio.wait([self._models], timeout=1.0)
        await super().shutdown(sockets)


def _serve_workers(chosen: Plan, listener: socket.socket, terminal: Terminal) -> None:
    # Read here as well, so that a broken home is one line and not one per worker.
    name = chosen.home.persona().profile.name
    nobody = not asyncio.run(anybody(chosen.home))
    phone = bool(chosen.environment.get("TWILIO_AUTH_TOKEN"))
    os.environ[VARIABLE] = str(chosen.home.path)
    configuration = config("agent.serve:worker", chosen.settings, factory=True)
    workers = _Workers(configuration, [listener])
    workers.told = lambda: terminal.workers_ready(
        name, chosen.home, address(listener), chosen.settings, phone=phone, nobody=nobody
    )
    workers.run()
    if any(process.exitcode == uvicorn.config.STARTUP_FAILURE for process in workers.processes):
        raise EngineFailed("the workers could not start; the lines above say why, or start one with --workers 1")


class _Workers(Multiprocess):
    """uvicorn's supervisor, which says once when all are ready."""

    told = staticmethod(lambda: None)

    def init_processes(self) -> None:
        super().init_processes()
        if all(process.wait_until_ready(WORKERS_READY_S, self.should_exit) for process in self.processes):
            self.told()


def worker() -> FastAPI:
    """What each worker process serves; its home comes in the environment."""
    logs.setup(os.environ)
    chosen = plan(None)
    house = House(chosen.settings, chosen.home.persona(), chosen.environment, home=chosen.home.path)
    failures = _Told()
    return service(house, chosen.environment, failures)


class _Told(list[Exception]):
    """Why a worker did not start, said at once: its parent cannot know."""

    def append(self, error: Exception) -> None:
        told = as_error(error)
        logger.error("worker could not start", extra={"code": told.code, "why": told.message})
        super().append(error)


def service(house: House, variables: Mapping[str, str], failures: list[Exception]) -> FastAPI:
    """The service, which drains on a signal and keeps in `failures` why it could not start or stop."""
    app = application(house, variables)
    inner = app.router.lifespan_context
    logging.getLogger("uvicorn.error").addFilter(_no_traceback)

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[Any]:
        try:
            async with inner(served) as state:
                with _draining(house):
                    yield state
        except Exception as error:  # whatever it was; it is told once the server has stopped
            failures.append(error)
            raise

    app.router.lifespan_context = lifespan
    return app


def _no_traceback(record: logging.LogRecord) -> bool:
    """A lifespan that failed reaches uvicorn as the text of a traceback; the error itself is told elsewhere."""
    return not str(record.msg).startswith(
        ("Traceback", "Application startup failed", "Application shutdown failed")
    )


@contextmanager
def _draining(house: House) -> Iterator[None]:
    """On the first signal let the calls end, and only then let uvicorn stop: it would cut their sockets at once.

    Meanwhile new callers are still answered, in words. SIGINT a second time ends the process as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    uvicorns = {sig: signal.getsignal(sig) for sig in SIGNALS}
    tasks: list[asyncio.Task[None]] = []
    asked = False

    async def drain(sig: int) -> None:
        try:
            await house.drain()
        finally:
            stop = uvicorns[signal.Signals(sig)]
            if callable(stop):
                stop(sig, None)

    def begin(sig: int) -> None:
        tasks.append(asyncio.create_task(drain(sig), name="drain"))

    def on_signal(sig: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked and sig == signal.SIGINT:
            os._exit(1)
        if not asked:
            asked = True
            _end_at_last(house.settings.limits.drain_s + AFTER_DRAIN_S)
            loop.call_soon_threadsafe(begin, sig)

    for sig in SIGNALS:
        signal.signal(sig, on_signal)
    try:
        yield
    finally:
        for sig, handler in uvicorns.items():
            signal.signal(sig, handler)
        for task in tasks:
            task.cancel()


def _end_at_last(after_s: float) -> None:
    """Whatever hangs while stopping, the process ends. What was heard is committed as it was heard."""
    timer = threading.Timer(after_s, os._exit, [1])
    timer.daemon = True
    timer.start()


@contextmanager
def _signals_end_well() -> Iterator[None]:
    """Being asked to stop is no error: exit code 0. This holds before uvicorn takes the signals over, and after it
    has stopped, when it raises the signal that stopped it once more."""
    old = {sig: signal.signal(sig, lambda *_: sys.exit(0)) for sig in SIGNALS}
    try:
        yield
    finally:
        for sig, handler in old.items():
            signal.signal(sig, handler)


def address(listener: socket.socket) -> str:
    """What to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def as_error(error: Exception) -> TwinError:
    if isinstance(error, TwinError):
        return error
    told = EngineFailed(f"the twin could not start or stop ({type(error).__name__}); TWIN_DEBUG=1 shows where")
    told.__cause__ = error
    return told
