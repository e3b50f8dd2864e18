"""Was it made by this twin? A file's manifest and the watermark in its sound, in one judgement.

    judge = Judge(home, vault, PUBLIC)
    judgement = await judge.of(path)

The manifest says more, and is lost whenever a program copies the sound; the watermark says less, and stays. Where
the manifest was lost and the watermark names it, it is found again. What of it a stranger is told, and what the
owner is, the pages and the command choose; a judgement holds no caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from compliance.origin.apart import verdict_apart
from compliance.origin.authority import read_anchors
from compliance.origin.manifests import Manifests
from compliance.provenance import Verdict, kind_of
from compliance.vault import Vault
from compliance.watermark.keys import KEY_FILE, DayKey, MarkKeys
from compliance.watermark.register import Marks
from compliance.watermark.verifying import Limits, MarkVerdict, listened, zeros

MOST_DAYS = 400
"""Days whose keys are tried, the newest first; each one more takes time, and proof."""

Standing = Literal["marked", "signed", "foreign", "changed", "contradicted", "nothing", "unreadable"]


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call that the mark names. For the owner alone."""

    id: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a file says of itself, and what is in its sound."""

    file: Verdict
    """Its manifest."""
    mark: MarkVerdict
    """Its watermark."""
    recovered: Verdict | None = None
    """The manifest that it once had, found again by the watermark."""

    @property
    def standing(self) -> Standing:
        """`marked` by this twin; `signed` by it; `foreign`: signed by somebody else; `changed` since it was
        signed; `contradicted`: manifest and mark are of two recordings; `nothing` found; or it is `unreadable`."""
        if self.file.found and not self.file.valid:
            return "changed"
        if self.mark.found:
            return "marked" if self._agree else "contradicted"
        if self.file.valid:
            return "signed" if self.file.trusted else "foreign"
        return "unreadable" if self.mark.problem else "nothing"

    @property
    def ours(self) -> bool:
        """This twin made it, and nothing contradicts that."""
        return self.standing in ("marked", "signed")

    @property
    def _agree(self) -> bool:
        """Whether the manifest may be this sound's, by the token that both name."""
        said, heard = self.file.token, self.mark.tokens
        return not said or not heard or any(said.startswith(token) or token.startswith(said) for token in heard)


def headline(judgement: Judgement) -> str:
    """The judgement in a line or two."""
    standing, mark = judgement.standing, judgement.mark
    if standing == "marked":
        return f"This twin's watermark is in the sound ({chance(mark)}).{_beside(judgement)}"
    if standing == "changed":
        spoke = f" All the same this twin's watermark is in the sound ({chance(mark)})." if mark.found else ""
        return f"Not valid: the file or its manifest was changed after it was signed.{spoke}"
    if standing == "nothing" and not mark.keys:
        return "No manifest, and this home has marked nothing yet: there is nothing to find."
    return {
        "signed": "Valid, and signed by this twin.",
        "foreign": "Valid, but signed by somebody whom this home does not know; no watermark of this twin.",
        "contradicted": "Not valid: this twin's watermark is in the sound, but the manifest is of another one.",
        "nothing": "No watermark of this twin was found, and no manifest. That proves nothing for recordings"
        " under 3 s or very noisy ones.",
        "unreadable": f"Not looked at: {mark.problem}.",
    }[standing]  # fmt: skip


def chance(mark: MarkVerdict) -> str:
    """How sure a found mark is, in words."""
    return f"the chance of a mistake is below 1 in 10^{zeros(mark.p_value)}"


def _beside(judgement: Judgement) -> str:
    if judgement.file.trusted:
        return " Signed by it, and not changed since."
    if judgement.file.valid:
        return " Signed, and not changed since, by somebody whom this home does not know."
    return " Its manifest was removed, and was found again." if judgement.recovered else ""


class Judge:
    """Judges files for one twin."""

    def __init__(
        self,
        home: Path,
        vault: Vault | None,
        limits: Limits,
        *,
        since: date | None = None,
        most_days: int = MOST_DAYS,
    ) -> None:
        """Without a vault, and in a home that marked nothing yet, only manifests are looked at.

        `since`: all days from then on are tried, however many, in place of the newest `most_days`.
        """
        self._home = home
        self._vault = vault
        self._limits = limits
        self._since = since
        self._most_days = most_days

    async def of(self, path: Path) -> Judgement:
        """The judgement on a file; it takes no processor time of this process.

        Raises `WatermarkError` and `ProvenanceError` when there is no such file, `VaultError` for the store.
        """
        mark = await listened(path, await self._keys(), self._limits)
        anchors = await asyncio.to_thread(read_anchors, self._home)
        file = await verdict_apart(path, anchors=anchors)
        if file.found or not mark.found or self._vault is None:
            return Judgement(file, mark)
        return Judgement(file, mark, await self._found_again(path, mark, self._vault, anchors))

    async def calls(self, mark: MarkVerdict) -> tuple[KnownCall, ...]:
        """The calls that the mark names and that are still kept. For the owner alone. Raises `VaultError`."""
        if self._vault is None:
            return ()
        marks, known = Marks(self._vault), dict[str, KnownCall]()
        for day, short, full in dict.fromkeys((place.day, place.short, place.full) for place in mark.places):
            for call_id in await marks.find(day, short, full) if short is not None else ():
                kept = await self._vault.call(call_id)
                if kept is not None:
                    known[call_id] = KnownCall(call_id, kept.call.started_ms)
        return tuple(known.values())

    async def _keys(self) -> Sequence[DayKey]:
        if self._vault is None or not await asyncio.to_thread((self._home / KEY_FILE).exists):
            return ()
        days = await Marks(self._vault).days()
        newest = sorted(set(days), reverse=True)
        tried = [day for day in newest if day >= self._since] if self._since else newest[: self._most_days]
        master = self._vault.master
        return await asyncio.to_thread(lambda: MarkKeys.open(self._home, master).candidates(tried))

    async def _found_again(
        self, path: Path, mark: MarkVerdict, vault: Vault, anchors: bytes | None
    ) -> Verdict | None:
        if await asyncio.to_thread(kind_of, path) is None:
            return None
        manifests = Manifests(vault)
        for token in await _whole_tokens(mark, Marks(vault)):
            manifest = await manifests.find(token)
            if manifest is not None:
                found = await verdict_apart(path, anchors=anchors, manifest=manifest)
                return found if found.found else None
        return None


async def _whole_tokens(mark: MarkVerdict, marks: Marks) -> list[str]:
    """The tokens that were heard; of a short one the only one that begins so."""
    tokens = dict[str, None]()
    for place in sorted(mark.places, key=lambda place: (place.full is None, place.p_value)):
        if place.short is None:
            continue
        known = await marks.tokens(place.day, place.short)
        fits = [token for token in known if place.full is None or token.bits == place.full]
        if len(fits) == 1:
            tokens[fits[0].text] = None
    return list(tokens)
