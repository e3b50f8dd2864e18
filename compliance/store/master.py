"""The master key: what wraps the key of the key store, and is kept somewhere else than the store.

Whoever has the database and the key store but not the master key has nothing. It is used once when a store
is opened, so it may be slow: a program that asks a key management service is fine.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import shlex
import subprocess
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.errors import VaultError
from compliance.settings import StoreSettings
from compliance.store.secret import SECRET_BYTES, read_secret_file

MASTER_FILE = "master.key"
_SERVICE = "ai-twin"
_NONCE_BYTES = 12
_PURPOSE = b"ai-twin master key"
_COMMAND_LIMIT_S = 20.0
_LOST = "without it nothing in the store can be read"


class MasterKey(Protocol):
    """Closes and opens keys. Both methods block, and raise `VaultError`."""

    def wrap(self, key: bytes) -> bytes:
        """The key, closed: for storage."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key that `wrap` was given; `VaultError` when it was closed by another master key."""
        ...


class SecretMaster:
    """A master key of 32 bytes in this process's memory, wherever it came from."""

    def __init__(self, secret: bytes, *, source: str) -> None:
        """`source` says in errors where the secret was read."""
        self._cipher = AESGCM(secret)
        self._source = source

    def wrap(self, key: bytes) -> bytes:
        """See `MasterKey`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, _PURPOSE)

    def unwrap(self, wrapped: bytes) -> bytes:
        """See `MasterKey`."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _PURPOSE)
        except (InvalidTag, ValueError) as error:
            raise VaultError(
                f"The master key in {self._source} is not the one this store was made with; restore that one."
            ) from error


class CommandMaster:
    """A program of the owner's (a key management service): base64 in on stdin, base64 out on stdout."""

    def __init__(self, command: str) -> None:
        """`command` is split like a shell's line, and run without a shell."""
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise VaultError("[store] master_command has an unclosed quote.") from error
        if not self._command:
            raise VaultError('[store] master is "command", so master_command must name a program.')

    def wrap(self, key: bytes) -> bytes:
        """See `MasterKey`."""
        return self._run("wrap", key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """See `MasterKey`."""
        return self._run("unwrap", wrapped)

    def _run(self, verb: str, data: bytes) -> bytes:
        name = self._command[0]
        try:
            done = subprocess.run(
                [*self._command, verb],
                input=base64.b64encode(data),
                capture_output=True,
                timeout=_COMMAND_LIMIT_S,
                check=True,
            )
            return base64.b64decode(done.stdout.strip(), validate=True)
        except OSError as error:
            raise VaultError(f"[store] master_command {name!r} cannot be run ({error.strerror}).") from error
        except subprocess.TimeoutExpired as error:
            raise VaultError(
                f"[store] master_command {name!r} did not {verb} within {_COMMAND_LIMIT_S:g} s."
            ) from error
        except subprocess.CalledProcessError as error:
            raise VaultError(
                f"[store] master_command {name!r} could not {verb} (exit status {error.returncode}); "
                "run it by hand to see why."
            ) from error
        except binascii.Error as error:
            raise VaultError(f"[store] master_command {name!r} must print base64 and nothing else.") from error


def open_master(home: Path, settings: StoreSettings, *, account: str, create: bool) -> MasterKey:
    """The master key that `[store] master` names; made when `create` is true and there is none yet.

    `account` names it in the keyring. Blocks. Raises `VaultError`, one line that says what to do.
    """
    if settings.master == "command":
        return CommandMaster(settings.master_command)
    if settings.master == "keyring":
        return SecretMaster(_from_keyring(account, create=create), source="the keyring")
    path = home / MASTER_FILE
    return SecretMaster(read_secret_file(path, create=create, needed=_LOST), source=str(path))


def _from_keyring(account: str, *, create: bool) -> bytes:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError as error:
        raise VaultError(
            '[store] master is "keyring", which is not installed; pip install "ai-twin[keyring]".'
        ) from error
    try:
        found = keyring.get_password(_SERVICE, account)
        if found is None and create:
            keyring.set_password(_SERVICE, account, secrets.token_hex(SECRET_BYTES))
            found = keyring.get_password(_SERVICE, account)
    except KeyringError as error:
        raise VaultError(
            f"The keyring cannot be used ({type(error).__name__}); unlock it, or set [store] master."
        ) from error
    if found is None:
        raise VaultError(f"The keyring has no master key for this store ({_SERVICE}, {account}), and {_LOST}.")
    try:
        secret = bytes.fromhex(found)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise VaultError(f"The keyring's master key for this store ({_SERVICE}, {account}) is damaged.")
    return secret
