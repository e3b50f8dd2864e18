"""A proof convinces somebody who has the public key and nothing else; any other proof does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.errors import LedgerError
from compliance.proofs.proof import Consistency, Inclusion, Proofs
from compliance.proofs.signing import PublicKey, Signer
from tests.unit.compliance.ledger_helpers import Site, commitment


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "home")
    made.fill(5, 3)
    return made


def test_every_entry_has_a_proof_that_travels_as_json(site: Site) -> None:
    proofs = Proofs(site.folder)
    public = PublicKey.load(site.signer.public_pem)
    for seq, line in enumerate(site.entries.read_bytes().splitlines()):
        proof = proofs.inclusion(json.loads(line)["hash"])
        travelled = Inclusion.from_json(json.loads(json.dumps(proof.as_json())))
        entry = travelled.check(public)
        assert entry is not None
        assert (entry.seq, entry.commitment) == (seq, json.loads(line)["commitment"])


def test_a_changed_proof_is_none(site: Site, tmp_path: Path) -> None:
    lines = site.entries.read_bytes().decode().splitlines()
    proof = Proofs(site.folder).inclusion(json.loads(lines[4])["hash"])
    public = site.signer.public
    assert proof.check(public)
    assert proof.check(Signer.open(tmp_path / "other", None).public) is None
    other_head = site.heads.read_bytes().decode().splitlines()[2]
    for changed in (
        replace(proof, entry=lines[5]),
        replace(proof, entry=proof.entry.replace("viewed", "erased")),
        replace(proof, head=other_head),
        replace(proof, head=proof.head.replace("1", "2", 1)),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=("00" * 32, *proof.path[1:])),
        replace(proof, path=("Anna", *proof.path[1:])),
        replace(proof, path=proof.path * 100),
        replace(proof, entry="\udcff"),
    ):
        assert changed.check(public) is None


@pytest.mark.parametrize(
    "value", [{}, {"entry": 1, "head": "", "path": []}, {"entry": "", "head": "", "path": [1]}]
)
def test_what_is_no_proof_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match="not a proof"):
        Inclusion.from_json(value)


def test_leaves_are_found_while_others_append(site: Site) -> None:
    proofs = Proofs(site.folder)
    assert proofs.leaves([]) == {}
    with site.ledger() as ledger:
        leaf = ledger.append("viewed", commitment("new"))
        found = proofs.leaves([leaf.hash, "ab" * 32])
        assert {digest: entry.leaf for digest, entry in found.items()} == {leaf.hash: leaf}
        with pytest.raises(LedgerError, match="under a signed head"):
            proofs.inclusion(leaf)
        ledger.sync()
        assert proofs.inclusion(leaf).check(site.signer.public)


def test_todays_ledger_is_shown_to_continue_an_older_one(site: Site, tmp_path: Path) -> None:
    older = site.heads.read_bytes().decode().splitlines()
    site.fill(2, 5)
    proofs = Proofs(site.folder)
    for head in older:
        proof = proofs.consistency(head)
        assert proof.check(site.signer.public)
        assert Consistency(**{**proof.as_json(), "path": tuple(proof.path)}) == proof
    assert not replace(proof, old=older[0]).check(site.signer.public)
    fork = Site(tmp_path / "fork")
    fork.fill(5, 3)
    with pytest.raises(LedgerError, match="no such older head"):
        proofs.consistency("{}")
    foreign = proofs.consistency(fork.heads.read_bytes().decode().splitlines()[2])
    assert not foreign.check(site.signer.public)


def test_what_was_cut_off_and_written_anew_is_read_anew(site: Site) -> None:
    proofs = Proofs(site.folder)
    good = site.entries.read_bytes()
    ledger = site.ledger()
    ledger.open()
    gone = ledger.append("viewed", commitment("gone"))
    assert proofs.leaves([gone.hash])
    site.entries.write_bytes(good)
    with site.ledger() as again:
        leaf = again.append("viewed", commitment("instead"))
    with pytest.raises(LedgerError):
        ledger.close()
    assert proofs.inclusion(leaf).check(site.signer.public)


def test_changed_files_give_no_proof(site: Site) -> None:
    digest = json.loads(site.entries.read_bytes().splitlines()[3])["hash"]
    site.entries.write_bytes(site.entries.read_bytes().replace(b"viewed", b"erased", 1))
    with pytest.raises(LedgerError, match="was changed"):
        Proofs(site.folder).inclusion(digest)
    site.entries.write_bytes(b"nothing\n")
    with pytest.raises(LedgerError, match="was changed"):
        Proofs(site.folder).inclusion(digest)


def test_a_home_without_a_ledger_has_no_proofs(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        Proofs(tmp_path).leaves(["00" * 32])
