"""`twin doctor` on what is kept, proved and promised: each check on a real home with store, keys and ledger."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent import doctor_archive as archive
from agent import operators
from agent.engines import registry
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.prepared import prepare
from agent.example import write
from agent.findings import Check, Patient
from agent.home import Home
from agent.opening import PREPARED, texts_of
from agent.settings import Settings, VoiceSection
from compliance.evidence import open_evidence
from compliance.jurisdiction import Law
from compliance.requests import Requests
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.unit.agent.owner import owner

DAY_S = 86_400


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """As `twin init` writes it."""
    write(tmp_path / "home")
    return Home(tmp_path / "home")


def patient(home: Home, **sections: object) -> Patient:
    return Patient(home, Settings.model_validate(sections), {})


async def in_store(check: str, of: Patient) -> Check:
    """One of the checks that look into the store."""
    async with Vault(of.path, of.settings.store) as vault:
        found: Check = await getattr(archive, check)(of, vault)
    return found


async def noted(home: Home, times: int = 1) -> None:
    """Entries in the ledger, which begins it."""
    async with Vault(home.path) as vault, open_evidence(home.path, vault, StoreSettings()) as evidence:
        for _ in range(times):
            await evidence.noted("settings_changed", detail={"what": "a test"})


# ---- keys, ledger, mirror


async def test_the_master_key_is_asked_and_its_kind_is_said(home: Home) -> None:
    check = await in_store("keys", patient(home))
    assert check.verdict == "ok"
    assert "file of the home" in check.detail


async def test_a_keyring_that_is_not_installed_names_the_extra(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "find_spec", lambda name: None)
    check = await archive.keys(patient(home, store={"master": "keyring"}), None)
    assert check.verdict == "fail"
    assert "[keyring]" in check.mend


async def test_a_master_key_that_does_not_answer_fails_and_the_rest_is_still_examined(home: Home) -> None:
    nowhere = {"master": "command", "master_command": str(home.path / "no-such-program")}
    checks = {check.name: check for check in await archive.examine(patient(home, store=nowhere))}
    assert checks["keys"].verdict == "fail"
    assert "operators" not in checks
    assert checks["disclosure"].verdict == "ok"


async def test_a_program_that_gives_back_something_else_fails(home: Home) -> None:
    program = home.path / "kms"
    # It answers as it should until it was moved away from: then it forgets what it is asked.
    program.write_text('#!/bin/sh\nif [ -e "$0.gone" ]; then echo AAAA; else cat; fi\n')
    program.chmod(0o700)
    examined = patient(home, store={"master": "command", "master_command": str(program)})
    async with Vault(home.path, examined.settings.store) as vault:
        assert (await archive.keys(examined, vault)).verdict == "ok"
        (home.path / "kms.gone").touch()
        assert (await archive.keys(examined, vault)).verdict == "fail"


async def test_a_ledger_is_whole_or_says_where_it_is_not(home: Home) -> None:
    assert "begins" in (await in_store("ledger", patient(home))).detail
    await noted(home, 3)
    check = await in_store("ledger", patient(home))
    assert check.verdict == "ok"
    assert "4 entries" in check.detail
    entries = home.path / "ledger" / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b"settings_changed", b"settings_chamged", 1))
    check = await in_store("ledger", patient(home))
    assert check.verdict == "fail"
    assert f"twin ledger verify --home {home.path}" in check.mend


async def test_a_ledger_that_a_killed_process_left_is_mended_as_at_the_next_start(home: Home) -> None:
    await noted(home)
    with (home.path / "ledger" / "entries.jsonl").open("ab") as file:
        file.write(b'{"seq":2,"half a li')
    assert (await in_store("ledger", patient(home))).verdict == "ok"


def test_a_mirror_on_the_same_disk_is_pointed_out(home: Home) -> None:
    check = archive.mirror(patient(home))
    assert check.verdict == "warn"
    assert "[store]\nmirror = " in check.mend


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a second file system")
def test_a_mirror_on_another_disk_is_well(home: Home) -> None:
    assert archive.mirror(patient(home, store={"mirror": "/proc/no-such-folder"})).verdict == "ok"


# ---- people


async def test_a_console_that_nobody_may_enter_is_pointed_out_with_the_command(home: Home) -> None:
    check = await in_store("operators", patient(home))
    assert check.verdict == "warn"
    assert check.mend == f"twin operator add NAME --role owner --home {home.path}"
    await operators.add(home, "rita", "reviewer")
    assert (await in_store("operators", patient(home))).verdict == "warn"
    await operators.add(home, "martin", "owner")
    check = await in_store("operators", patient(home))
    assert check.verdict == "ok"
    assert "1 owner and 1 reviewer " in check.detail
    await operators.disable(home, "rita")
    await operators.disable(home, "martin")
    assert (await in_store("operators", patient(home))).verdict == "warn"


@pytest.mark.parametrize(
    ("age_days", "verdict", "said"),
    [(0, "ok", "nothing is due"), (22, "warn", "1 request due within 7 days"), (29, "warn", "1 request overdue")],
)
async def test_requests_that_become_late_are_pointed_out(
    age_days: int, verdict: str, said: str, home: Home
) -> None:
    async with Vault(home.path) as vault, open_evidence(home.path, vault, StoreSettings()) as evidence:
        desk = Requests(vault, note=evidence.note, now=lambda: time.time() - age_days * DAY_S)
        request = await desk.open("erasure", "web", law=Law("GDPR", 28, 61), subject="+4930123456")
        check = await archive.requests(patient(home), vault)
        assert (check.verdict, said in check.detail) == (verdict, True)
        await desk.reject(request.number, by="test", reason="a test")
        assert (await archive.requests(patient(home), vault)).verdict == "ok"


# ---- settings


def test_what_is_kept_longer_than_by_default_is_listed(home: Home) -> None:
    assert "nothing" in archive.retention(patient(home)).detail
    check = archive.retention(patient(home, retention={"audio_days": 400, "message_days": 5}))
    assert check.verdict == "ok"
    assert "audio_days 400 (default 30)" in check.detail
    assert "message_days" not in check.detail


@pytest.mark.parametrize(
    ("consent", "mends"),
    [({}, False), ({"recording": "ask"}, True), ({"recording": "ask", "jurisdiction": "DE"}, False)],
)
def test_who_records_without_a_place_is_told_that_it_counts_as_the_strictest(
    consent: dict[str, str], mends: bool, home: Home
) -> None:
    check = archive.recording(patient(home, consent=consent))
    assert (check.verdict, bool(check.mend), "strictest" in check.detail) == ("ok", mends, mends)


@pytest.mark.parametrize(
    ("host", "url", "verdict"),
    [
        ("127.0.0.1", "", "ok"),
        ("0.0.0.0", "", "warn"),
        ("0.0.0.0", "http://twin.example.org", "warn"),
        ("0.0.0.0", "https://twin.example.org", "ok"),
    ],
)
def test_a_console_that_others_reach_needs_an_https_address(host: str, url: str, verdict: str, home: Home) -> None:
    check = archive.console_address(patient(home, server={"host": host}, console={"public_url": url}))
    assert check.verdict == verdict


# ---- the announcement and the voice


async def test_the_announcement_is_measured_where_it_was_prepared_and_estimated_else(home: Home) -> None:
    examined = patient(home)
    assert "estimated" in archive.disclosure(examined).detail
    cache = home.path / "cache"
    voice = registry.make("voice", "espeak", VoiceSection(), {}, cache=cache, language="en")
    assert isinstance(voice, Espeak)
    await voice.start()
    try:
        text = texts_of(home.path, "en", home.persona().profile.name)["words"].text
        made = await prepare(
            voice, text, "en", archive.MEASURED_HZ,
            folder=cache / PREPARED, settings=VoiceSection().model_dump_json(),
        )  # fmt: skip
    finally:
        await voice.close()
    check = archive.disclosure(examined)
    assert check.verdict == "ok"
    measured_s = float(check.detail.partition("measured: ")[2].removesuffix(" s"))
    assert measured_s == pytest.approx(made.duration_ms / 1000, abs=0.5)


def test_an_announcement_that_takes_too_long_is_pointed_out(home: Home) -> None:
    profile = home.path / "profile.toml"
    name = "Maximiliana Theodora Alexandria Evangelina Montgomery of Winterbourne"
    profile.write_text(profile.read_text().replace("Your Name", name))
    check = archive.disclosure(patient(home))
    assert check.verdict == "warn"
    assert "more than 8 s" in check.detail


def test_a_language_without_texts_is_pointed_out_and_bad_texts_fail(home: Home) -> None:
    check = archive.disclosure(patient(home, twin={"language": "sv"}))
    assert check.verdict == "warn"
    assert "sv.toml" in check.mend
    (home.path / "disclosure").mkdir()
    (home.path / "disclosure" / "en.toml").write_text('dated = 2026-11-22\n[en]\ntext = "Hello, this is me."\n')
    assert archive.disclosure(patient(home)).verdict == "fail"


@pytest.mark.parametrize(
    ("language", "engine", "verdict"),
    [("en", "espeak", "ok"), ("ja", "espeak", "warn"), ("zh", "espeak", "ok"), ("ja", "openai", "ok")],
)
def test_a_voice_that_cannot_read_the_language_is_pointed_out(
    language: str, engine: str, verdict: str, home: Home
) -> None:
    check = archive.voice_language(patient(home, twin={"language": language}, voice={"engine": engine}))
    assert check.verdict == verdict


async def test_a_cloned_voice_needs_the_owners_consent_on_file(home: Home) -> None:
    cloned = patient(home, voice={"cloned": True})
    assert (await archive.likeness(patient(home))).verdict == "ok"
    check = await archive.likeness(cloned)
    assert (check.verdict, "twin enroll voice" in check.mend) == ("warn", True)
    async with owner(home.path) as here:
        await here.consents("calls")
    assert (await archive.likeness(cloned)).verdict == "ok"


async def test_a_new_home_needs_nothing_before_its_first_start(home: Home) -> None:
    assert all(check.verdict != "fail" for check in await archive.examine(patient(home)))
