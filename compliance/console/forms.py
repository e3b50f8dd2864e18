"""Posted forms, read within limits: what is too large, too slow or not a form never reaches a page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from compliance.errors import RequestError

FORM_BYTES = 65_536
FORM_FIELDS = 200
_WAIT_S = 10.0
"""A form is a few kilobytes; who takes longer to send it holds a socket open for nothing."""


class FormRefused(RequestError):
    """The body is not a form we take; `status` says why in HTTP's terms."""

    code = "form"

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Form(Mapping[str, str]):
    """The fields of a posted form; the first of each name counts."""

    def __init__(self, fields: list[tuple[str, str]] | None = None) -> None:
        self._fields = fields or []

    def __getitem__(self, name: str) -> str:
        for key, value in self._fields:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._fields))

    def __len__(self) -> int:
        return len(dict(self._fields))

    def all(self, name: str) -> list[str]:
        """Every value of a name, for check boxes."""
        return [value for key, value in self._fields if key == name]

    def need(self, name: str, otherwise: str, *, longest: int = 200) -> str:
        """The text of a field, trimmed. Raises `RequestError` saying `otherwise` when it is empty or longer."""
        text = self.get(name, "").strip()
        if not text or len(text) > longest:
            raise RequestError(otherwise)
        return text


async def read_form(request: Request, *, limit_bytes: int = FORM_BYTES) -> Form:
    """The urlencoded form of a POST. Raises `FormRefused`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != (
        "application/x-www-form-urlencoded"
    ):
        raise FormRefused(415, "This address takes forms only.")
    body = await read_body(request, limit_bytes=limit_bytes, limit_s=_WAIT_S)
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS
        )
    except ValueError:
        raise FormRefused(400, "The form is damaged; load the page again.") from None
    if any("\x00" in value for _, value in fields):
        # PostgreSQL keeps no such character, and no form of ours sends one.
        raise FormRefused(400, "The form is damaged; load the page again.")
    return Form(fields)


async def read_body(request: Request, *, limit_bytes: int, limit_s: float) -> bytes:
    """The whole body. Raises `FormRefused` when it is larger, or takes longer to arrive."""
    too_large = FormRefused(413, f"This is larger than the {limit_bytes} bytes that are taken here.")
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()) or len(announced) > 15 or int(announced) > limit_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limit_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise too_large
    except TimeoutError:
        raise FormRefused(408, "This took too long to arrive.") from None
    except ClientDisconnect:
        raise FormRefused(400, "The connection ended before everything had arrived.") from None
    return bytes(body)
