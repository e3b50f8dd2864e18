"""`twin operator`: adding, listing and disabling who may use the console."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyotp
import pytest
from rich.console import Console

from agent import operators
from agent.example import write
from agent.home import Home
from compliance.console.operators import Operators
from compliance.console.passphrase import Passphrases
from compliance.errors import SignInRefused
from compliance.evidence import open_evidence
from compliance.settings import StoreSettings
from compliance.vault import Vault

GOOD = "vier farbige Enten im Regen"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    write(tmp_path / "twin")
    return Home(tmp_path / "twin")


def printed() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=100), out


async def test_an_added_operator_can_prove_who_they_are(home: Home) -> None:
    added = await operators.add(home, "Ada", "owner", GOOD)
    assert (added.operator.name, added.passphrase) == ("ada", "")
    async with Vault(home.path) as vault:
        found = await Operators(vault).credentials("ada")
    assert found is not None
    assert await Passphrases().check(found.passphrase_hash, GOOD)
    assert found.totp_secret == added.totp_secret == pyotp.parse_uri(added.totp_uri).secret


async def test_a_passphrase_is_made_up_when_none_is_given(home: Home) -> None:
    added = await operators.add(home, "rob", "reviewer")
    assert len(added.passphrase) == 23
    assert added.passphrase not in repr(added)


async def test_a_weak_one_is_not_taken(home: Home) -> None:
    with pytest.raises(SignInRefused, match="at least 12"):
        await operators.add(home, "ada", "owner", "short")
    assert await operators.listed(home) == ()


async def test_who_was_added_and_disabled_is_in_the_ledger(home: Home) -> None:
    await operators.add(home, "ada", "owner", GOOD)
    assert (await operators.disable(home, "ADA")).state == "disabled"
    assert [(one.name, one.state) for one in await operators.listed(home)] == [("ada", "disabled")]
    async with Vault(home.path) as vault, open_evidence(home.path, vault, StoreSettings()) as evidence:
        noted = [entry.detail for entry in await evidence.recent()]
    assert noted == [
        {"what": "operator disabled", "which": "ada"},
        {"what": "operator added", "which": "ada", "role": "owner"},
    ]


async def test_what_is_shown_once_holds_the_secret_and_a_code_to_scan(home: Home) -> None:
    added = await operators.add(home, "ada", "owner")
    console, out = printed()
    operators.print_added(console, added)
    text = out.getvalue()
    assert added.passphrase in text
    assert added.totp_secret in text
    assert "█" in text
    assert max(len(line) for line in text.splitlines()) <= 100


async def test_lists_are_for_people_and_for_scripts(home: Home) -> None:
    console, out = printed()
    operators.print_list(console, await operators.listed(home))
    assert "twin operator add" in out.getvalue()
    await operators.add(home, "ada", "owner", GOOD)
    everybody = await operators.listed(home)
    operators.print_list(console, everybody)
    assert "owner" in out.getvalue()
    assert [one["name"] for one in json.loads(operators.as_json(everybody))] == ["ada"]


class Asked:
    """Somebody at the terminal who answers one question after the other."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    def __call__(self, question: str) -> str:
        self.questions.append(question)
        return self.answers.pop(0)


def test_a_passphrase_is_asked_for_twice() -> None:
    asked = Asked(GOOD, GOOD)
    assert operators.ask_passphrase("ada", asked) == GOOD
    assert asked.questions[1] == "Again"


def test_nothing_typed_means_one_is_made_up() -> None:
    assert operators.ask_passphrase("ada", Asked("")) == ""


def test_a_weak_or_mistyped_passphrase_is_asked_for_again_with_the_reason() -> None:
    asked = Asked("short", GOOD, "another", GOOD, GOOD)
    assert operators.ask_passphrase("ada", asked) == GOOD
    assert asked.questions[1].startswith("A passphrase has at least 12")
    assert asked.questions[3].startswith("The two differ.")


def test_after_three_tries_it_is_given_up() -> None:
    with pytest.raises(SignInRefused, match="at least 12"):
        operators.ask_passphrase("ada", Asked("short", "short", "short"))
