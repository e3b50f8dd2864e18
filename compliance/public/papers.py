"""What a paper in JSON is that somebody brings back: a receipt or a proof of ours, and whether it holds. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from compliance.errors import LedgerError
from compliance.forgetting.erasure_receipt import opened
from compliance.proofs.proof import Inclusion
from compliance.proofs.receipt import verify_receipt
from compliance.proofs.signing import PublicKey, verify

MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Paper:
    """The verdict."""

    kind: str
    """`consent receipt`, `erasure receipt`, `ledger proof`; empty when it is none of ours."""
    valid: bool
    says: tuple[tuple[str, str], ...] = ()
    """What it says, line by line."""
    problems: tuple[str, ...] = ()


def judge(data: bytes, public_key: str) -> Paper:
    """Check a paper against the public key (PEM). Anything may be handed in; nothing is raised."""
    if len(data) > MAX_BYTES:
        return Paper("", False, problems=("It is too long for a receipt.",))
    if not public_key:
        return Paper("", False, problems=("This twin has signed nothing yet.",))
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return Paper("", False, problems=("It is neither sound, video nor a receipt.",))
    if not isinstance(value, dict):
        return Paper("", False, problems=("It is not a receipt.",))
    text = data.decode("utf-8", "replace")
    if "entry" in value and "path" in value:
        return _proof(value, public_key)
    if "receipt" in value and "signature" in value:
        return _erasure(text, public_key)
    return _consent(text, public_key)


def _consent(text: str, public_key: str) -> Paper:
    report = verify_receipt(text, public_key)
    if not report.valid:
        return Paper("consent receipt" if "payload" in text else "", False, problems=report.problems)
    says = [("Made", _when(report.made_ms))]
    says += [(consent.purpose, consent.status) for consent in report.consents]
    if report.expires_ms is not None:
        says.append(("Good until", _when(report.expires_ms)))
    return Paper("consent receipt", True, tuple(says))


def _erasure(text: str, public_key: str) -> Paper:
    body = opened(text, lambda data, signature: verify(public_key, data, signature))
    if body is None:
        return Paper("erasure receipt", False, problems=("It was not signed here, or was changed.",))
    says: list[tuple[str, str]] = [("Everything gone", "yes" if body.get("done") is True else "not yet")]
    finished = body.get("finished_ms")
    if isinstance(finished, int):
        says.append(("Finished", _when(finished)))
    stores = body.get("stores")
    for store in stores if isinstance(stores, list) else []:
        if isinstance(store, dict):
            says.append((str(store.get("store", "?")), str(store.get("result", "?")).replace("_", " ")))
    return Paper("erasure receipt", True, tuple(says))


def _proof(value: dict[str, Any], public_key: str) -> Paper:
    try:
        entry = Inclusion.from_json(value).check(PublicKey.load(public_key))
    except LedgerError as error:
        return Paper("ledger proof", False, problems=(error.message,))
    if entry is None:
        return Paper("ledger proof", False, problems=("It does not fit together, or was not signed here.",))
    says = (("Entry", str(entry.seq)), ("What", entry.kind.replace("_", " ")), ("Written", _when(entry.at_ms)))
    return Paper("ledger proof", True, says)


def _when(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%-d %b %Y, %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "at no time"
