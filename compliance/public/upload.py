"""Taking a file from a stranger: one, within limits of size and time, and gone again when it was looked at."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from compliance.console.forms import FormRefused

FIELD = "file"
LIMIT_S = 60.0
_AROUND_BYTES = 4_096
"""The form around a file."""


@asynccontextmanager
async def uploaded(request: Request, *, limit_bytes: int, limit_s: float = LIMIT_S) -> AsyncIterator[Path]:
    """The file of a form, in a folder of its own until the block is left, under a name of ours.

    Raises `FormRefused`.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="twin-verify-"))
    try:
        async with asyncio.timeout(limit_s):
            form = await _form(request, limit_bytes)
            try:
                path = await _kept(form, folder, limit_bytes)
            finally:
                await form.close()
        yield path
    except TimeoutError:
        raise FormRefused(408, "This took too long to arrive.") from None
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _form(request: Request, limit_bytes: int) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise FormRefused(415, "Send a file with the form.")
    too_large = FormRefused(413, f"The file is larger than the {limit_bytes // 1_000_000} MB that are taken here.")
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or len(announced) > 15 or int(announced) > limit_bytes + _AROUND_BYTES:
        raise too_large
    taken = 0

    async def counted() -> AsyncGenerator[bytes, None]:
        nonlocal taken
        async for chunk in request.stream():
            taken += len(chunk)
            if taken > limit_bytes + _AROUND_BYTES:
                raise too_large
            yield chunk

    parser = MultiPartParser(request.headers, counted(), max_files=1, max_fields=4)
    try:
        return await parser.parse()
    except (MultiPartException, KeyError):
        raise FormRefused(400, "The form is damaged; choose one file and send it again.") from None
    except ClientDisconnect:
        raise FormRefused(400, "The connection ended before everything had arrived.") from None


async def _kept(form: FormData, folder: Path, limit_bytes: int) -> Path:
    upload = form.get(FIELD)
    if not isinstance(upload, UploadFile) or not upload.size:
        raise FormRefused(400, "Choose a file first.")
    if upload.size > limit_bytes:
        raise FormRefused(413, f"The file is larger than the {limit_bytes // 1_000_000} MB that are taken here.")
    path = folder / "file"
    await asyncio.to_thread(_write, upload, path)
    return path


def _write(upload: UploadFile, path: Path) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(upload.file, file)
