"""`twin calls export CALL -o FILE.wav`: what was recorded of a call, signed, and with what its watermark says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from agent.archive import opened
from agent.home import Home
from compliance.errors import VaultError
from compliance.origin.authority import open_authority
from compliance.origin.export import export as write
from compliance.origin.manifests import Manifests
from compliance.provenance import Claim, Provenance
from compliance.store.subject import of_call
from compliance.watermark.register import Marks


async def export(home: Home, call_id: str, file: Path, *, force: bool) -> tuple[Path, ...]:
    """Write the call's recordings, the further ones as `FILE-2.wav` and so on; what was written.

    Each says, signed, that one voice in it is an AI's, and carries the call's token, so that the manifest is found
    again by the watermark. Raises `TwinError`.
    """
    owner = home.persona().profile.name
    async with opened(home) as archive:
        vault = archive.vault
        kept = await vault.call(call_id)
        if kept is None:
            raise VaultError(f"there is no call {call_id}; `twin calls list` names them")
        found = [entry for entry in await archive.recordings.of(call_id) if entry.state != "live"]
        if not found:
            raise VaultError(f"no sound is kept of {call_id}: nobody agreed to it, or it is past its date")
        files = [file, *(file.with_stem(f"{file.stem}-{number}") for number in range(2, len(found) + 1))]
        for target in files:
            if target.exists() and not force:
                raise VaultError(f"{target}: already exists; add --force to replace it")
        token, now = await Marks(vault).of(call_id), datetime.now(UTC)
        authority = await asyncio.to_thread(open_authority, home.path, vault.master, name=owner, now=now)
        made = datetime.fromtimestamp(kept.call.started_ms / 1000, UTC)
        claim = Claim("call", owner, made, whole=False, token=token.text if token is not None else "")
        for entry, target in zip(found, files, strict=True):
            await write(
                archive.recordings,
                entry.id,
                target,
                claim,
                provenance=Provenance(authority),
                manifests=Manifests(vault),
                subject=kept.call.subject or of_call(call_id),
            )
        archive.evidence.note("exported", call_id=call_id, detail={"what": "sound"})
    return tuple(files)
