"""Files that say by themselves that they are a machine's: signed C2PA manifests, written and read.

    provenance = Provenance(open_authority(home, master, name="Ada", now=now))
    provenance.sign(source, target, Claim(title="speech", owner="Ada", at=now, token="00c0ffee"))
    verify(target, anchors=read_anchors(home))      # -> Verdict

The manifest says that the sound was made by a trained algorithm, in whose likeness, with whose consent, and which
watermark it carries (a soft binding), so that it is found again by the watermark after a program has stripped it
(see `manifests`). Everything here blocks for the disk and the processor. Nothing here uses the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO, Literal

from compliance.errors import ProvenanceError
from compliance.origin import jumbf
from compliance.origin.authority import Authority

PROGRAM = "AI twin"
UNSIGNED_CHANGED = "manifest.unsigned.changed"
"""Ours, not C2PA's: a place in the manifest that no signature covers was changed."""
SOFT_BINDING = "ai-twin.watermark.1"
"""The name of the watermark in a manifest: a private one, not in the public list of algorithms."""
CONSENT = "ai-twin.consent"
DISCLOSURE = "ai-twin.disclosure"
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_GENERATED = _SOURCE + "trainedAlgorithmicMedia"
_PARTLY = _SOURCE + "compositeWithTrainedAlgorithmicMedia"
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
"""A file that somebody uploads must not make us fetch an address that it names."""
_UNTRUSTED = "signingCredential.untrusted"
_HEAD_BYTES = 16

Ai = Literal["generated", "partly", "unknown"]
Data = bytes | mmap


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file says of itself. Nothing in it may name a caller."""

    title: str
    owner: str
    """Whose likeness it is."""
    at: datetime
    """When it was made."""
    whole: bool = True
    """False when it also holds what people said."""
    token: str = ""
    """What the watermark in the sound says, in hexadecimal; empty when it carries none."""
    consent: Mapping[str, str] = field(default_factory=dict)
    """Purposes and what was answered, and which policy it was asked under."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file says of itself, and whether that can be believed."""

    found: bool
    """It has a manifest."""
    valid: bool = False
    """Nothing was changed since it was signed, by whomever."""
    trusted: bool = False
    """And the signer is one that was asked about: this twin."""
    ai: Ai = "unknown"
    """`generated` throughout, `partly`, or the manifest does not say."""
    owner: str = ""
    """Whose likeness it says it is."""
    made_by: str = ""
    """The program."""
    made_at: str = ""
    """By its own word, ISO 8601."""
    signed_by: str = ""
    token: str = ""
    """The watermark it should carry."""
    consent: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """C2PA's codes for what is wrong (`assertion.dataHash.mismatch`), or a line."""


class Provenance:
    """Signs files as one twin."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def sign(self, source: Path, target: Path, claim: Claim) -> bytes:
        """Write `source` with a manifest to `target`, which may be the same; returns the manifest.

        Any manifest that `source` has is kept inside as its history. Raises `ProvenanceError`; `target` is then
        as it was.
        """
        kind = kind_of(source)
        if kind is None:
            raise ProvenanceError(f"{source}: only WAV, MP4, MP3 and FLAC files can be signed.")
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with source.open("rb") as reader, _made(draft) as writer:
                manifest = self._signed(kind, reader, writer, claim)
            draft.replace(target)
        except OSError as error:
            raise ProvenanceError(f"{target}: cannot be written ({error.strerror}).") from error
        finally:
            draft.unlink(missing_ok=True)
        return manifest

    def _signed(self, kind: str, source: BinaryIO, target: BinaryIO, claim: Claim) -> bytes:
        from c2pa import Builder, C2paError, C2paSignerInfo, Context, Settings, Signer

        info = C2paSignerInfo(b"es256", self._authority.chain_pem, self._authority.key_pem, None)
        try:
            settings = Settings.from_dict({**_OFFLINE, "builder": {"thumbnail": {"enabled": False}}})
            with (
                settings,
                Context(settings) as context,
                Signer.from_info(info) as signer,
                Builder.from_json(json.dumps(_manifest(claim, kind)), context) as builder,
            ):
                if _has_manifest(kind, source):
                    builder.add_ingredient(json.dumps({"relationship": "parentOf"}), kind, source)
                source.seek(0)
                return bytes(builder.sign(signer, kind, source, target))
        except C2paError as error:
            raise ProvenanceError(f"The file could not be signed ({_first_line(error)}).") from error


def verify(path: Path, *, anchors: bytes | None = None) -> Verdict:
    """What the file says of itself. `anchors`: certificates (PEM) of the authorities to trust.

    Raises `ProvenanceError` when the file cannot be read at all.
    """
    try:
        with path.open("rb") as file, mapped(file) as data:
            return judged(file, data, anchors=anchors)
    except OSError as error:
        raise ProvenanceError(f"{path}: cannot be read ({error.strerror}).") from error


def recovered(path: Path, manifest: bytes, *, anchors: bytes | None = None) -> Verdict:
    """The verdict on a file whose manifest was stripped and found again by its watermark.

    `valid` only when the file is otherwise as it was signed; what the manifest says holds all the same when the
    only problem is that the bytes of the file are others (`assertion.dataHash.mismatch` or `bmffHash`).
    """
    with path.open("rb") as file, mapped(file) as data:
        return judged(file, data, manifest=manifest, anchors=anchors)


def judged(file: BinaryIO, data: Data, *, manifest: bytes | None = None, anchors: bytes | None = None) -> Verdict:
    """The verdict on an open file, which `data` is too: its own, or with `manifest` as `recovered` has it.

    Opens nothing.
    """
    kind = _kind(data[:_HEAD_BYTES])
    if kind is None:
        return Verdict(found=False, problems=("only WAV, MP4, MP3 and FLAC files are looked at",))
    return _verdict(kind, file, data, manifest, anchors)


@contextlib.contextmanager
def mapped(file: BinaryIO) -> Iterator[Data]:
    """The bytes of an open file, without reading them all."""
    if not os.fstat(file.fileno()).st_size:
        yield b""
        return
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        yield data


def kind_of(path: Path) -> str | None:
    """The media type, by the file's first bytes; None for what is neither WAV, MP4, MP3 nor FLAC."""
    with path.open("rb") as file:
        return _kind(file.read(_HEAD_BYTES))


