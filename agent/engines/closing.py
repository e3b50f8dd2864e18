"""Any iterator as a generator, so that it can be closed at once and not when the garbage is collected."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def closing(pieces: AsyncIterator[T]) -> AsyncGenerator[T]:
    """The same pieces; closing this closes what they come from, where that can be closed."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
