"""A consent receipt fits its schemas, and is verified with the public key alone; a changed one is not."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from compliance.errors import VaultError
from compliance.proofs.agreement import STATUSES, Agreement, Answer, Party
from compliance.proofs.canonical import canonical
from compliance.proofs.receipt import CLOCK_SKEW_MS, make_receipt, verify_receipt
from compliance.proofs.signing import Signer
from compliance.proofs.vcon import LARGEST_BYTES, open_signed, sign
from tests.unit.compliance.store_helpers import ROOT

AT_MS = 1_790_000_000_123
SCHEMAS = {
    path.name.split(".")[0]: json.loads(path.read_text("utf-8"))
    for path in ROOT.glob("compliance/proofs/schemas/*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
CALL = Agreement(
    person=Party("+493012345"),
    controller=Party("owner@example.org", name="Ada Example", address="1 Example Street"),
    answers=(
        Answer(
            "recording", "granted", AT_MS, "voice", position_samples=192_000, rate_hz=24_000, retention_days=30
        ),
        Answer("transcription", "denied", AT_MS + 900, "dtmf"),
    ),
    language="de",
    notice="Hier spricht eine KI im Namen von Ada Example. Darf der Ton aufgezeichnet werden?",
    policy="disclosure 2026-11-01, jurisdictions 2026-11-20",
    started_ms=AT_MS - 9_000,
    call_id="CA1",
    channel="phone",
    jurisdictions=("DE", "US-CA"),
    law="GDPR",
    withdrawal=("say: stop recording", "press *9"),
    terms_url="https://twin.example.org/privacy",
    leaves=("ab" * 32,),
)
CLONE = Agreement(
    person=Party("owner@example.org", name="Ada Example"),
    controller=Party("owner@example.org", name="Ada Example"),
    answers=(Answer("voice_clone", "granted", AT_MS, "signature", retention_days=365),),
    language="en",
    notice="I, Ada Example, agree that a synthetic version of my voice is made and used.",
    policy="clone 1",
    started_ms=AT_MS,
    expires_ms=AT_MS + 365 * 86_400_000,
    uses=("phone", "meetings"),
    territory="EU",
    law="CCPA",
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def payload(receipt: dict[str, Any]) -> dict[str, Any]:
    text: str = receipt["payload"]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def errors(schema: str, value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMAS[schema], registry=REGISTRY).iter_errors(value)]


def variants() -> list[Agreement]:
    bare = replace(
        CALL, person=Party(), call_id="", channel="", terms_url="", leaves=(), jurisdictions=(), withdrawal=()
    )
    return [
        CALL,
        CLONE,
        bare,
        replace(CALL, law="CCPA", supersedes="0f0e0d0c-0b0a-4908-8706-050403020100", language="pt-BR"),
        replace(CALL, person=Party("room guest 7"), controller=Party(name="Ада 例 🙂")),
        *(replace(CALL, answers=(replace(CALL.answers[0], status=status),)) for status in STATUSES),
        replace(CALL, answers=(Answer("analysis", "denied", AT_MS, "button"),)),
        replace(CLONE, answers=(Answer("face_clone", "revoked", AT_MS, "button"),), expires_ms=None),
    ]


@pytest.mark.parametrize("agreement", variants(), ids=range(len(variants())))
def test_a_receipt_fits_the_schemas_and_verifies_with_the_public_key_alone(
    agreement: Agreement, signer: Signer
) -> None:
    receipt = make_receipt(agreement, signer, made_ms=AT_MS + 1_000)
    content = payload(receipt)
    assert errors("signed-vcon", receipt) == []
    assert errors("vcon-consent", content) == []
    assert errors("dpv-27560", content["attachments"][1]["body"]) == []
    report = verify_receipt(json.dumps(receipt), signer.public_pem)
    assert (report.valid, report.problems) == (True, ())
    assert report.receipt_id == content["uuid"]
    assert (report.made_ms, report.call_id, report.expires_ms) == (
        AT_MS + 1_000,
        agreement.call_id,
        agreement.expires_ms,
    )
    assert [(one.purpose, one.status, one.at_ms) for one in report.consents] == [
        (answer.purpose, answer.status, answer.at_ms) for answer in agreement.answers
    ]


def test_the_schemas_refuse_what_is_missing(signer: Signer) -> None:
    for name in SCHEMAS:
        Draft202012Validator.check_schema(SCHEMAS[name])
    content = payload(make_receipt(CALL, signer, made_ms=AT_MS))
    for required in ("expiration", "party", "dialog", "consents"):
        changed = json.loads(json.dumps(content))
        del changed["attachments"][0][required]
        assert errors("vcon-consent", changed)
    for required in ("dpv:hasDataSubject", "dpv:hasDataController", "dpv:hasNotice", "dpv:hasProcess"):
        record = json.loads(json.dumps(content["attachments"][1]["body"]))
        del record["dpv:hasRecordOfActivity"][required]
        assert errors("dpv-27560", record)


def test_it_is_verified_by_a_process_that_has_nothing_but_receipt_and_key(signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_text(json.dumps(make_receipt(CALL, signer, made_ms=AT_MS)), "utf-8")
    (tmp_path / "key.pem").write_text(signer.public_pem, "ascii")
    script = (
        "import socket, sys\n"
        "def refuse(*_): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "from compliance.proofs.receipt import verify_receipt\n"
        "report = verify_receipt(open('receipt.json').read(), open('key.pem').read())\n"
        "sys.exit(0 if report.valid else 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=False, timeout=60
    )
    assert done.returncode == 0


def test_a_hundred_random_agreements_all_verify(signer: Signer) -> None:
    chance = random.Random(19)
    for _ in range(100):
        answers = tuple(
            Answer(
                chance.choice(["recording", "transcription", "analysis", "voice_clone"]),
                chance.choice(STATUSES),
                chance.randrange(10**12, 2 * 10**12),
                chance.choice(["voice", "dtmf", "button"]),
                retention_days=chance.choice([None, 0, 30]),
            )
            for _ in range(chance.randrange(1, 5))
        )
        said = "".join(
            chr(chance.choice([chance.randrange(32, 127), chance.randrange(160, 0xD7FF), 9, 10, 0x1F600]))
            for _ in range(50)
        )
        agreement = replace(CALL, answers=answers, notice=said, expires_ms=chance.choice([None, 2 * 10**12]))
        receipt = json.dumps(make_receipt(agreement, signer, made_ms=AT_MS), ensure_ascii=chance.random() < 0.5)
        assert verify_receipt(receipt, signer.public_pem).valid


def test_no_changed_byte_goes_unnoticed(signer: Signer) -> None:
    text = json.dumps(make_receipt(CALL, signer, made_ms=AT_MS), separators=(",", ":")).encode()
    public = signer.public
    chance = random.Random(7)
    for at in range(0, len(text), 3):
        changed = bytearray(text)
        changed[at] ^= 1 << chance.randrange(7)
        assert not verify_receipt(bytes(changed), public).valid, at
    for _ in range(100):
        assert not verify_receipt(text[: chance.randrange(len(text))], public).valid


def resigned(content: dict[str, Any], signer: Signer) -> dict[str, Any]:
    return sign(content, signer)


def test_another_key_or_another_content_is_told(signer: Signer) -> None:
    receipt = make_receipt(CALL, signer, made_ms=AT_MS)
    other = Signer(Ed25519PrivateKey.generate())
    assert verify_receipt(receipt, other.public_pem).problems == (
        "it was signed by another key, or is not a signed vCon",
    )
    content = payload(receipt)
    content["attachments"][0]["consents"][1]["status"] = "granted"
    assert verify_receipt(resigned(content, signer), signer.public).problems == (
        "its two attachments say different things",
    )
    assert verify_receipt(resigned({"vcon": "0.3.0"}, signer), signer.public).problems == (
        "it is signed, but not a consent receipt",
    )


def spoilt(receipt: dict[str, Any], how: str, signer: Signer) -> Any:
    (one,) = receipt["signatures"]
    match how:
        case "extra member":
            return {**receipt, "note": "trust me"}
        case "unprotected header":
            return {**receipt, "signatures": [{**one, "header": {"alg": "none"}}]}
        case "two signatures":
            return {**receipt, "signatures": [one, one]}
        case "no signature":
            return {**receipt, "signatures": []}
        case "alg none":
            header = (
                base64.urlsafe_b64encode(canonical({"alg": "none", "kid": signer.key_id})).rstrip(b"=").decode()
            )
            return {**receipt, "signatures": [{"protected": header, "signature": ""}]}
        case "padding":
            return {**receipt, "payload": receipt["payload"] + "="}
        case "name twice":
            return json.dumps(receipt)[:-1] + ', "payload": "e30"}'
        case "not canonical":
            body = base64.urlsafe_b64encode(json.dumps(payload(receipt), indent=1).encode()).rstrip(b"=").decode()
            signature = signer.sign(f"{one['protected']}.{body}".encode())
            proof = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
            return {"payload": body, "signatures": [{"protected": one["protected"], "signature": proof}]}
        case "too large":
            return " " * (LARGEST_BYTES + 1)
        case "too deep":
            return "[" * 100_000
    return how


@pytest.mark.parametrize(
    "how",
    [
        "extra member",
        "unprotected header",
        "two signatures",
        "no signature",
        "alg none",
        "padding",
        "name twice",
        "not canonical",
        "too large",
        "too deep",
        "",
        "null",
        "[]",
        "\udcff",
    ],
)
def test_a_spoilt_receipt_is_a_problem_and_never_an_error(how: str, signer: Signer) -> None:
    receipt = spoilt(make_receipt(CALL, signer, made_ms=AT_MS), how, signer)
    report = verify_receipt(receipt, signer.public)
    assert not report.valid
    assert len(report.problems) == 1
    assert "\n" not in report.problems[0]


def test_an_expired_receipt_is_genuine_and_expired(signer: Signer) -> None:
    receipt = make_receipt(CLONE, signer, made_ms=AT_MS)
    assert CLONE.expires_ms is not None
    for late_ms, expired in ((0, False), (CLOCK_SKEW_MS, False), (CLOCK_SKEW_MS + 1, True)):
        report = verify_receipt(receipt, signer.public, now_ms=CLONE.expires_ms + late_ms)
        assert (report.valid, report.is_expired) == (True, expired)


def test_what_is_stated_is_checked_at_birth() -> None:
    with pytest.raises(ValueError, match="granted, denied"):
        Answer("recording", "maybe", AT_MS, "voice")  # type: ignore[arg-type]
    with pytest.raises(VaultError):
        Answer("recording of Anna", "granted", AT_MS, "voice")
    with pytest.raises(ValueError, match="at least one"):
        replace(CALL, answers=())
    with pytest.raises(ValueError, match="country"):
        replace(CALL, jurisdictions=("Germany",))
    with pytest.raises(ValueError, match="tag"):
        replace(CALL, language="")


def test_the_vcon_inside_can_be_read_by_who_has_the_key(signer: Signer) -> None:
    content, why = open_signed(make_receipt(CALL, signer, made_ms=AT_MS), signer.public)
    assert why == ""
    assert content is not None
    assert content["parties"][0] == {"role": "person", "tel": "+493012345"}
    assert content["parties"][1]["mailto"] == "owner@example.org"
