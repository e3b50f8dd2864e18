"""What may be stored unsealed: words of ours and ids, in an alphabet that what people say does not fit."""

from __future__ import annotations

import re

from compliance.errors import VaultError

_WORD = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?")
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def plain_word(word: str) -> str:
    """A kind, reason, channel or provenance as it is. Raises `VaultError` when it is anything else."""
    if not _WORD.fullmatch(word):
        raise VaultError("Kinds, reasons and channels are plain words (a-z, 0-9, _ . -), not personal text.")
    return word


def plain_id(text: str) -> str:
    """An id or a name of an item as it is. Raises `VaultError` when it is anything else."""
    if not _ID.fullmatch(text):
        raise VaultError("Ids and names are up to 128 of A-Z a-z 0-9 _ . : -, and not personal.")
    return text


def plain_language(tag: str) -> str:
    """A language tag such as `de` or `pt-BR` as it is, or nothing. Raises `VaultError` for anything else."""
    if len(tag) > 16 or not _LANGUAGE.fullmatch(tag):
        raise VaultError("A language is a tag such as de or pt-BR.")
    return tag
