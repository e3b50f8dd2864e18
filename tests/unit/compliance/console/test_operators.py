"""Who may sign in, as it is stored."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from compliance.console.operators import Operators, normalise_name, spend_step
from compliance.console.totp import new_secret
from compliance.errors import SignInRefused
from compliance.settings import StoreSettings
from compliance.store.schema import operators
from compliance.vault import Vault
from tests.unit.compliance.console.house import PASSPHRASE, add_operator
from tests.unit.compliance.store_helpers import files_in


async def test_an_operator_is_stored_without_passphrase_and_secret_in_the_clear(vault: Vault, home: Path) -> None:
    secret = new_secret()
    ada = await add_operator(vault, "Ada", "owner", secret)
    assert (ada.name, ada.role, ada.state) == ("ada", "owner", "active")
    found = await Operators(vault).credentials("ada")
    assert found is not None
    assert found.totp_secret == secret
    assert found.last_totp_step is None
    await vault.flush()
    for path in files_in(home):
        assert secret.encode() not in path.read_bytes(), path
        assert PASSPHRASE.encode() not in path.read_bytes(), path


async def test_neither_is_shown_where_a_value_is_printed(vault: Vault) -> None:
    secret = new_secret()
    await add_operator(vault, "ada", "owner", secret)
    found = await Operators(vault).credentials("ada")
    assert secret not in repr(found)
    assert "argon2" not in repr(found)


async def test_a_name_is_taken_once_in_any_spelling(vault: Vault) -> None:
    await add_operator(vault, "ada", "owner", new_secret())
    with pytest.raises(SignInRefused, match="already"):
        await add_operator(vault, " ADA ", "reviewer", new_secret())
    assert [operator.role for operator in await Operators(vault).list()] == ["owner"]


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a" * 64, "ада", "a/b", "a\n", "a<b>", "a\x00"])
def test_names_that_could_mislead_are_refused(name: str) -> None:
    if name.strip() == "a":
        assert normalise_name(name) == "a"
        return
    with pytest.raises(SignInRefused, match="A name is"):
        normalise_name(name)


async def test_there_are_two_roles(vault: Vault) -> None:
    with pytest.raises(SignInRefused, match="owner or reviewer"):
        await add_operator(vault, "eve", "admin", new_secret())


async def test_disabling_somebody_who_is_not_there_says_so(vault: Vault) -> None:
    with pytest.raises(SignInRefused, match="no operator of that name"):
        await Operators(vault).disable("eve")


async def test_a_step_is_spent_once_and_never_backwards(vault: Vault) -> None:
    ada = await add_operator(vault, "ada", "owner", new_secret())
    spent = [await vault.run(partial(spend_step, operator_id=ada.id, step=step)) for step in (7, 7, 6, 8)]
    assert spent == [True, False, False, True]
    await Operators(vault).disable("ada")
    assert not await vault.run(lambda tx: spend_step(tx, ada.id, 9))


async def test_two_processes_cannot_spend_the_same_step(home: Path, store: StoreSettings) -> None:
    async with Vault(home, store) as one, Vault(home, store) as other:
        ada = await add_operator(one, "ada", "owner", new_secret())
        results = [await vault.run(lambda tx: spend_step(tx, ada.id, 5)) for vault in (one, other)]
    assert sorted(results) == [False, True]


async def test_a_hash_is_renewed_only_if_the_passphrase_was_not_changed_meanwhile(vault: Vault) -> None:
    ada = await add_operator(vault, "ada", "owner", new_secret())
    everybody = Operators(vault)
    await everybody.rehash(ada.id, old="another", new="new")
    assert (await everybody.credentials("ada")).passphrase_hash != "new"  # type: ignore[union-attr]
    old = (await everybody.credentials("ada")).passphrase_hash  # type: ignore[union-attr]
    await everybody.rehash(ada.id, old=old, new="new")
    stored = await vault.run(lambda tx: tx.connection.execute(select(operators.c.passphrase_hash)).scalar())
    assert stored == "new"
