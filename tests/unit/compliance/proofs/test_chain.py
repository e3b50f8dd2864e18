"""A line of the ledger has one spelling, which JSON readers understand and nothing else is taken for."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.proofs.chain import NO_HASH, read_entry, read_head, write_entry, write_head
from compliance.proofs.signing import Signer

SIGNER = Signer(Ed25519PrivateKey.generate())
LEAF, ENTRY = write_entry(
    SIGNER, seq=7, at_ms=1_790_000_000_000, kind="viewed", commitment="ab" * 32, prev=NO_HASH
)
HEAD = write_head(SIGNER, size=8, at_ms=1_790_000_000_000, root=b"\x01" * 32, prev=NO_HASH)


def test_a_line_is_json_and_reads_back() -> None:
    entry, head = read_entry(ENTRY), read_head(HEAD)
    assert entry is not None
    assert head is not None
    assert entry.leaf == LEAF
    assert (entry.hash_holds, entry.signed_by(SIGNER.public), head.signed_by(SIGNER.public)) == (True, True, True)
    assert json.loads(ENTRY)["commitment"] == entry.commitment == "ab" * 32
    assert json.loads(HEAD)["size"] == head.size == 8


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":7', b'"seq":07'),
        (b'"seq":7', b'"seq": 7'),
        (b'"seq":7', b'"seq":-7'),
        (b'"seq":7', b'"seq":7.0'),
        (b'"seq":7', '"seq":\u0667'.encode()),
        (b'"seq":7', b'"seq":' + b"7" * 19),
        (b'"viewed"', b'"Viewed"'),
        (b'"viewed"', b'"vie\\u0077ed"'),
        (b'"viewed"', b'""'),
        (b"abab", b"ABAB"),
        (b"}", b"} "),
        (b"}", b"}\n"),
        (b"}", b',"more":1}'),
        (b"{", b'{"seq":7,'),
    ],
)
def test_another_spelling_is_no_entry(old: bytes, new: bytes) -> None:
    assert old in ENTRY
    assert read_entry(ENTRY.replace(old, new, 1)) is None


def test_an_entry_and_a_head_are_not_taken_for_each_other() -> None:
    assert read_entry(HEAD) is None
    assert read_head(ENTRY) is None
    assert read_head(HEAD + b" ") is None


def test_a_signature_for_an_entry_does_not_fit_a_head() -> None:
    entry, head = read_entry(ENTRY), read_head(HEAD)
    assert entry is not None
    assert head is not None
    crossed = HEAD.replace(head.signature.hex().encode(), entry.signature.hex().encode())
    read = read_head(crossed)
    assert read is not None
    assert not read.signed_by(SIGNER.public)