def _kind(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    if head[:4] == b"fLaC":
        return "audio/flac"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "audio/mpeg"
    return None


def _verdict(kind: str, file: BinaryIO, data: Data, manifest: bytes | None, anchors: bytes | None) -> Verdict:
    from c2pa import C2paError, Context, Reader, Settings

    trust = {"trust": {"trust_anchors": anchors.decode("ascii")}} if anchors else {}
    try:
        with Settings.from_dict({**_OFFLINE, **trust}) as settings, Context(settings) as context:
            reader = Reader.try_create(kind, file, manifest, context=context)
            if reader is None:
                return Verdict(found=False)
            with reader:
                report = json.loads(reader.json())
                state = reader.get_validation_state()
    except (C2paError, ValueError) as error:
        # A manifest that cannot be read is one that was changed: a signer never leaves it so.
        return Verdict(found=manifest is not None or jumbf.has_store(data), problems=(_first_line(error),))
    says = _says(_dict(_dict(report.get("manifests")).get(report.get("active_manifest"))))
    problems = _failures(report)
    if says["made_by"] == PROGRAM:
        # What we sign is looked at more closely than C2PA asks; how others fill those places is not ours to judge.
        store = manifest if manifest is not None else jumbf.store_of(data)
        if store is None or not jumbf.is_untouched(store):
            problems = (*problems, UNSIGNED_CHANGED)
    valid = state in ("Valid", "Trusted") and not set(problems) - {_UNTRUSTED}
    return Verdict(found=True, valid=valid, trusted=valid and state == "Trusted", problems=problems, **says)


def _says(active: Mapping[str, Any]) -> dict[str, Any]:
    """What the active manifest claims. It may be anybody's, so no part of it need be as ours is."""
    said = {item.get("label"): item.get("data") for item in _list(active.get("assertions"))}
    actions = _list(_dict(said.get("c2pa.actions.v2") or said.get("c2pa.actions")).get("actions"))
    sources = {_dict(action).get("digitalSourceType") for action in actions}
    binding = _dict(said.get("c2pa.soft-binding"))
    blocks = _list(binding.get("blocks"))
    generators = _list(active.get("claim_generator_info"))
    signature = _dict(active.get("signature_info"))
    ai: Ai = "generated" if _GENERATED in sources else "partly" if _PARTLY in sources else "unknown"
    return {
        "ai": ai,
        "owner": _text(_dict(said.get(DISCLOSURE)).get("likeness_of")),
        "made_by": _text(_dict(generators[0] if generators else {}).get("name")),
        "made_at": next((_text(_dict(action).get("when")) for action in actions), ""),
        "signed_by": ", ".join(filter(None, (_text(signature.get(key)) for key in ("common_name", "issuer")))),
        "token": _text(_dict(blocks[0]).get("value")) if blocks and binding.get("alg") == SOFT_BINDING else "",
        "consent": _texts(said.get(CONSENT)),
    }


def _manifest(claim: Claim, kind: str) -> dict[str, Any]:
    agent = {"name": PROGRAM, "version": metadata.version("ai-twin")}
    action = {
        "action": "c2pa.created",
        "digitalSourceType": _GENERATED if claim.whole else _PARTLY,
        "when": claim.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "softwareAgent": agent,
    }
    disclosure = {
        "likeness_of": claim.owner,
        "statement": f"This is an AI-generated likeness of {claim.owner}." if claim.whole else
        f"One voice in this is an AI-generated likeness of {claim.owner}.",
    }  # fmt: skip
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
        {"label": DISCLOSURE, "data": disclosure},
    ]
    if claim.consent:
        assertions.append({"label": CONSENT, "data": dict(claim.consent)})
    if claim.token:
        binding = {"alg": SOFT_BINDING, "blocks": [{"scope": {}, "value": claim.token}]}
        assertions.append({"label": "c2pa.soft-binding", "data": binding})
    return {"claim_generator_info": [agent], "title": claim.title, "format": kind, "assertions": assertions}


def _has_manifest(kind: str, source: BinaryIO) -> bool:
    from c2pa import Reader

    source.seek(0)
    reader = Reader.try_create(kind, source)
    source.seek(0)
    if reader is None:
        return False
    reader.close()
    return True


def _failures(report: Mapping[str, Any]) -> tuple[str, ...]:
    active = _dict(_dict(report.get("validation_results")).get("activeManifest"))
    failures = _list(active.get("failure"))
    return tuple(dict.fromkeys(_text(_dict(failure).get("code")) for failure in failures))


def _made(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _first_line(error: Exception) -> str:
    return _text((str(error).splitlines() or [type(error).__name__])[0])


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    # It may be anybody's file, and is printed: no control characters.
    return "".join(filter(str.isprintable, value[:500])) if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    return {_text(key): _text(text) for key, text in [*_dict(value).items()][:20]}
