"""A sealed value opens where it was put, for whom it was sealed, unchanged, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from compliance.errors import KeyGone, VaultError
from compliance.settings import StoreSettings
from compliance.store.keys import Keys
from compliance.store.seal import PLAIN, Sealer, open_sealed, seal
from compliance.vault import Vault

PLACE = "turns.sealed_text"


@pytest.fixture
def keys(home: Path) -> Iterator[Keys]:
    home.mkdir()
    keys = Keys(home, StoreSettings())
    keys.open(bound=None, apart_from=make_url("sqlite:////nowhere/twin.db"))
    yield keys
    keys.close()


@pytest.mark.parametrize("plain", [b"", b"x", "Grüße".encode(), bytes(100_000)])
def test_what_was_sealed_opens_again(keys: Keys, plain: bytes) -> None:
    sealed = seal(keys, plain, key_id="call-1", place=PLACE)
    assert open_sealed(keys, sealed, key_id="call-1", place=PLACE) == plain
    assert len(sealed) == 1 + 12 + len(plain) + 16
    assert plain not in sealed or not plain.strip(b"x")


def test_the_same_text_is_never_sealed_alike(keys: Keys) -> None:
    assert len({seal(keys, b"hello", key_id="call-1", place=PLACE) for _ in range(100)}) == 100


def test_any_changed_bit_is_noticed(keys: Keys) -> None:
    sealed = seal(keys, b"hello", key_id="call-1", place=PLACE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(VaultError):
            open_sealed(keys, bytes(changed), key_id="call-1", place=PLACE)
    for end in range(len(sealed)):
        with pytest.raises(VaultError):
            open_sealed(keys, sealed[:end], key_id="call-1", place=PLACE)


def test_a_value_that_was_moved_does_not_open(keys: Keys) -> None:
    sealed = seal(keys, b"hello", key_id="call-1", place=PLACE)
    keys.make(["call-2"])
    for key_id, place in (("call-2", PLACE), ("call-1", "turns.sealed_words")):
        with pytest.raises(VaultError, match=f"A value in {place} was changed"):
            open_sealed(keys, sealed, key_id=key_id, place=place)


def test_what_is_not_encrypted_is_not_taken_for_sealed(keys: Keys) -> None:
    keys.make(["call-1"])
    with pytest.raises(VaultError, match="another version"):
        open_sealed(keys, PLAIN + b"planted", key_id="call-1", place=PLACE)


def test_a_lost_key_is_no_destroyed_one(keys: Keys) -> None:
    sealed = seal(keys, b"hello", key_id="call-1", place=PLACE)
    with pytest.raises(VaultError, match="older than the store") as caught:
        open_sealed(keys, sealed, key_id="call-2", place=PLACE)
    assert not isinstance(caught.value, KeyGone)


async def test_a_sealer_works_in_any_thread_until_its_key_is_destroyed(vault: Vault) -> None:
    sealer = vault.sealer("call-1")

    def there_and_back(number: int) -> bool:
        sealed = sealer.seal(b"chunk %d" % number, place="recordings.chunk")
        return vault.sealer("call-1").open(sealed, place="recordings.chunk") == b"chunk %d" % number

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(there_and_back, range(200)))
    sealed = sealer.seal(b"last", place="recordings.chunk")
    await vault.destroy_keys(["call-1"])
    with pytest.raises(KeyGone):
        sealer.open(sealed, place="recordings.chunk")
    with pytest.raises(KeyGone):
        sealer.seal(b"more", place="recordings.chunk")


def test_a_sealer_of_a_closed_store_says_so(home: Path) -> None:
    sealer = Sealer(Keys(home, StoreSettings()), "call-1")
    with pytest.raises(VaultError, match="not open"):
        sealer.seal(b"x", place=PLACE)
