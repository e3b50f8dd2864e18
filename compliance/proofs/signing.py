"""The twin's signing key: one Ed25519 key per home, and checking what it signed with the public half alone.

The private half is `keys/signing.key` (PEM PKCS#8, mode 0600; wrapped by the master key where there is one). The
public half lies beside it as `signing.pub`, so that a ledger or a receipt is verified without any secret.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.errors import LedgerError
from compliance.store.master import MasterKey

KEY_FILE = Path("keys", "signing.key")
PUBLIC_FILE = Path("keys", "signing.pub")
SIGNATURE_BYTES = 64
_WRAPPED = b"twin-wrapped-key-1\n"


class PublicKey:
    """The half that verifies."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode("ascii")
        """PEM SubjectPublicKeyInfo."""
        self.key_id = _thumbprint(raw)
        """The JWK thumbprint (RFC 7638): 43 characters of base64url that name this key."""

    @classmethod
    def load(cls, pem: str | bytes) -> Self:
        """Read a PEM. Raises `LedgerError` when it is not an Ed25519 public key."""
        data = pem.encode("utf-8", "replace") if isinstance(pem, str) else pem
        try:
            key = serialization.load_pem_public_key(data)
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise LedgerError(
                "This is not an Ed25519 public key in PEM; take keys/signing.pub of the twin's home."
            )
        return cls(key)

    @classmethod
    def read(cls, home: Path) -> Self:
        """The public key of a twin's home. Raises `LedgerError`."""
        path = home / PUBLIC_FILE
        try:
            return cls.load(path.read_bytes())
        except FileNotFoundError:
            raise LedgerError(
                f"{path} is missing: this home has signed nothing yet, or the file was removed."
            ) from None
        except OSError as error:
            raise LedgerError(f"{path} cannot be read ({error.strerror}); check its owner and rights.") from error

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature` over `data` was made with the private half."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class Signer:
    """The half that signs; safe to use from several threads."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def open(cls, home: Path, wrap: MasterKey | None) -> Self:
        """The key of this home, made at first use. Blocks.

        With `wrap` the file holds the wrapped key; a key that lay there in the clear is wrapped now. Raises
        `LedgerError` when the file cannot be used, and `VaultError` when the master key does not open it.
        """
        path = home / KEY_FILE
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _write(path, _closed(_pem(Ed25519PrivateKey.generate()), wrap), replace=False)
            stored = path.read_bytes()
            pem = _opened(stored, wrap)
            key = _load(pem, path)
            if wrap is not None and not stored.startswith(_WRAPPED):
                _write(path, _closed(pem, wrap), replace=True)
            signer = cls(key)
            public = home / PUBLIC_FILE
            if not public.exists():
                _write(public, signer.public_pem.encode("ascii"), replace=False, mode=0o644)
            if PublicKey.read(home).key_id != signer.key_id:
                raise LedgerError(f"{public} does not belong to {path}; restore both from the same backup.")
        except OSError as error:
            raise LedgerError(f"{path} cannot be used ({error.strerror}); check its owner and rights.") from error
        return signer

    @property
    def public_pem(self) -> str:
        """The public half, to hand to whoever verifies."""
        return self.public.pem

    @property
    def key_id(self) -> str:
        """See `PublicKey.key_id`."""
        return self.public.key_id

    def sign(self, data: bytes) -> bytes:
        """64 bytes over `data`, the same ones for the same data."""
        return self._key.sign(data)


def verify(public_pem: str | bytes, data: bytes, signature: bytes) -> bool:
    """Whether `signature` over `data` belongs to that public key. Raises `LedgerError` for what is no key."""
    return PublicKey.load(public_pem).verify(data, signature)


def _thumbprint(raw: bytes) -> str:
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
    digest = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load(pem: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(f"{path} is damaged; restore it from the backup, or the ledger cannot be continued.")
    return key


def _closed(pem: bytes, wrap: MasterKey | None) -> bytes:
    return pem if wrap is None else _WRAPPED + base64.encodebytes(wrap.wrap(pem))


def _opened(stored: bytes, wrap: MasterKey | None) -> bytes:
    if not stored.startswith(_WRAPPED):
        return stored
    if wrap is None:
        raise LedgerError("keys/signing.key is wrapped by a master key; set [store] master as it was.")
    try:
        wrapped = base64.b64decode(stored.removeprefix(_WRAPPED))
    except binascii.Error:
        raise LedgerError("keys/signing.key is damaged; restore it from the backup.") from None
    return wrap.unwrap(wrapped)


def _write(path: Path, data: bytes, *, replace: bool, mode: int = 0o600) -> None:
    # Whole or not at all, under another name first: of two workers that start at once one wins, and neither
    # ever reads half a key.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        if replace:
            draft.replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
