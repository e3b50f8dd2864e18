"""The key is made once, kept from others' eyes, and what it signed is verified without it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from compliance.errors import LedgerError, VaultError
from compliance.proofs.signing import PublicKey, Signer, verify
from compliance.store.master import SecretMaster


def master(byte: int = 7) -> SecretMaster:
    return SecretMaster(bytes([byte]) * 32, source="a test")


def test_the_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    first, again = Signer.open(tmp_path, None), Signer.open(tmp_path, None)
    assert first.key_id == again.key_id
    assert verify(again.public_pem, b"data", first.sign(b"data"))
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["signing.key", "signing.pub"]
    assert stat.S_IMODE((tmp_path / "keys" / "signing.key").stat().st_mode) == 0o600
    assert (tmp_path / "keys" / "signing.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_public_half_verifies_what_was_signed_and_nothing_else(tmp_path: Path) -> None:
    signer = Signer.open(tmp_path / "a", None)
    other = Signer.open(tmp_path / "b", None)
    signature = signer.sign(b"data")
    assert PublicKey.read(tmp_path / "a").verify(b"data", signature)
    assert not verify(signer.public_pem, b"date", signature)
    assert not verify(other.public_pem, b"data", signature)
    assert not verify(signer.public_pem, b"data", signature[:-1])
    assert not verify(signer.public_pem, b"data", bytes(64))
    assert signer.key_id != other.key_id


def test_a_wrapped_key_needs_its_master_key(tmp_path: Path) -> None:
    signer = Signer.open(tmp_path, master())
    stored = (tmp_path / "keys" / "signing.key").read_bytes()
    assert b"PRIVATE" not in stored
    assert Signer.open(tmp_path, master()).key_id == signer.key_id
    with pytest.raises(LedgerError, match=r"\[store\] master"):
        Signer.open(tmp_path, None)
    with pytest.raises(VaultError):
        Signer.open(tmp_path, master(8))


def test_a_key_in_the_clear_is_wrapped_when_there_is_a_master_key(tmp_path: Path) -> None:
    signer = Signer.open(tmp_path, None)
    assert Signer.open(tmp_path, master()).key_id == signer.key_id
    assert b"PRIVATE" not in (tmp_path / "keys" / "signing.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "keys" / "signing.key").stat().st_mode) == 0o600


def test_a_damaged_or_foreign_key_is_one_clear_line(tmp_path: Path) -> None:
    Signer.open(tmp_path, None)
    path = tmp_path / "keys" / "signing.key"
    good = path.read_bytes()
    path.write_bytes(good[:40])
    with pytest.raises(LedgerError, match="damaged"):
        Signer.open(tmp_path, None)
    path.unlink()
    with pytest.raises(LedgerError, match="does not belong"):
        Signer.open(tmp_path, None)


@pytest.mark.parametrize("pem", ["", "no key", b"\xff\xfe"])
def test_what_is_no_key_is_refused(pem: str | bytes) -> None:
    with pytest.raises(LedgerError, match="Ed25519"):
        PublicKey.load(pem)


def test_another_kind_of_key_is_refused() -> None:
    other = generate_private_key(SECP256R1()).public_key()
    pem = other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(LedgerError, match="Ed25519"):
        PublicKey.load(pem)


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----\n"
    )
    assert PublicKey.load(pem).key_id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_home_without_a_key_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="signed nothing yet"):
        PublicKey.read(tmp_path)
