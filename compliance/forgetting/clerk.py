"""The clerk carries out what was approved: erases, or makes the copy, beside whatever else goes on.

An erasure that a killed process left is finished by the eraser; a request that was only approved is begun again
by `resume`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from pathlib import Path

from compliance.access import Access
from compliance.erasure import Eraser
from compliance.errors import RequestError, TwinError
from compliance.requests import Request, Requests

log = logging.getLogger(__name__)

_MOST = 200


class Clerk:
    """One for each process that has a console. Its tasks are ended by `close`."""

    def __init__(
        self, requests: Requests, eraser: Eraser, access: Access | None = None, *, folder: Path | None = None
    ) -> None:
        """Without `access` no copies are made. In `folder` one lies while it is made: within the home, so that an
        erasure finds what a killed process left of it."""
        self._folder = folder
        self._requests = requests
        self._eraser = eraser
        self._access = access
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._beginning: set[str] = set()

    async def carry_out(self, number: str) -> None:
        """Begin to carry out an approved request; returns at once. Raises `RequestError`."""
        if number in self._tasks or number in self._beginning:
            return
        self._beginning.add(number)
        try:
            request = await self._requests.begin(number)
        finally:
            self._beginning.discard(number)
        task = asyncio.create_task(self._carry_out(request), name=f"request {number}")
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def resume(self) -> None:
        """Begin what was approved and not begun, or left when a process was killed. Raises `VaultError`."""
        approved = await self._requests.list(state="approved", limit=_MOST)
        running = await self._requests.list(state="running", limit=_MOST)
        for request in (*approved, *running):
            await self.carry_out(request.number)

    async def package(self, number: str) -> bytes:
        """The ZIP for a request of access that was carried out. Raises `RequestError` and `VaultError`."""
        request = await self._requests.get(number)
        if self._access is None or request.kind != "access":
            raise RequestError("There is no package for this request.")
        folder = await asyncio.to_thread(self._new_folder)
        try:
            path = folder / "package.zip"
            await self._access.write(request.about, path)
            return await asyncio.to_thread(path.read_bytes)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def close(self) -> None:
        """Let go: what was begun goes on at the next start. Safe to call twice."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _new_folder(self) -> Path:
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="access-", dir=self._folder))

    async def _carry_out(self, request: Request) -> None:
        try:
            if request.kind == "erasure":
                # The eraser writes the receipt into the request, whichever process finishes it.
                await self._eraser.erase(request.about, request_id=request.number)
            else:
                ready = json.dumps({"type": "access-ready", "request": request.number})
                await self._requests.finish(request.number, receipt=ready, done=True)
        except TwinError as error:
            # It stays `running`, and is tried again at the next start or when the owner presses the button.
            log.error("a request could not be carried out", extra={"code": error.code})
