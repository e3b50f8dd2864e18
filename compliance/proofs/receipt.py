"""Consent receipts: what somebody agreed to, signed, to be verified by anybody with the twin's public key alone.

A receipt is a signed vCon (see `vcon`) with two attachments: `consent`, as draft-howe-vcon-consent describes it,
and `consent_receipt`, the ISO/IEC TS 27560 record in DPV (see `dpv`). `schemas/` holds JSON schemas.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from compliance.proofs import dpv, vcon
from compliance.proofs.agreement import STATUSES, Agreement, Answer, Status
from compliance.proofs.dpv import utc
from compliance.proofs.signing import PublicKey, Signer

CLOCK_SKEW_MS = 300_000
"""How far apart two clocks may be; the draft allows five minutes."""
_CHECK_EVERY_S = {"high": 86_400, "normal": 604_800}
_SENSITIVE = ("voice_clone", "face_clone")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


@dataclass(frozen=True, slots=True)
class Consented:
    """One answer, as a receipt states it."""

    purpose: str
    status: Status
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """Whether a receipt is genuine, and what it says."""

    valid: bool
    problems: tuple[str, ...]
    receipt_id: str = ""
    made_ms: int = 0
    call_id: str = ""
    consents: tuple[Consented, ...] = ()
    expires_ms: int | None = None
    is_expired: bool = False
    """It was granted for a time that is over; the receipt is genuine all the same."""
    content: Mapping[str, Any] | None = None
    """The vCon, to show."""


def make_receipt(
    agreement: Agreement, signer: Signer, *, made_ms: int, receipt_id: str | None = None
) -> dict[str, Any]:
    """The receipt as JSON; its id is a new UUID unless one is given. Raises `ValueError`."""
    receipt_id = str(uuid.UUID(receipt_id)) if receipt_id else str(uuid.uuid4())
    content = vcon.container(
        uuid=receipt_id,
        created=utc(made_ms),
        parties=(vcon.party(agreement.person, role="person"), vcon.party(agreement.controller, role="controller")),
        dialog=(_dialog(agreement),),
        attachments=(
            _consent(agreement),
            {
                "type": "consent_receipt",
                "start": utc(made_ms),
                "party": 0,
                "dialog": 0,
                "mediatype": "application/ld+json",
                "encoding": "json",
                "body": dpv.receipt(agreement, receipt_id=receipt_id, made_ms=made_ms),
            },
        ),
    )
    return vcon.sign(content, signer)


def verify_receipt(
    receipt: str | bytes | Mapping[str, Any], public: PublicKey | str | bytes, *, now_ms: int | None = None
) -> ReceiptReport:
    """Check a receipt with the public key (PEM); nothing else is needed, and nothing is fetched.

    `now_ms` tells whether it expired. Raises `LedgerError` when the key is none; anything about the receipt is a
    problem in the report.
    """
    key = public if isinstance(public, PublicKey) else PublicKey.load(public)
    content, why = vcon.open_signed(receipt, key)
    if content is None:
        return ReceiptReport(False, (why,))
    try:
        return _read(content, now_ms)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return ReceiptReport(False, ("it is signed, but not a consent receipt",))


def _dialog(agreement: Agreement) -> dict[str, Any]:
    # The conversation that the answer was given in; its sound and words are not in a receipt.
    found: dict[str, Any] = {"type": "recording", "start": utc(agreement.started_ms), "parties": [0, 1]}
    if agreement.channel:
        found["application"] = f"twin/{agreement.channel}"
    return found


def _consent(agreement: Agreement) -> dict[str, Any]:
    sensitive = any(answer.purpose in _SENSITIVE for answer in agreement.answers)
    found: dict[str, Any] = {
        "type": "consent",
        "start": utc(agreement.answers[0].at_ms),
        "party": 0,
        "dialog": 0,
        "expiration": utc(agreement.expires_ms) if agreement.expires_ms is not None else None,
        "status_interval": _CHECK_EVERY_S["high" if sensitive else "normal"],
        "consents": [
            {"purpose": answer.purpose, "status": answer.status, "timestamp": utc(answer.at_ms)}
            for answer in agreement.answers
        ],
        "proof": [
            *(_proof(answer) for answer in agreement.answers),
            *({"type": "ledger", "value": leaf} for leaf in agreement.leaves),
        ],
    }
    if agreement.terms_url:
        found["terms_of_service"] = agreement.terms_url
    if agreement.supersedes:
        found["supersedes"] = f"urn:uuid:{agreement.supersedes}"
    return found


def _proof(answer: Answer) -> dict[str, Any]:
    where = ""
    if answer.position_samples is not None and answer.rate_hz:
        where = f" at sample {answer.position_samples} of {answer.rate_hz} Hz"
    kind = "verbal_confirmation" if answer.method == "voice" else "confirmation"
    return {"type": kind, "value": answer.method + where, "timestamp": utc(answer.at_ms)}


def _read(content: Mapping[str, Any], now_ms: int | None) -> ReceiptReport:
    """Of a genuine vCon. Raises what a malformed one raises."""
    consent, record = _attachment(content, "consent"), _attachment(content, "consent_receipt")["body"]
    consents = tuple(_consented(entry) for entry in consent["consents"])
    expiration = consent["expiration"]
    expires_ms = None if expiration is None else _ms(expiration)
    part_of = record["dpv:hasRecordOfActivity"].get("dct:isPartOf", "")
    problems = []
    if content["vcon"] != vcon.VERSION:
        problems.append(f"it is a vCon of version {content['vcon']}")
    if not consents or consent["party"] != 0 or consent["dialog"] != 0 or len(content["parties"]) != 2:
        problems.append("its consent names a party or a dialog that it does not hold")
    stated = [(entry.purpose, dpv.STATES[entry.status], utc(entry.at_ms)) for entry in consents]
    if dpv.statuses(record) != stated or record["dct:identifier"] != content["uuid"]:
        problems.append("its two attachments say different things")
    granted = any(entry.status == "granted" for entry in consents)
    return ReceiptReport(
        valid=not problems,
        problems=tuple(problems),
        receipt_id=content["uuid"],
        made_ms=_ms(content["created_at"]),
        call_id=part_of.removeprefix("urn:twin:call:"),
        consents=consents,
        expires_ms=expires_ms,
        is_expired=bool(
            granted and now_ms is not None and expires_ms is not None and now_ms > expires_ms + CLOCK_SKEW_MS
        ),
        content=content,
    )


def _attachment(content: Mapping[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (part for part in content["attachments"] if part["type"] == kind)
    return cast(dict[str, Any], found)


def _consented(entry: Mapping[str, Any]) -> Consented:
    if entry["status"] not in STATUSES:
        raise ValueError("An unknown status.")
    return Consented(str(entry["purpose"]), entry["status"], _ms(entry["timestamp"]))


def _ms(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError("Not a time of ours.")
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * 1000 + at.microsecond // 1000
