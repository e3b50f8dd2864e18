"""Thousands of ways to change a ledger without its key: each must be found, and none may open as if nothing were.

    python -m tests.soak.ledger --count 10000

Each mutation changes the files of a small real ledger: bits, bytes, lines, the order, whole files, older states of
some of them, and edits whose chain was made anew with no key, stale signatures or an attacker's own key. It fails
(exit 1) when `verify` finds nothing (with or without each signature), or when opening it loses an entry silently.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.errors import LedgerError
from compliance.ledger import ENTRIES, HEADS, Ledger
from compliance.proofs.audit import verify
from compliance.proofs.chain import NO_HASH, line_hash, read_entry, read_head, tree_leaf, write_entry, write_head
from compliance.proofs.merkle import Frontier
from compliance.proofs.signing import Signer

KINDS = ("disclosure_played", "consent_given", "consent_refused", "viewed", "erased")


@dataclass(frozen=True)
class Files:
    """The bytes of the three files; None is a file that is not there."""

    entries: bytes | None
    heads: bytes | None
    mirror: bytes | None

    def write(self, folder: Path, mirror: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(mirror, ignore_errors=True)
        folder.mkdir(parents=True)
        mirror.mkdir(parents=True)
        paths = (folder / ENTRIES, folder / HEADS, mirror / HEADS)
        for path, data in zip(paths, (self.entries, self.heads, self.mirror), strict=True):
            if data is not None:
                path.write_bytes(data)


@dataclass(frozen=True)
class Sample:
    """A ledger as it is, and as it was after each head."""

    signer: Signer
    now: Files
    past: tuple[Files, ...]


def make_sample(folder: Path, *, seed: int = 0, heads: int = 12) -> Sample:
    """A real ledger with one to five entries under each head."""
    chance = random.Random(seed)
    signer = Signer(Ed25519PrivateKey.generate())
    past: list[Files] = []
    at_s = 1_790_000_000.0
    with Ledger(folder / "ledger", signer, mirror=folder / "mirror", now=lambda: at_s) as ledger:
        for _ in range(heads):
            for _ in range(chance.randrange(1, 6)):
                at_s += chance.random() * 10
                ledger.append(chance.choice(KINDS), chance.randbytes(32).hex())
            ledger.sync()
            past.append(_read(folder))
    return Sample(signer, _read(folder), tuple(past[:-1]))


def _read(folder: Path) -> Files:
    paths = (folder / "ledger" / ENTRIES, folder / "ledger" / HEADS, folder / "mirror" / HEADS)
    return Files(*(path.read_bytes() for path in paths))


Mutation = Callable[[random.Random, Sample], Files]
_NAMES = ("entries", "heads", "mirror")


def _one(change: Callable[[random.Random, bytes], bytes]) -> Mutation:
    """Changes one of the files."""

    def mutate(chance: random.Random, sample: Sample) -> Files:
        name = chance.choice(_NAMES)
        return replace(sample.now, **{name: change(chance, getattr(sample.now, name))})

    mutate.__name__ = change.__name__
    return mutate


def _flip_bit(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _flip_bits(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.randrange(2, 20)):
        data = _flip_bit(chance, data)
    return data


def _delete_bytes(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randrange(1, 400) :]


def _insert_bytes(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    extra = chance.choice([b" ", b"\n", b"\r", b"\x00", b"0", b",", b"{}\n", chance.randbytes(8)])
    return data[:at] + extra + data[at:]


def _truncate(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _delete_line(chance: random.Random, data: bytes) -> bytes:
    lines = _lines(data)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _drop_last_lines(chance: random.Random, data: bytes) -> bytes:
    lines = _lines(data)
    return b"".join(lines[: chance.randrange(len(lines))])


def _duplicate_line(chance: random.Random, data: bytes) -> bytes:
    lines = _lines(data)
    line = chance.choice(lines)
    lines.insert(chance.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _swap_lines(chance: random.Random, data: bytes) -> bytes:
    lines = _lines(data)
    a, b = chance.sample(range(len(lines)), 2)
    lines[a], lines[b] = lines[b], lines[a]
    return b"".join(lines)


def _shuffle_lines(chance: random.Random, data: bytes) -> bytes:
    lines = _lines(data)
    chance.shuffle(lines)
    return b"".join(lines)


def _move_line(chance: random.Random, data: bytes) -> bytes:
    lines = _lines(data)
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _other_digit(chance: random.Random, data: bytes) -> bytes:
    """Another digit, another letter: a line that is still spelt like one."""
    places = [at for at, byte in enumerate(data) if byte in b"0123456789abcdef"]
    at = chance.choice(places)
    digits = b"0123456789" if data[at] in b"0123456789" else b"abcdef"
    return data[:at] + bytes([chance.choice(digits)]) + data[at + 1 :]


def roll_back_entries(chance: random.Random, sample: Sample) -> Files:
    return replace(sample.now, entries=chance.choice(sample.past).entries)


def roll_back_heads(chance: random.Random, sample: Sample) -> Files:
    return replace(sample.now, heads=chance.choice(sample.past).heads)


def roll_back_both(chance: random.Random, sample: Sample) -> Files:
    return replace(chance.choice(sample.past), mirror=sample.now.mirror)


def roll_back_each(chance: random.Random, sample: Sample) -> Files:
    entries, heads = (chance.choice(sample.past) for _ in range(2))
    return Files(entries.entries, heads.heads, sample.now.mirror)


def roll_back_heads_and_mirror(chance: random.Random, sample: Sample) -> Files:
    return replace(chance.choice(sample.past), entries=sample.now.entries)


def delete_file(chance: random.Random, sample: Sample) -> Files:
    return replace(sample.now, **{chance.choice(_NAMES): None})


def swap_files(chance: random.Random, sample: Sample) -> Files:
    now = sample.now
    return Files(entries=now.heads, heads=now.entries, mirror=now.mirror)


def rechain(chance: random.Random, sample: Sample) -> Files:
    """An entry edited or taken out, and all after it linked anew: with stale signatures or the attacker's."""
    return replace(sample.now, entries=_rechained(chance, sample, Signer(Ed25519PrivateKey.generate())))


