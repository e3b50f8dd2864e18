"""A LiveKit server's `/agent` endpoint: it registers workers, offers them jobs, and notes what they answer.

It speaks the protocol of `livekit-protocol` over a real websocket; there are no rooms behind it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import Any, Self

from aiohttp import WSMsgType, web

ANSWER_S = 20.0


class AgentEndpoint:
    """One server. `workers` are those that are connected now."""

    def __init__(self) -> None:
        self.registered: asyncio.Queue[str] = asyncio.Queue()
        """The agent name of each worker that came."""
        self.statuses: list[Any] = []
        """Every `UpdateWorkerStatus`."""
        self.jobs: dict[str, list[str]] = {}
        """The states that workers reported, by job."""
        self.reported = asyncio.Event()
        """Set with each of them."""
        self.url = ""
        self._sockets: list[web.WebSocketResponse] = []
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._runner: web.AppRunner

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/agent", self._serve)
        app.router.add_post("/twirp/{service}/{method}", self._refuse)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def offer(self, room: str, *, agent_name: str = "twin", metadata: str = "") -> Any:
        """Offer a room and return the worker's answer; one that accepts is assigned the job."""
        from livekit.protocol import agent

        job = agent.Job(id=f"AJ_{secrets.token_hex(6)}", agent_name=agent_name, metadata=metadata)
        job.room.name = room
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[job.id] = answer
        await self._send(agent.ServerMessage(availability=agent.AvailabilityRequest(job=job)))
        async with asyncio.timeout(ANSWER_S):
            told = await answer
        if told.available:
            await self._send(agent.ServerMessage(assignment=agent.JobAssignment(job=job, token="assigned")))
        return told

    async def terminate(self, job: str) -> None:
        """Have the worker end a job."""
        from livekit.protocol import agent

        await self._send(agent.ServerMessage(termination=agent.JobTermination(job_id=job)))

    async def drop(self) -> None:
        """Lose the connection to everybody."""
        for socket in tuple(self._sockets):
            await socket.close()

    async def status_of(self, job: str, *states: str) -> None:
        """Wait until a job was reported in one of these states."""
        async with asyncio.timeout(ANSWER_S):
            while not set(states) & set(self.jobs.get(job, ())):
                self.reported.clear()
                await self.reported.wait()

    async def _send(self, message: Any) -> None:
        await self._sockets[-1].send_bytes(message.SerializeToString())

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        from livekit.protocol import agent

        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await self._take(socket, agent.WorkerMessage.FromString(message.data))
        finally:
            self._sockets.remove(socket)
        return socket

    async def _take(self, socket: web.WebSocketResponse, message: Any) -> None:
        from livekit.protocol import agent

        match message.WhichOneof("message"):
            case "register":
                answer = agent.RegisterWorkerResponse(worker_id=f"AW_{secrets.token_hex(6)}")
                await socket.send_bytes(agent.ServerMessage(register=answer).SerializeToString())
                self.registered.put_nowait(message.register.agent_name)
            case "availability":
                self._answers.pop(message.availability.job_id).set_result(message.availability)
            case "update_worker":
                self.statuses.append(message.update_worker)
                self.reported.set()
            case "update_job":
                state = agent.JobStatus.Name(message.update_job.status)
                self.jobs.setdefault(message.update_job.job_id, []).append(state)
                self.reported.set()

    async def _refuse(self, request: web.Request) -> web.Response:
        """There are no rooms: what is asked of them is answered as by a server without any."""
        if request.match_info["method"] == "ListRooms":
            return web.Response(body=b"", content_type="application/protobuf")
        return web.json_response({"code": "not_found", "msg": "no such room"}, status=404)


def prewarm(process: Any) -> None:
    """Of a room's process that holds no house."""


async def serve(context: Any) -> None:
    """A room that lasts until its process is told to end; its metadata may say that it `dies` or `ends`."""
    if context.job.metadata == "dies":
        os._exit(3)
    if context.job.metadata == "ends":
        context.shutdown("over")
