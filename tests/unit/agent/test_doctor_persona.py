"""`twin doctor` on what the owner wrote, what is remembered and what the twin may do: a real home and store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent import doctor, doctor_archive, doctor_persona
from agent.example import write
from agent.findings import Check, Patient
from agent.home import Home
from agent.settings import Settings
from compliance.vault import Vault
from persona.memory.queue import MemoryQueue

TODAY = date(2026, 11, 22)
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20261101T000000Z
DTSTART:20261123T100000Z
RRULE:FREQ=WEEKLY
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """As `twin init` writes it."""
    write(tmp_path / "home")
    return Home(tmp_path / "home")


def patient(home: Home, environment: Mapping[str, str] | None = None, **sections: object) -> Patient:
    return Patient(home, Settings.model_validate(sections), environment or {})


def facts(home: Home, *entries: str) -> None:
    (home.path / "facts.toml").write_text("".join(f"[[fact]]\n{entry}\n" for entry in entries), "utf-8")


def people(home: Home, *entries: str) -> None:
    (home.path / "people.toml").write_text("".join(f"[[person]]\n{entry}\n" for entry in entries), "utf-8")


def knowledge(home: Home, **sections: object) -> Check:
    return doctor_persona.knowledge(patient(home, None, **sections), home.persona(), TODAY)


def style(home: Home) -> Check:
    return doctor_persona.style(patient(home), home.persona())


async def tools(home: Home, environment: Mapping[str, str] | None = None, **settings: object) -> Check:
    return await doctor_persona.tools(patient(home, environment, tools=settings), home.persona())


# ---- what the owner wrote


def test_what_there_is_is_counted(home: Home) -> None:
    check = knowledge(home)
    persona = home.persona()
    assert check.verdict == "ok"
    assert check.detail.startswith(f"{len(persona.facts)} facts")
    assert f"{len(persona.statements)} statement" in check.detail
    assert f"{len(persona.documents)} passages of 1 document" in check.detail


def test_what_a_newer_fact_replaces_is_told_apart(home: Home) -> None:
    facts(
        home,
        'about = "the dog"\nsay = "It is Rex."',
        'about = "the dog"\nsay = "It is Plumb."\nrecorded = 2026-01-01',
        'about = "the fair"\nsay = "It is in May."\nvalid_to = 2026-05-31',
    )
    check = knowledge(home)
    assert check.verdict == "ok", "an end that is long past is nothing to hurry for"
    assert "3 facts (1 superseded, 1 over)" in check.detail


@pytest.mark.parametrize(("days", "verdict"), [(0, "warn"), (14, "warn"), (15, "ok")])
def test_what_soon_does_not_hold_any_more_is_named(home: Home, days: int, verdict: str) -> None:
    facts(home, f'about = "opening hours"\nsay = "Nine to five."\nvalid_to = {TODAY + timedelta(days)}')
    check = knowledge(home)
    assert check.verdict == verdict
    assert ("'opening hours'" in check.detail) == (verdict == "warn")


def test_what_is_followed_by_something_new_is_no_worry(home: Home) -> None:
    facts(
        home,
        'about = "opening hours"\nsay = "Nine to five."\nvalid_to = 2026-11-30',
        'about = "opening hours"\nsay = "Ten to four."\nvalid_from = 2026-12-01',
    )
    assert knowledge(home).verdict == "ok"


def test_what_nobody_could_ever_hear_is_named(home: Home) -> None:
    people(home, 'name = "Anna Schmidt"\nnumbers = ["+493012345"]', 'name = "Tom Weber"')
    facts(
        home,
        'about = "the key"\nsay = "It is under the mat."\ntell = ["Tom Weber"]',
        'about = "the party"\nsay = "It is on Friday."\ntell = ["Tom Weber", "Anna Schmidt"]',
        'about = "the secret"\nsay = "None."\ntell = "nobody"',
    )
    check = knowledge(home)
    assert check.verdict == "warn"
    assert "'the key'" in check.detail
    assert "'the party'" not in check.detail
    assert "'the secret'" not in check.detail
    assert "people.toml" in check.mend


def test_known_people_need_a_list_or_a_memory(home: Home) -> None:
    people(home)
    facts(home, 'about = "the mobile"\nsay = "It is 1 2 3."\ntell = "known"')
    assert knowledge(home).verdict == "ok"
    assert knowledge(home, memory={"enabled": False}).verdict == "warn"
    assert knowledge(home, memory={"ask": "never"}).verdict == "warn"
    people(home, 'name = "Anna Schmidt"\nnumbers = ["+493012345"]')
    assert knowledge(home, memory={"enabled": False}).verdict == "ok"


def test_a_long_list_is_not_read_out(home: Home) -> None:
    facts(home, *(f'about = "thing {n}"\nsay = "It is."\nvalid_to = 2026-11-25' for n in range(9)))
    assert "'thing 2' and 6 more" in knowledge(home).detail


def test_a_style_that_cannot_be_told_yet_says_how_many_words_are_missing(home: Home) -> None:
    (home.path / "statements.md").write_text("## wood\n\n> Wood forgives a lot.\n", "utf-8")
    (home.path / "examples.jsonl").unlink(missing_ok=True)
    check = style(home)
    assert check.verdict == "warn"
    assert "116 more" in check.detail
    assert "statements.md" in check.mend


def test_a_style_is_told_from_the_owners_words(home: Home) -> None:
    told = (f"I think wood number {n} is honest. It's warm, and it lasts." for n in range(20))
    said = "\n\n".join(f"## thing {n}\n\n> {one}" for n, one in enumerate(told))
    (home.path / "statements.md").write_text(said, "utf-8")
    check = style(home)
    assert check.verdict == "ok"
    assert "words per sentence: 5, half of them" in check.detail


# ---- what is remembered


async def test_the_memory_opens_and_says_how_much_waits(home: Home) -> None:
    check = await doctor_persona.memory(patient(home))
    assert check.verdict == "ok"
    assert "sqlite opens" in check.detail
    assert "0 calls waiting" in check.detail


async def test_calls_that_were_given_up_are_a_warning(home: Home) -> None:
    call_id = "20261122120000-0000000000000001"
    async with Vault(home.path) as vault:
        vault.begin_call(call_id, channel="phone", subject="+493012345", language="en", provider_ref="")
        vault.end_call(call_id, "caller_left")
        queue = MemoryQueue(vault)
        queue.add(call_id, "+493012345")
        await vault.flush()
        assert "1 call waiting" in (await doctor_persona.memory(patient(home))).detail
        job = await queue.take(lease_ms=60_000)
        assert job is not None
        await queue.fail(job, error="engine", again_in_ms=None)
    check = await doctor_persona.memory(patient(home))
    assert check.verdict == "warn"
    assert "1 call given up" in check.detail
    assert check.mend


async def test_a_store_there_is_not_fails_with_what_to_correct(home: Home) -> None:
    check = await doctor_persona.memory(patient(home, memory={"store": "no_such_store"}))
    assert check.verdict == "fail"
    assert "[memory]" in check.mend


async def test_a_vault_that_does_not_open_is_not_the_memorys_fault(home: Home) -> None:
    store = {"master": "command", "master_command": str(home.path / "no-such-program")}
    check = await doctor_persona.memory(patient(home, store=store))
    assert check.verdict == "fail"
    assert "store" in check.mend
    assert "[memory]" not in check.mend


async def test_a_memory_that_is_off_is_not_opened(home: Home) -> None:
    check = await doctor_persona.memory(patient(home, memory={"enabled": False}))
    assert (check.verdict, check.detail) == ("ok", "off: nobody is remembered")
    assert not (home.path / "memory").exists()


# ---- what the twin may do


async def test_a_message_and_leaving_are_always_there(home: Home) -> None:
    check = await tools(home)
    assert check.verdict == "ok"
    assert check.detail.startswith("take_message, hang_up")
    assert "grounded" in check.detail
    assert "off" in (await tools(home, enabled=False)).detail


async def test_the_calendar_is_read(home: Home) -> None:
    (home.path / "mine.ics").write_text(CALENDAR.replace("\n", "\r\n"), "utf-8")
    check = await tools(home, calendar="mine.ics")
    assert check.verdict == "ok"
    assert "look_up_calendar (1 entry)" in check.detail


@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read"), ("<html>", "no iCalendar file")])
async def test_a_calendar_that_cannot_be_read_says_why(home: Home, content: str | None, why: str) -> None:
    if content is not None:
        (home.path / "mine.ics").write_text(content, "utf-8")
    check = await tools(home, calendar="mine.ics")
    assert check.verdict == "warn"
    assert why in check.detail
    assert "look_up_calendar" not in check.detail


async def test_an_owner_who_cannot_be_texted_is_a_warning_that_names_what_is_missing(home: Home) -> None:
    check = await tools(home, owner_number="+493012345")
    assert check.verdict == "warn"
    assert "[twilio] sms_number" in check.mend
    assert "TWILIO_ACCOUNT_SID" in check.mend
    assert "reach_owner" not in check.detail
    account = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret-token"}
    sections = {"tools": {"owner_number": "+493012345"}, "twilio": {"sms_number": "+493099999"}}
    whole = await doctor_persona.tools(patient(home, account, **sections), home.persona())
    assert whole.verdict == "ok"
    assert "reach_owner" in whole.detail
    assert "secret-token" not in str(whole)


async def test_transfer_needs_somebody_to_transfer_to(home: Home) -> None:
    check = await tools(home, transfer=True)
    assert check.verdict == "warn"
    assert "owner_number" in check.mend
    assert "transfer_call" not in check.detail


async def test_unsigned_news_are_a_warning(home: Home) -> None:
    check = await tools(home, notify_url="https://example.org/twin")
    assert check.verdict == "warn"
    assert "TWIN_NOTIFY_SECRET" in check.mend
    signed = await tools(home, {"TWIN_NOTIFY_SECRET": "tangerine"}, notify_url="https://example.org/twin")
    assert signed.verdict == "ok"
    assert "tangerine" not in str(signed)


# ---- the guard


@asynccontextmanager
async def server(*, silent: bool = False) -> AsyncIterator[str]:
    """Something on loopback that answers 404, or nothing at all."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if silent:
            await over.wait()
        else:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        over.set()
        await asyncio.sleep(0)


