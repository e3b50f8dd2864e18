"""`python -m persona.voice.server --engine xtts --model FOLDER`: says its port in a line of JSON, then serves.

The bearer token comes from the environment (TWIN_VOICE_TOKEN). It exits with 69 when the model cannot be used, and
with 70 when only a new process can help; its supervisor knows what to do.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from compliance.errors import TwinError
from persona.voice.server import app
from persona.voice.server.device import pick_device
from persona.voice.server.engine import ENGINES, Setup, SpeechModel, make
from persona.voice.server.worker import Limits, Worker

TOKEN = "TWIN_VOICE_TOKEN"
UNUSABLE, BROKEN = 69, 70
_WATCH_S = 0.5
_SEND_BUFFER_BYTES = 256 * 1024
"""Of the kernel, per connection; its own choice would hide a client that does not read for a minute of sound."""


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m persona.voice.server", description="One voice for all calls.")
    parser.add_argument("--engine", required=True, help=f"{', '.join(ENGINES)}, or module:class")
    parser.add_argument("--model", type=Path, default=Path(), help="the folder of the weights")
    parser.add_argument("--host", default="127.0.0.1", help="another than this machine's own needs a token")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=0, help="on the CPU; 0: half of the cores, pocket one")
    parser.add_argument("--language", default="en", help="of the warm-up, and of a model that has only one")
    parser.add_argument("--waiting", type=int, default=Limits().waiting, help="sentences that may wait")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    return parser.parse_args(given)


def main() -> int:
    """Serve until told to stop."""
    given = arguments(sys.argv[1:])
    token = os.environ.pop(TOKEN, "")
    # The weights were fetched and their licence accepted before; a library must not go and look for more.
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    if not token and not ipaddress.ip_address(given.host).is_loopback:
        raise SystemExit(f"error: set {TOKEN} to be reached from other machines")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        device = pick_device(given.device)
        model = make(given.engine, Setup(given.model, device, given.threads, given.language))
    except TwinError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return UNUSABLE
    return asyncio.run(_serve(given, token, model))


async def _serve(given: argparse.Namespace, token: str, model: SpeechModel) -> int:
    server: uvicorn.Server
    status = 0
    loop = asyncio.get_running_loop()

    def broken(why: str) -> None:
        nonlocal status
        sys.stderr.write(f"error: {why}\n")
        status = UNUSABLE if worker.state == "failed" else BROKEN
        loop.call_soon_threadsafe(setattr, server, "should_exit", True)

    worker = Worker(model, limits=Limits(waiting=given.waiting), language=given.language, broken=broken)
    application = app.build(worker, model=given.engine, token=token)
    config = uvicorn.Config(application, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server((given.host, given.port))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    sys.stdout.write(json.dumps({"port": listening.getsockname()[1], "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # a library that prints must not fill a pipe that nobody reads any more
    if given.until_stdin_closes:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    worker.start()
    watching = asyncio.create_task(_watch(worker), name="watch the model")
    try:
        await server.serve(sockets=[listening])
    finally:
        watching.cancel()
        await asyncio.to_thread(worker.close)
    return status


async def _watch(worker: Worker) -> None:
    while True:
        await asyncio.sleep(_WATCH_S)
        worker.expire()
        if worker.hangs:
            sys.stderr.write("error: the model hangs\n")
            os._exit(BROKEN)  # its thread cannot be ended in any other way


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a library's thread that does not end must not keep the process
