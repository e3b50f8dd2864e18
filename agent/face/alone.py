"""The face of a command that makes a film: the one of the calls, without a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.archive import opened
from agent.face.enrolled import invented, likeness
from agent.face.lineup import illustrated
from agent.face.making import Making
from agent.face.permitted import Permitted
from agent.home import Home
from agent.settings import Settings
from avatar.rig import Rig
from compliance.errors import ConsentMissing
from compliance.likeness.statement import EVERYWHERE, Use

CLOSE_LIMIT_S = 5.0


@asynccontextmanager
async def alone(home: Home, settings: Settings, owner: str, use: Use) -> AsyncIterator[Rig]:
    """The chosen face, loaded. Where the calls have none (`none`), it is the illustrated one.

    Should the consent to the owner's likeness end meanwhile, it turns into the drawn one at once, and what was
    made of it is not to be kept: leaving raises `ConsentMissing`. Raises `ConsentMissing`, `FaceUnfit`,
    `EngineMissing`, `SettingsError` and `VaultError`: one line each.
    """
    engine, making = settings.face.engine, Making(settings.face, home.path / "cache")
    if engine == "head" and (nobody := await invented(home.path)) is not None:
        yield (await asyncio.to_thread(making.make, "head", nobody, "the enrolled head")).rig
        return
    drawn = (await asyncio.to_thread(illustrated, settings.face, owner, home.path / "cache")).rig
    if engine not in ("portrait", "head"):
        yield drawn
        return
    async with opened(home) as archive:
        permits = archive.permits
        permit = permits.permit("face", use, settings.consent.jurisdiction or EVERYWHERE)
        kept = await likeness(archive.clones, engine)
        if kept is None:
            raise ConsentMissing(
                f"no face is enrolled for [face] engine = {engine}; give one: twin enroll face FILE"
            )
        own = (await asyncio.to_thread(making.make, *kept, "the enrolled face")).rig
        watching = asyncio.create_task(permits.watch(), name="watch the owner's consent")
        try:
            yield Permitted(own, drawn, permit)
            await permits.refresh()
            if not permit.valid:
                raise ConsentMissing("The consent to show the owner ended meanwhile; what was made is not kept.")
        finally:
            watching.cancel()
            await asyncio.wait([watching], timeout=CLOSE_LIMIT_S)
