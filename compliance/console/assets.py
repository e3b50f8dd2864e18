"""The files that pages need: style, scripts, icon. They are the same for everybody, signed in or not."""

from __future__ import annotations

import asyncio
import re
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

STATIC_KEPT_S = 600
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*\.(css|js|svg)")
_PREFIX = "/static/"

routes = APIRouter()


def is_static(path: str) -> bool:
    """Whether a path is that of a file for everybody: exactly one plain name below `/static/`."""
    return path.startswith(_PREFIX) and _NAME.fullmatch(path.removeprefix(_PREFIX)) is not None


@routes.get(_PREFIX + "{name}")
async def asset(name: str) -> Response:
    """One of the files; only plain names, so nothing outside the folder can be named."""
    if not _NAME.fullmatch(name):
        raise HTTPException(404)
    file = Path(str(resources.files("compliance.console"))) / "static" / name
    try:
        data = await asyncio.to_thread(file.read_bytes)
    except FileNotFoundError:
        raise HTTPException(404) from None
    return Response(data, media_type=_TYPES[name.rpartition(".")[2]])