async def test_banned_topics_are_counted(home: Home) -> None:
    assert "no topics are banned" in (await doctor_persona.guard(patient(home))).detail
    topics = {"topics": [{"name": "the lawsuit", "words": ["lawsuit"]}], "no_advice": ["legal"]}
    assert "2 banned topics" in (await doctor_persona.guard(patient(home, guard=topics))).detail


async def test_a_moderation_server_is_asked_whether_it_is_there(home: Home) -> None:
    async with server() as url:
        check = await doctor_persona.guard(patient(home, guard={"moderation_base_url": url}), limit_s=5)
        assert check.verdict == "ok"
        assert "answers" in check.detail
    gone = await doctor_persona.guard(patient(home, guard={"moderation_base_url": url}), limit_s=5)
    assert gone.verdict == "warn"
    assert "the rules decide alone" in gone.detail
    async with server(silent=True) as url:
        late = await doctor_persona.guard(patient(home, guard={"moderation_base_url": url}), limit_s=0.05)
        assert late.verdict == "warn"


# ---- all together


async def test_an_example_home_has_all_of_it_and_nothing_fails(home: Home) -> None:
    checks = await doctor_persona.examine(patient(home))
    assert [check.name for check in checks] == ["knowledge", "style", "memory", "tools", "guard"]
    assert not [check for check in checks if check.verdict == "fail"]


async def test_a_home_that_cannot_be_read_is_said_once(home: Home) -> None:
    (home.path / "facts.toml").write_text("[[fact]\n", "utf-8")
    assert await doctor_persona.examine(patient(home)) == []


async def test_the_doctor_looks_at_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(of: Patient) -> list[Check]:
        return []

    monkeypatch.setattr(doctor_archive, "examine", nothing)
    names = [check.name for check in (await doctor.examine(home.path)).checks]
    assert {"knowledge", "style", "memory", "tools", "guard"} <= set(names)
