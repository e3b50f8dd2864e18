"""Files of 32 random bytes that everything else hangs on: made once, for their owner's eyes only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from compliance.errors import VaultError

SECRET_BYTES = 32


def read_secret_file(path: Path, *, create: bool, needed: str) -> bytes:
    """The secret in that file; made (mode 0600) when `create` is true and there is none yet.

    Blocks. Raises `VaultError` when it is missing and may not be made, or is not a secret; `needed` says in
    that line what it is for ("the database needs it to find people").
    """
    try:
        if create and not path.exists():
            _make(path)
        secret = path.read_bytes()
    except FileNotFoundError:
        raise VaultError(f"{path} is missing, and {needed}; restore it from the backup.") from None
    except OSError as error:
        raise VaultError(f"{path} cannot be used ({error.strerror}); check the folder's owner.") from error
    if len(secret) != SECRET_BYTES:
        raise VaultError(f"{path} is damaged ({len(secret)} bytes); restore it from the backup.")
    return secret


def _make(path: Path) -> None:
    # Written in full under another name and then linked: of two workers starting at once one wins, and
    # neither ever reads a half-written secret.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            os.write(handle, secrets.token_bytes(SECRET_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
