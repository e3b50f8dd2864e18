"""The lines of the ledger: how an entry and a signed tree head are spelt, and what hashes and signatures cover.

    entries.jsonl  {"seq":7,"at_ms":...,"kind":"viewed","commitment":"..","prev":"..","hash":"..","signature":".."}
    heads.jsonl    {"size":8,"at_ms":...,"root":"..","key":"..","prev":"..","signature":".."}

Each entry's `hash` covers all that stands before it, `prev` being the hash of the entry before; the signature is
over that hash. A head signs the root of the Merkle tree whose items are the entries' whole lines, signatures
included, and `prev` in a head is the hash of the whole line before it: so the newest head alone vouches for every
byte of both files. A line has exactly one spelling, and reading accepts no other.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from compliance.clear import plain_word
from compliance.proofs import merkle
from compliance.proofs.signing import PublicKey, Signer

NO_HASH = "0" * 64
"""What stands for the hash before the first."""
_ENTRY_PURPOSE = b"twin ledger entry 1\n"
_HEAD_PURPOSE = b"twin ledger head 1\n"
_NUMBER = rb"(0|[1-9][0-9]{0,17})"
_HASH = rb"([0-9a-f]{64})"
_SIGNATURE = rb'"signature":"([0-9a-f]{128})"\}'
_ENTRY = re.compile(
    rb'(\{"seq":%s,"at_ms":%s,"kind":"([a-z][a-z0-9_.-]{0,63})","commitment":"%s","prev":"%s"),"hash":"%s",%s'
    % (_NUMBER, _NUMBER, _HASH, _HASH, _HASH, _SIGNATURE)
)
_HEAD = re.compile(
    rb'(\{"size":%s,"at_ms":%s,"root":"%s","key":"([A-Za-z0-9_-]{43})","prev":"%s"),%s'
    % (_NUMBER, _NUMBER, _HASH, _HASH, _SIGNATURE)
)
_COMMITMENT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where something stands in the ledger."""

    seq: int
    """Counted from 0."""
    hash: str
    """64 hexadecimal digits."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as read."""

    seq: int
    at_ms: int
    kind: str
    commitment: str
    """64 hexadecimal digits that say nothing without the salt, which the ledger does not hold."""
    prev: str
    hash: str
    signature: bytes
    body: bytes
    """What `hash` covers."""

    @property
    def hash_holds(self) -> bool:
        """Whether `hash` is that of the rest."""
        return self.hash == _entry_hash(self.body)

    def signed_by(self, key: PublicKey) -> bool:
        """Whether the signature over `hash` was made by that key."""
        return key.verify(_ENTRY_PURPOSE + bytes.fromhex(self.hash), self.signature)

    @property
    def leaf(self) -> Leaf:
        """Where it stands."""
        return Leaf(self.seq, self.hash, self.at_ms)


@dataclass(frozen=True, slots=True)
class Head:
    """A signed tree head, as read."""

    size: int
    """How many entries it covers."""
    at_ms: int
    root: str
    """Root of the Merkle tree over their lines, 64 hexadecimal digits."""
    key_id: str
    prev: str
    signature: bytes
    body: bytes
    """What the signature covers."""

    def signed_by(self, key: PublicKey) -> bool:
        """Whether it was signed by that key, and says so."""
        return self.key_id == key.key_id and key.verify(_HEAD_PURPOSE + self.body, self.signature)


def write_entry(
    signer: Signer, *, seq: int, at_ms: int, kind: str, commitment: str, prev: str
) -> tuple[Leaf, bytes]:
    """A new entry and its line, without the line's end. Raises `VaultError` for a kind that is no plain word."""
    if not _COMMITMENT.fullmatch(commitment):
        raise ValueError("A commitment is 64 hexadecimal digits in lower case.")
    body = (
        f'{{"seq":{seq},"at_ms":{at_ms},"kind":"{plain_word(kind)}","commitment":"{commitment}","prev":"{prev}"'
    ).encode("ascii")
    digest = _entry_hash(body)
    signature = signer.sign(_ENTRY_PURPOSE + bytes.fromhex(digest))
    line = body + f',"hash":"{digest}","signature":"{signature.hex()}"}}'.encode("ascii")
    return Leaf(seq, digest, at_ms), line


def write_head(signer: Signer, *, size: int, at_ms: int, root: bytes, prev: str) -> bytes:
    """The line of a new head, without the line's end."""
    body = (
        f'{{"size":{size},"at_ms":{at_ms},"root":"{root.hex()}","key":"{signer.key_id}","prev":"{prev}"'
    ).encode("ascii")
    return body + f',"signature":"{signer.sign(_HEAD_PURPOSE + body).hex()}"}}'.encode("ascii")


def read_entry(line: bytes) -> Entry | None:
    """The entry in a line without its end; None when it is not spelt like one."""
    found = _ENTRY.fullmatch(line)
    if found is None:
        return None
    body, seq, at_ms, kind, commitment, prev, digest, signature = found.groups()
    return Entry(
        seq=int(seq),
        at_ms=int(at_ms),
        kind=kind.decode("ascii"),
        commitment=commitment.decode("ascii"),
        prev=prev.decode("ascii"),
        hash=digest.decode("ascii"),
        signature=bytes.fromhex(signature.decode("ascii")),
        body=body,
    )


def read_head(line: bytes) -> Head | None:
    """The head in a line without its end; None when it is not spelt like one."""
    found = _HEAD.fullmatch(line)
    if found is None:
        return None
    body, size, at_ms, root, key_id, prev, signature = found.groups()
    return Head(
        size=int(size),
        at_ms=int(at_ms),
        root=root.decode("ascii"),
        key_id=key_id.decode("ascii"),
        prev=prev.decode("ascii"),
        signature=bytes.fromhex(signature.decode("ascii")),
        body=body,
    )


def line_hash(line: bytes) -> str:
    """The hash of a head's whole line, for the next head's `prev`."""
    return hashlib.sha256(line).hexdigest()


def tree_leaf(line: bytes) -> bytes:
    """The leaf of the Merkle tree that stands for an entry's whole line."""
    return merkle.leaf_hash(line)


def _entry_hash(body: bytes) -> str:
    return hashlib.sha256(_ENTRY_PURPOSE + body).hexdigest()
