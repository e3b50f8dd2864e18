"""The owner's voice at providers: made under a consent, and deleted with it.

Every voice is named after this home's signing key. So what this home made at a provider is found there by asking,
also when this process died before it could write down an id, and after the owner's own rows are erased.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from compliance.errors import TwinError
from compliance.likeness.permits import OWNER
from compliance.likeness.statement import EVERYWHERE, Use
from persona.voice.cloud import PROVIDERS, Cloud, Sample, cloud

if TYPE_CHECKING:
    from agent.archive import Archive

KIND = "cloud_voices"
"""In the vault, about the owner: at which providers there may be voices, as a JSON list of their names."""


def provider(engine: str, environment: Mapping[str, str]) -> Cloud | None:
    """The provider of that name; None for none. Raises `SettingsError` and `EngineMissing`."""
    return cloud(engine, environment) if engine else None


def prefix_of(archive: Archive) -> str:
    """What the names of this home's voices begin with."""
    return f"ai-twin {archive.signer.key_id[:16]}"


async def make(archive: Archive, at: Cloud, sample: Sample, consent_id: str, uses: Sequence[Use]) -> str:
    """Clone there, and return the voice's id. Raises `ConsentMissing`, `EngineError` and `VaultError`."""
    try:
        await archive.permits.refresh()
        territory = archive.settings.consent.jurisdiction or EVERYWHERE
        permit = archive.permits.permit("voice", uses[0], territory)
        # Before anything is sent: whatever happens then, a revocation knows where to look.
        await _remember(archive, {*await _known(archive), at.name})
        return await at.clone(f"{prefix_of(archive)} {consent_id[:8]}", sample, permit)
    finally:
        await at.close()


async def delete(archive: Archive, environment: Mapping[str, str], *, but: tuple[str, str] = ("", "")) -> None:
    """Delete this home's voices at all providers, except one (provider, id).

    All are tried; then the first error is raised, and the next time those that are left are tried again.
    """
    left = {but[0]} if but[0] else set[str]()
    failed: TwinError | None = None
    for name in sorted(await _known(archive)):
        try:
            await _delete_at(cloud(name, environment), prefix_of(archive), keep=but[1] if name == but[0] else "")
        except TwinError as error:
            left.add(name)
            failed = failed or error
    await _remember(archive, left)
    if failed is not None:
        raise type(failed)(f"the voice may still be at a provider: {failed.message}; then revoke it once more")


class ClonedVoices:
    """One provider's copies, as `compliance.forgetting.stores.Copies` asks for them: for the owner's erasure."""

    def __init__(self, name: str, environment: Mapping[str, str], prefix: Callable[[], str]) -> None:
        """`prefix` is asked when it is needed: the signing key is not known before the archive is open."""
        self.name = name
        self._environment = environment
        self._prefix = prefix

    async def erase(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        """Delete the owner's voices there; how many. Nobody else has any. Raises `EngineError`."""
        if OWNER not in subjects:
            return 0
        return await _delete_at(cloud(self.name, self._environment), self._prefix())

    async def left(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        """How many are still there, by asking again. Raises `EngineError`."""
        if OWNER not in subjects:
            return 0
        there = cloud(self.name, self._environment)
        try:
            return len(await there.voices(self._prefix()))
        finally:
            await there.close()


def copies(environment: Mapping[str, str], prefix: Callable[[], str]) -> tuple[ClonedVoices, ...]:
    """Those of every provider whose key is set."""
    return tuple(
        ClonedVoices(name, environment, prefix) for name, row in PROVIDERS.items() if environment.get(row.key)
    )


async def _delete_at(there: Cloud, prefix: str, *, keep: str = "") -> int:
    try:
        deleted = 0
        for voice_id in await there.voices(prefix):
            if voice_id != keep:
                deleted += await there.delete(voice_id)
        return deleted
    finally:
        await there.close()


async def _known(archive: Archive) -> set[str]:
    kept = await archive.vault.get(OWNER, KIND)
    return {name for name in json.loads(kept or b"[]") if name in PROVIDERS}


async def _remember(archive: Archive, names: set[str]) -> None:
    if names != await _known(archive):
        await archive.vault.put(OWNER, KIND, json.dumps(sorted(names)).encode())
