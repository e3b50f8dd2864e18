"""The statement that is to be read aloud, kept sealed from one command to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from compliance.errors import ConsentMissing
from compliance.likeness.permits import OWNER
from compliance.likeness.statement import FRESH_MS, Challenge, Terms
from compliance.vault import Vault

KIND = "enrolment_challenge"


async def keep(vault: Vault, challenge: Challenge) -> None:
    """Keep it in place of any before it. Raises `VaultError`."""
    await vault.put(OWNER, KIND, _to_json(challenge))


async def taken(vault: Vault, challenge_id: str, *, at_ms: int) -> Challenge:
    """The challenge of that id, which is not there a second time; `at_ms` is now.

    Raises `ConsentMissing` for another one, and for one that is older than ten minutes.
    """
    kept = await vault.get(OWNER, KIND)
    challenge = _from_json(json.loads(kept)) if kept else None
    if challenge is None or challenge.id != challenge_id:
        raise ConsentMissing("There is no such challenge (any more); draw a new one with --challenge and read it.")
    await vault.put(OWNER, KIND, b"")
    if at_ms - challenge.made_ms > FRESH_MS:
        raise ConsentMissing(
            "The challenge is older than ten minutes; draw a new one with --challenge and read it."
        )
    return challenge


def _to_json(challenge: Challenge) -> bytes:
    value = {
        "id": challenge.id,
        "terms": challenge.terms.as_json(),
        "language": challenge.language,
        "text": challenge.text,
        "words": challenge.words,
        "made_ms": challenge.made_ms,
        "version": challenge.version,
    }
    return json.dumps(value, ensure_ascii=False).encode()


def _from_json(value: Mapping[str, object]) -> Challenge:
    terms, words = value["terms"], value["words"]
    if not isinstance(terms, Mapping) or not isinstance(words, Sequence):
        raise ConsentMissing("The challenge cannot be read; draw a new one with --challenge and read it.")
    return Challenge(
        str(value["id"]),
        Terms.from_json(terms),
        str(value["language"]),
        str(value["text"]),
        tuple(str(word) for word in words),
        int(str(value["made_ms"])),
        str(value["version"]),
    )
