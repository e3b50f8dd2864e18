"""The record of a consent as ISO/IEC TS 27560 structures it, in words of the Data Privacy Vocabulary (JSON-LD).

Header, parties, processing, events: the four sections of the standard. The terms are those of DPV 2.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from compliance.proofs.agreement import Agreement, Answer, Party, Status

PROFILE = "https://w3id.org/dpv/schema/dpv-27560#"
STATES: Final[dict[Status, str]] = {
    "granted": "dpv:ConsentGiven",
    "denied": "dpv:ConsentRefused",
    "revoked": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
}
_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@dataclass(frozen=True, slots=True)
class _Process:
    title: str
    processing: tuple[str, ...]
    data: tuple[str, ...]
    is_special: bool = False
    """Special categories of the GDPR (Article 9): a likeness from which somebody is recognised."""


_PROCESSES = {
    "recording": _Process(
        "Keeping the sound of the conversation", ("dpv:Record", "dpv:Store"), ("pd:VoiceCommunicationRecording",)
    ),
    "transcription": _Process("Writing down what is said", ("dpv:Transform", "dpv:Store"), ("pd:Communication",)),
    "memory": _Process(
        "Remembering what is said for later calls", ("dpv:Derive", "dpv:Store"), ("pd:Communication",)
    ),
    "voice_clone": _Process(
        "Speaking in this person's cloned voice", ("dpv:Derive", "dpv:Use", "dpv:Store"), ("pd:Biometric",), True
    ),
    "face_clone": _Process(
        "Showing this person's cloned face",
        ("dpv:Derive", "dpv:Use", "dpv:Store"),
        ("pd:Biometric", "pd:Picture"),
        True,
    ),
}
_OTHER = _Process("Use of personal data", ("dpv:Use",), ("dpv:PersonalData",))


def receipt(agreement: Agreement, *, receipt_id: str, made_ms: int) -> dict[str, Any]:
    """The receipt and the record in it, as JSON-LD."""
    kind = "-eu-gdpr" if agreement.under_gdpr else ""
    header: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt_id,
        "dct:conformsTo": f"{PROFILE}receipt{kind or '-record'}",
        "dct:created": utc(made_ms),
        "dct:publisher": {"@id": "_:controller"},
    }
    if agreement.supersedes:
        header["dct:replaces"] = f"urn:uuid:{agreement.supersedes}"
    record = {
        "@id": f"urn:uuid:{receipt_id}#record",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": f"{receipt_id}#record",
        "dct:conformsTo": f"{PROFILE}record{kind}",
        "dct:created": utc(made_ms),
        "dpv:hasDataSubject": _party(agreement.person, "_:person", "dpv:DataSubject"),
        "dpv:hasDataController": _party(agreement.controller, "_:controller", "dpv:DataController"),
        "dpv:hasJurisdiction": [f"loc:{place}" for place in agreement.jurisdictions],
        "dpv:hasApplicableLaw": "eu-gdpr:GDPR" if agreement.law == "GDPR" else agreement.law,
        "dpv:hasNotice": _notice(agreement),
        "dpv:hasProcess": [_process(agreement, answer) for answer in agreement.answers],
        "dct:source": [f"urn:twin:ledger:{leaf}" for leaf in agreement.leaves],
    }
    if agreement.call_id:
        record["dct:isPartOf"] = f"urn:twin:call:{agreement.call_id}"
    return {**header, "dpv:hasRecordOfActivity": record}


def statuses(document: Any) -> list[tuple[str, str, str]] | None:
    """Identifier, status term and time of each answer in such a document; None when it is not one."""
    match document:
        case {"@type": "dpv:ConsentReceipt", "dpv:hasRecordOfActivity": {"dpv:hasProcess": [*processes]}}:
            return _events(processes)
    return None


def utc(at_ms: int) -> str:
    """Unix milliseconds as RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1000)) + f".{at_ms % 1000:03d}Z"


def _events(processes: Sequence[Any]) -> list[tuple[str, str, str]] | None:
    found: list[tuple[str, str, str]] = []
    for process in processes:
        match process:
            case {
                "dct:identifier": str(purpose),
                "dpv:hasConsentStatus": [{"@type": str(state), "dpv:isIndicatedAtTime": str(at)}],
            }:
                found.append((purpose, state, at))
            case _:
                return None
    return found


def _party(party: Party, node: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"@id": node, "@type": kind}
    if party.subject:
        found["dpv:hasIdentifier"] = party.subject
    if party.name:
        found["dpv:hasName"] = party.name
    if party.address:
        found["dpv:hasAddress"] = party.address
    return found


def _notice(agreement: Agreement) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "dpv:ConsentNotice",
        "dct:language": agreement.language,
        "dct:hasVersion": agreement.policy,
        "dct:description": agreement.notice,
    }
    if agreement.terms_url:
        found["dct:references"] = agreement.terms_url
    return found


def _process(agreement: Agreement, answer: Answer) -> dict[str, Any]:
    what = _PROCESSES.get(answer.purpose, _OTHER)
    found: dict[str, Any] = {
        "@type": "dpv:Process",
        "dct:identifier": answer.purpose,
        "dct:title": what.title,
        "dpv:hasPurpose": "dpv:CommunicationManagement" if not what.is_special else "dpv:ServiceProvision",
        "dpv:hasProcessing": list(what.processing),
        "dpv:hasPersonalData": list(what.data),
        "dpv:hasLegalBasis": _legal_basis(agreement, what),
        "dpv:hasRecipient": [{"@id": "_:controller"}],
        "dpv:hasRight": [_right(agreement)],
        "dpv:hasConsentStatus": [_event(agreement, answer)],
    }
    if answer.retention_days is not None:
        found["dpv:hasStorageCondition"] = [
            {"@type": "dpv:StorageDuration", "rdf:value": f"P{answer.retention_days}D"}
        ]
    if agreement.uses:
        found["dpv:hasScope"] = list(agreement.uses)
    if agreement.territory:
        found["dpv:hasGeographicCoverage"] = agreement.territory
    return found


def _legal_basis(agreement: Agreement, what: _Process) -> str:
    if not agreement.under_gdpr:
        return "dpv:Consent"
    return "eu-gdpr:A9-2-a" if what.is_special else "eu-gdpr:A6-1-a"


def _right(agreement: Agreement) -> dict[str, Any]:
    named = {"@id": "eu-gdpr:A7-3"} if agreement.under_gdpr else {"@type": "dpv:DataSubjectRight"}
    return {**named, "dct:title": "Withdrawing this consent", "dpv:isExercisedAt": list(agreement.withdrawal)}


def _event(agreement: Agreement, answer: Answer) -> dict[str, Any]:
    event: dict[str, Any] = {
        "@type": STATES[answer.status],
        "dpv:isIndicatedBy": {"@id": "_:person"},
        "dpv:isIndicatedAtTime": utc(answer.at_ms),
        "dpv:hasIndicationMethod": answer.method,
    }
    if agreement.expires_ms is not None:
        event["dpv:hasDuration"] = {"@type": "dpv:UntilTimeDuration", "rdf:value": utc(agreement.expires_ms)}
    else:
        event["dpv:hasDuration"] = {"@type": "dpv:UntilEventDuration", "rdf:value": "withdrawal"}
    return event
