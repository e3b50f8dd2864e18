"""A LiveKit server for tests, where its program is installed."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest

KEY, SECRET = "devkey", "a secret that is long enough for a test of this kind"
START_S = 20.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def livekit_server() -> AsyncIterator[str]:
    """Its address; the test is skipped where there is no `livekit-server` (or `$LIVEKIT_SERVER`)."""
    program = os.environ.get("LIVEKIT_SERVER") or shutil.which("livekit-server")
    if program is None:
        pytest.skip("needs livekit-server on the PATH")
    pytest.importorskip("livekit.rtc")
    port = free_port()
    config = (
        f"port: {port}\nbind_addresses: ['127.0.0.1']\nkeys: {{{KEY}: {SECRET}}}\n"
        f"rtc: {{tcp_port: {free_port()}, udp_port: {free_port(socket.SOCK_DGRAM)}, use_external_ip: false, "
        "enable_loopback_candidate: true, node_ip: 127.0.0.1, ips: {includes: [127.0.0.1/32]}}\n"
        "logging: {level: warn}\n"
    )
    process = await asyncio.create_subprocess_exec(
        program, "--config-body", config, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(START_S):
            while not await answers(port):
                assert process.returncode is None, "the server ended"
                await asyncio.sleep(0.05)
        yield f"ws://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
