"""The certificates a twin signs its files with: an authority of its own, made at first use, and a signer under it.

Both private keys are wrapped by the master key. Nobody outside knows this authority, so a stranger's program says
"valid, signer unknown" until it is given `keys/provenance.pem`; nothing is sent anywhere to make it so.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from compliance.errors import ProvenanceError, VaultError
from compliance.store.master import MasterKey

KEY_FILE = Path("keys", "provenance.key")
CHAIN_FILE = Path("keys", "provenance.pem")
_AUTHORITY_YEARS = 30
_SIGNER_YEARS = 15
"""A signature without a time stamp is worth as long as its certificate, so the signer's lasts long."""
_RENEW_DAYS = 365
"""A signer is replaced after so long, so that every file can be checked for at least 14 years."""
_YEAR = timedelta(days=365)
_CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """The present signer."""

    chain_pem: bytes
    """The signer's certificate, then the authority's."""
    key_pem: bytes
    """The signer's private key, PKCS#8."""


def open_authority(home: Path, master: MasterKey | None, *, name: str, now: datetime) -> Authority:
    """Read the keys, or make them; a signer that is a year old is replaced. Blocks.

    `name` is whose twin it is, and is in the certificates. Raises `ProvenanceError` and `VaultError`.
    """
    path = home / KEY_FILE
    try:
        if not path.exists():
            made = _Keys.made(name, now)
            _write_new(path, made.sealed(master))
        keys = _Keys.opened(path.read_bytes(), master)
        if keys.signer.not_valid_before_utc + _CLOCK_SKEW + timedelta(days=_RENEW_DAYS) < now:
            keys = keys.renewed(now)
            _replace(path, keys.sealed(master), mode=0o600)
        if not (home / CHAIN_FILE).exists() or (home / CHAIN_FILE).read_bytes() != keys.chain_pem:
            _replace(home / CHAIN_FILE, keys.chain_pem, mode=0o644)
    except OSError as error:
        raise ProvenanceError(f"{path} cannot be used ({error.strerror}); check the folder's owner.") from error
    return Authority(keys.chain_pem, _key_pem(keys.signer_key))


def read_anchors(home: Path) -> bytes | None:
    """The authority's certificate, for checking; None when this home has signed nothing yet."""
    try:
        chain = x509.load_pem_x509_certificates((home / CHAIN_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ProvenanceError(f"{home / CHAIN_FILE} cannot be read; restore it from the backup.") from error
    return _pem(chain[-1])


@dataclass(frozen=True, slots=True)
class _Keys:
    authority: x509.Certificate
    authority_key: ec.EllipticCurvePrivateKey
    signer: x509.Certificate
    signer_key: ec.EllipticCurvePrivateKey

    @property
    def chain_pem(self) -> bytes:
        return _pem(self.signer) + _pem(self.authority)

    @classmethod
    def made(cls, name: str, now: datetime) -> _Keys:
        key = ec.generate_private_key(ec.SECP256R1())
        # A name of its own for each: programs look authorities up by their name.
        subject = _name(f"AI twin authority {secrets.token_hex(4)}", name)
        builder = _builder(subject, subject, key.public_key(), key.public_key(), now, years=_AUTHORITY_YEARS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        return cls._with_signer(builder.sign(key, hashes.SHA256()), key, name, now)

    @classmethod
    def _with_signer(
        cls, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, name: str, now: datetime
    ) -> _Keys:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("AI twin", name)
        public, issuer = key.public_key(), authority_key.public_key()
        builder = _builder(subject, authority.subject, public, issuer, now, years=_SIGNER_YEARS)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs=True), critical=True)
        # C2PA wants a purpose; this is the one that its validators know without being told.
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
        return cls(authority, authority_key, builder.sign(authority_key, hashes.SHA256()), key)

    def renewed(self, now: datetime) -> _Keys:
        (name,) = self.signer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return self._with_signer(self.authority, self.authority_key, str(name.value), now)

    def sealed(self, master: MasterKey | None) -> bytes:
        """As it is stored."""

        def closed(key: ec.EllipticCurvePrivateKey) -> str:
            pem = _key_pem(key)
            return base64.b64encode(master.wrap(pem) if master else pem).decode("ascii")

        value = {
            "wrapped": master is not None,
            "chain": self.chain_pem.decode("ascii"),
            "authority_key": closed(self.authority_key),
            "signer_key": closed(self.signer_key),
        }
        return json.dumps(value, indent=1).encode("ascii")

    @classmethod
    def opened(cls, data: bytes, master: MasterKey | None) -> _Keys:
        try:
            value = json.loads(data)
            signer, authority = x509.load_pem_x509_certificates(value["chain"].encode("ascii"))
            wrapped = bool(value["wrapped"])
            keys = [base64.b64decode(value[name]) for name in ("authority_key", "signer_key")]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ProvenanceError(f"{KEY_FILE} is damaged; restore it from the backup.") from error
        if wrapped and master is None:
            raise VaultError(f"{KEY_FILE} is wrapped by the master key of the store; open the store first.")
        plain = [master.unwrap(key) if wrapped and master else key for key in keys]
        return cls(authority, _private(plain[0]), signer, _private(plain[1]))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    now: datetime,
    *,
    years: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _CLOCK_SKEW)
        .not_valid_after(now.astimezone(UTC) + years * _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str, organisation: str) -> x509.Name:
    # 64 characters is the most a certificate allows.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ProvenanceError(f"{KEY_FILE} is damaged; restore it from the backup.")
    return key


def _write_new(path: Path, data: bytes) -> None:
    """Of two processes that start at once one wins, and neither ever reads half a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, data, mode=0o600)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _replace(path: Path, data: bytes, *, mode: int) -> None:
    _draft(path, data, mode=mode).replace(path)


def _draft(path: Path, data: bytes, *, mode: int) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "wb") as writer:
        writer.write(data)
        os.fsync(writer.fileno())
    return draft