def rechain_and_sign(chance: random.Random, sample: Sample) -> Files:
    """The same, and new heads over it by the attacker's key; sometimes in the mirror too."""
    attacker = Signer(Ed25519PrivateKey.generate())
    entries = _rechained(chance, sample, attacker)
    heads = _new_heads(entries, sample, attacker)
    mirror = heads if chance.random() < 0.5 else sample.now.mirror
    return Files(entries, heads, mirror)


def rechain_with_root(chance: random.Random, sample: Sample) -> Files:
    """The same, with the new roots put into the true heads, whose signatures stay; in both files."""
    entries = _rechained(chance, sample, Signer(Ed25519PrivateKey.generate()))
    heads = _new_heads(entries, sample, None)
    return Files(entries, heads, heads)


def append_forged_entry(chance: random.Random, sample: Sample) -> Files:
    assert sample.now.entries is not None
    lines = sample.now.entries.splitlines()
    last = read_entry(lines[-1])
    assert last is not None
    attacker = Signer(Ed25519PrivateKey.generate())
    _, line = write_entry(
        attacker,
        seq=len(lines),
        at_ms=last.at_ms,
        kind="erased",
        commitment=chance.randbytes(32).hex(),
        prev=last.hash,
    )
    return replace(sample.now, entries=sample.now.entries + line + b"\n")


def append_forged_head(chance: random.Random, sample: Sample) -> Files:
    assert sample.now.heads is not None
    lines = sample.now.heads.splitlines()
    last = read_head(lines[-1])
    assert last is not None
    attacker = Signer(Ed25519PrivateKey.generate())
    line = write_head(
        attacker, size=last.size + 1, at_ms=last.at_ms, root=chance.randbytes(32), prev=line_hash(lines[-1])
    )
    heads = sample.now.heads + line + b"\n"
    return replace(sample.now, heads=heads, mirror=heads if chance.random() < 0.5 else sample.now.mirror)


