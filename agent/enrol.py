"""`twin enroll`: the owner's consent to a cloned voice or face, and taking it back."""

from __future__ import annotations

from agent.archive import opened
from agent.home import Home
from compliance.errors import ConsentMissing
from compliance.likeness.statement import Likeness


async def revoke(home: Home, likeness: Likeness) -> None:
    """Revoke the consent: the clone falls silent, also where a twin serves, and its files go.

    Raises `TwinError`.
    """
    async with opened(home) as archive:
        await archive.clones.revoke(likeness)


def give(likeness: Likeness) -> None:
    """Raises `ConsentMissing`: one line that says why it cannot be given."""
    raise ConsentMissing(
        f"This version clones no {likeness}, so no consent to it can be given; the built-in {likeness} serves."
    )
