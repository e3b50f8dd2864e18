"""A real LiveKit server for tests, on this machine's loopback and nowhere else."""

from __future__ import annotations

import asyncio
import datetime
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

TOOLS = Path(__file__).parent.parent / ".tools" / "bin" / "livekit-server"
START_S = 20.0
STOP_S = 5.0


class ServerEnded(Exception):
    """The server's program ended at its start."""


def program() -> str:
    """The server's path: `$LIVEKIT_SERVER`, on the PATH, or where `.ci/run` puts it. The test is skipped without;
    under `CI=true` it fails."""
    if os.environ.get("LIVEKIT_SERVER") == "none":
        pytest.skip("LIVEKIT_SERVER=none: there is no Go on this machine to build LiveKit's server with")
    found = os.environ.get("LIVEKIT_SERVER") or shutil.which("livekit-server") or shutil.which(TOOLS)
    if found:
        return found
    missing = "needs livekit-server on the PATH, or its path in LIVEKIT_SERVER"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class LiveKitServer:
    """One server and how to be let in. `start` and `stop` may be called again and again, on the same ports."""

    key: str = field(default_factory=lambda: f"key{secrets.token_hex(4)}")
    secret: str = field(default_factory=lambda: secrets.token_hex(24))
    port: int = field(default_factory=free_port)
    tcp_port: int = field(default_factory=free_port)
    udp_port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    settings: str = ""
    """Further lines of the server's YAML."""
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to be let in."""
        return {"LIVEKIT_URL": self.url, "LIVEKIT_API_KEY": self.key, "LIVEKIT_API_SECRET": self.secret}

    async def start(self) -> None:
        # Without a STUN server of its own it names others' to its clients, and each asks for their addresses.
        config = (
            f"port: {self.port}\nbind_addresses: ['127.0.0.1']\nkeys: {{{self.key}: {self.secret}}}\n"
            f"rtc: {{tcp_port: {self.tcp_port}, udp_port: {self.udp_port}, use_external_ip: false, "
            "enable_loopback_candidate: true, node_ip: 127.0.0.1, ips: {includes: [127.0.0.1/32]}, "
            f"stun_servers: ['127.0.0.1:{self.udp_port}']}}\n"
            f"logging: {{level: warn}}\n{self.settings}"
        )
        self._process = await asyncio.create_subprocess_exec(
            program(),
            "--config-body",
            config,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_S):
            while not await answers(self.port):
                if self._process.returncode is not None:
                    raise ServerEnded
                await asyncio.sleep(0.05)

    async def stop(self, *, kill: bool = False) -> None:
        """End it; `kill` as a power cut would. Safe to call twice."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            # With people in its rooms the first request only begins to drain.
            async with asyncio.timeout(STOP_S if not kill else None):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def token(
        self,
        identity: str,
        room: str,
        *,
        name: str = "",
        attributes: Mapping[str, str] | None = None,
        kind: Literal["", "agent", "sip", "egress", "ingress"] = "",
        ttl_s: float = 3_600.0,
        dispatch: str = "",
        metadata: str = "",
        **grants: Any,
    ) -> str:
        """A join token. `dispatch` names an agent that is to come too; `grants` are of
        `livekit.api.VideoGrants`."""
        from livekit import api

        allowed = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True, **grants)
        token = (
            api.AccessToken(self.key, self.secret)
            .with_identity(identity)
            .with_name(name)
            .with_ttl(datetime.timedelta(seconds=ttl_s))
            .with_attributes(dict(attributes or {}))
            .with_grants(allowed)
        )
        if kind:
            token = token.with_kind(kind)
        if dispatch:
            agents = [api.RoomAgentDispatch(agent_name=dispatch, metadata=metadata)]
            token = token.with_room_config(api.RoomConfiguration(agents=agents))
        return str(token.to_jwt())

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Any]:
        """A `livekit.api.LiveKitAPI` for this server."""
        from livekit import api

        client = api.LiveKitAPI(self.url.replace("ws", "http", 1), self.key, self.secret)
        try:
            yield client
        finally:
            await client.aclose()


@asynccontextmanager
async def livekit_server(settings: str = "") -> AsyncIterator[LiveKitServer]:
    """A running server; see `program` for where it comes from."""
    pytest.importorskip("livekit.rtc")
    program()
    server = LiveKitServer(settings=settings)
    try:
        try:
            await server.start()
        except ServerEnded:
            # Somebody else took one of its ports since they were seen to be free.
            server = LiveKitServer(settings=settings)
            await server.start()
        yield server
    finally:
        await server.stop()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