def _rechained(chance: random.Random, sample: Sample, attacker: Signer) -> bytes:
    assert sample.now.entries is not None
    entries = [entry for line in sample.now.entries.splitlines() if (entry := read_entry(line))]
    at = chance.randrange(len(entries))
    if chance.random() < 0.3 and len(entries) > 1:
        del entries[at]
    else:
        changes = (
            {"kind": chance.choice([kind for kind in KINDS if kind != entries[at].kind])},
            {"commitment": chance.randbytes(32).hex()},
            {"at_ms": entries[at].at_ms + chance.randrange(1, 10**6)},
        )
        entries[at] = replace(entries[at], **chance.choice(changes))
    stale = chance.random() < 0.5
    lines, prev = [], NO_HASH
    for seq, entry in enumerate(entries):
        leaf, line = write_entry(
            attacker, seq=seq, at_ms=entry.at_ms, kind=entry.kind, commitment=entry.commitment, prev=prev
        )
        if stale or leaf.hash == entry.hash:
            line = line[: line.rindex(b":") + 2] + entry.signature.hex().encode() + b'"}'
        lines.append(line + b"\n")
        prev = leaf.hash
    return b"".join(lines)


def _new_heads(entries: bytes, sample: Sample, attacker: Signer | None) -> bytes:
    """Heads over changed entries; without an attacker's key they keep their signatures."""
    assert sample.now.heads is not None
    leaves = [tree_leaf(line) for line in entries.splitlines()]
    lines, prev, frontier = [], NO_HASH, Frontier()
    for old in sample.now.heads.splitlines():
        head = read_head(old)
        assert head is not None
        size = min(head.size, len(leaves))
        while frontier.size < size:
            frontier.add(leaves[frontier.size])
        line = write_head(attacker or sample.signer, size=size, at_ms=head.at_ms, root=frontier.root(), prev=prev)
        if attacker is None:
            line = line[: line.rindex(b":") + 2] + head.signature.hex().encode() + b'"}'
        lines.append(line + b"\n")
        prev = line_hash(line)
    return b"".join(lines)


MUTATIONS: tuple[Mutation, ...] = (
    *map(
        _one,
        (
            *(_flip_bit,) * 4,
            _flip_bits,
            _delete_bytes,
            _insert_bytes,
            _truncate,
            _delete_line,
            _drop_last_lines,
            _duplicate_line,
            _swap_lines,
            _shuffle_lines,
            _move_line,
            *(_other_digit,) * 2,
        ),
    ),
    roll_back_entries,
    roll_back_heads,
    roll_back_both,
    roll_back_each,
    roll_back_heads_and_mirror,
    delete_file,
    swap_files,
    rechain,
    rechain_and_sign,
    rechain_with_root,
    append_forged_entry,
    append_forged_head,
)


def mutations(seed: int, count: int, sample: Sample) -> Iterator[tuple[str, Files]]:
    """That many, each of which changes something; the same for the same seed."""
    chance = random.Random(seed)
    made = 0
    while made < count:
        mutate = chance.choice(MUTATIONS)
        files = mutate(chance, sample)
        if files != sample.now:
            made += 1
            yield mutate.__name__.removeprefix("_"), files


def missed(name: str, files: Files, sample: Sample, folder: Path, *, opens: bool = True) -> list[str]:
    """What went unnoticed about one mutation."""
    ledger, mirror = folder / "changed", folder / "changed-mirror"
    files.write(ledger, mirror)
    wrong = []
    for signatures in (True, False):
        report = verify(ledger, mirror, sample.signer.public, signatures=signatures, settle_s=0)
        if report.ok:
            wrong.append(f"{name}: not found by verify (each signature: {signatures})")
    if opens and (lost := _lost_by_opening(ledger, mirror, sample)):
        wrong.append(f"{name}: {lost}")
    return wrong


def _lost_by_opening(folder: Path, mirror: Path, sample: Sample) -> str:
    """Opening may refuse, and may add what the mirror lacks; it may not go on as if an entry had never been."""
    try:
        with Ledger(folder, sample.signer, mirror=mirror):
            pass
    except LedgerError:
        return ""
    assert sample.now.entries is not None
    kept = (folder / ENTRIES).read_bytes().startswith(sample.now.entries)
    sound = verify(folder, mirror, sample.signer.public, settle_s=0).ok
    return "" if kept and sound else "it opened, and entries are gone"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20)
    asked = parser.parse_args()
    logging.disable()
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = make_sample(folder)
        assert verify(folder / "ledger", folder / "mirror", sample.signer.public).ok
        for kind, files in mutations(asked.seed, asked.count, sample):
            counts[kind] += 1
            wrong += missed(kind, files, sample, folder)
    for kind, count in sorted(counts.items()):
        print(f"{count:6} {kind}")
    for line in wrong[:20]:
        print(line)
    print(f"mutations {asked.count}, missed {len(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
