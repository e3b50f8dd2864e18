"""What was said is found again, in any language, until the person is forgotten; nothing of it is on a disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compliance.search import Search
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import files_in, heard

SAID = {
    "en": "I would like to cancel my appointment with Doctor O'Neill, please.",
    "de": "Könnten Sie mir bitte die Rechnung für März schicken?",
    "fr": "Je voudrais déplacer le rendez-vous à l'été prochain",
    "ja": "来週の火曜日に予約をお願いします",
    "zh": "请把发票寄到我的邮箱",
}


class Clock:
    """Unix time that moves on by a minute whenever it is read."""

    now_s = 1_700_000_000.0

    def __call__(self) -> float:
        self.now_s += 60
        return self.now_s


@pytest.fixture
async def vault(home: Path, store: StoreSettings) -> AsyncIterator[Vault]:
    async with Vault(home, store, now=Clock()) as vault:
        for language, text in SAID.items():
            vault.begin_call(language, channel="web", subject=f"{language}@example.org", language=language)
            vault.turn_heard(language, heard(0, text))
        yield vault


@pytest.fixture
async def search(vault: Vault) -> AsyncIterator[Search]:
    search = Search(vault)
    yield search
    await search.close()


async def found(search: Search, text: str) -> list[str]:
    return [hit.call_id for hit in await search.find(text)]


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        ("appointment", ["en"]),
        ("APPOINT", ["en"]),
        ("cancel doctor", ["en"]),
        ("cancel rechnung", []),
        ("o'neill", ["en"]),
        ('"my appointment"', ["en"]),
        ('"appointment my"', []),
        ("marz konnten", ["de"]),
        ("für März", ["de"]),
        ("ete DEPLACER", ["fr"]),
        ("rendez-vous", ["fr"]),
        ("火曜日", ["ja"]),
        ("予約", ["ja"]),
        ("发票寄到", ["zh"]),
        ("票", ["zh"]),
        ("?", []),
        ("", []),
        ("\" OR '; DROP TABLE turns --", []),
        ("appointment*", ["en"]),
        ("NOT NEAR(appointment", []),
    ],
)
async def test_words_are_found_by_their_beginning_in_every_script(
    search: Search, asked: str, calls: list[str]
) -> None:
    assert await found(search, asked) == calls


async def test_a_hit_says_where_it_is_and_shows_what_stands_around_it(vault: Vault, search: Search) -> None:
    long = " ".join(["before"] * 50) + " the purple elephant " + " ".join(["after"] * 50)
    vault.turn_heard("en", heard(7, long))
    (hit,) = await search.find("elephant")
    assert (hit.call_id, hit.sequence) == ("en", 7)
    assert "the purple elephant after" in hit.snippet
    assert hit.snippet.startswith("… before")
    assert hit.snippet.endswith("after …")
    assert len(hit.snippet) < 140


async def test_the_newest_come_first_and_older_ones_page_by_page(vault: Vault, search: Search) -> None:
    for number in range(9):
        vault.turn_heard("en", heard(10 + number, f"banana number {number}"))
    pages: list[list[int]] = []
    before = None
    while hits := await search.find("banana", limit=4, before=before):
        pages.append([hit.sequence for hit in hits])
        before = hits[-1].at_ms
    assert pages == [[18, 17, 16, 15], [14, 13, 12, 11], [10]]


async def test_what_is_said_meanwhile_is_found_at_once(vault: Vault, search: Search) -> None:
    assert await found(search, "zebra") == []
    vault.turn_heard("de", heard(1, "ein Ze"))
    assert await found(search, "zebra") == []
    vault.turn_heard("de", heard(1, "ein Zebra"))
    assert await found(search, "zebra") == ["de"]
    vault.turns_forgotten("de")
    assert await found(search, "zebra") == []
    assert b"ebra" not in await search.memory()


async def test_who_was_forgotten_is_not_found_and_not_in_memory(vault: Vault, search: Search) -> None:
    assert await found(search, "rechnung") == ["de"]
    assert b"Rechnung" in await search.memory()
    await vault.forget("de@example.org")
    assert await found(search, "rechnung") == []
    memory = await search.memory()
    assert not [part for part in (b"Rechnung", b"rechnung", b"schicken") if part in memory]
    assert b"appointment" in memory
    assert await found(search, "appointment") == ["en"]


async def test_a_destroyed_key_ends_it_before_the_rows_are_gone(vault: Vault, search: Search) -> None:
    assert await found(search, "rechnung") == ["de"]
    await vault.destroy_keys(["de"])
    assert await found(search, "rechnung") == []
    assert b"echnung" not in await search.memory()
    assert await found(Search(vault), "rechnung") == []


async def test_calls_can_be_taken_out_of_memory_at_once(vault: Vault, search: Search) -> None:
    await search.forget(["de"])
    assert await search.memory() == b""
    assert await found(search, "rechnung") == ["de"]
    await search.forget(["de", "nobody"])
    assert b"echnung" not in await search.memory()


async def test_only_the_newest_calls_are_in_memory(vault: Vault) -> None:
    search = Search(vault, most_turns=2)
    assert await found(search, "appointment") == []
    assert await found(search, "火曜日") == ["ja"]
    vault.turn_heard("en", heard(1, "one more thing"))
    assert await found(search, "appointment") == ["en"]
    assert await found(search, "火曜日") == []
    await search.close()


async def test_no_file_holds_what_was_searched(home: Path) -> None:
    async with Vault(home) as vault:
        for number in range(50):
            vault.begin_call(f"c{number}", channel="web")
            for turn in range(20):
                vault.turn_heard(f"c{number}", heard(turn, f"the hushed elephant number {turn}"))
        search = Search(vault)
        assert len(await search.find("elephant", limit=2_000)) == 1_000
        assert not [path for path in files_in(home) if b"hushed" in path.read_bytes()]
        await search.close()
