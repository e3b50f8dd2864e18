"""vCons, the IETF's container for conversations: made, signed (JWS), and opened with the public key alone.

The signed form is the JSON serialization of JWS with one Ed25519 signature ("EdDSA"); its payload is the vCon in
canonical JSON. Reading is strict: every byte of a signed vCon is under the signature or has one spelling only.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from compliance.proofs.agreement import Party
from compliance.proofs.canonical import canonical
from compliance.proofs.signing import PublicKey, Signer

VERSION = "0.3.0"
LARGEST_BYTES = 1 << 20
_CONTENT = "application/vcon+json"


def container(
    *,
    uuid: str,
    created: str,
    parties: Iterable[Mapping[str, Any]],
    dialog: Iterable[Mapping[str, Any]],
    attachments: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """A vCon; times are RFC 3339."""
    return {
        "vcon": VERSION,
        "uuid": uuid,
        "created_at": created,
        "parties": [dict(party) for party in parties],
        "dialog": [dict(part) for part in dialog],
        "attachments": [dict(part) for part in attachments],
    }


def party(who: Party, *, role: str) -> dict[str, Any]:
    """Somebody, as a vCon names them."""
    found: dict[str, Any] = {"role": role}
    if who.name:
        found["name"] = who.name
    subject = who.subject or ""
    if subject.startswith("+"):
        found["tel"] = subject
    elif "@" in subject:
        found["mailto"] = subject
    elif subject:
        found.setdefault("name", subject)
    return found


def sign(vcon: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The vCon in its signed form. Raises `ValueError` when it has no canonical form."""
    payload = _encode(canonical(dict(vcon)))
    protected = _encode(canonical({"alg": "EdDSA", "cty": _CONTENT, "kid": signer.key_id}))
    signature = _encode(signer.sign(f"{protected}.{payload}".encode("ascii")))
    return {"payload": payload, "signatures": [{"protected": protected, "signature": signature}]}


def open_signed(signed: str | bytes | Mapping[str, Any], public: PublicKey) -> tuple[dict[str, Any] | None, str]:
    """The vCon in a signed one; or None, and in one line why it is not genuine."""
    try:
        envelope = signed if isinstance(signed, Mapping) else parse(signed)
    except ValueError as error:
        return None, str(error)
    match envelope:
        case {"payload": str(payload), "signatures": [{"protected": str(protected), "signature": str(signature)}]}:
            pass
        case _:
            return None, "it is not a signed vCon"
    if len(envelope) != 2 or len(envelope["signatures"][0]) != 2:
        return None, "it has members that no signature covers"
    header, body, proof = _decode(protected), _decode(payload), _decode(signature)
    if header is None or body is None or proof is None:
        return None, "it is not base64url as JWS spells it"
    if header != canonical({"alg": "EdDSA", "cty": _CONTENT, "kid": public.key_id}):
        return None, "it was signed by another key, or is not a signed vCon"
    if not public.verify(f"{protected}.{payload}".encode("ascii"), proof):
        return None, "the signature does not fit"
    try:
        vcon = parse(body)
        spelt = canonical(vcon)
    except ValueError as error:
        return None, str(error)
    if spelt != body:
        return None, "its content is not canonical JSON"
    return vcon, ""


def parse(text: str | bytes) -> dict[str, Any]:
    """A JSON object with every name once. Raises `ValueError`, one line, for anything else."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(data) > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES >> 20} MiB")
    try:
        value = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name stands twice in one object")
    return found


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # The last character may hold bits that are in no byte: they would have many spellings.
    return data if _encode(data) == text else None
