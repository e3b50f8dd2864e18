"""A console with calls in it, on a real server with the real parts behind it, and a browser that is signed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from fastapi import FastAPI
from playwright.async_api import Page

from compliance.access import Access
from compliance.console.app import console
from compliance.console.desk import Desk
from compliance.console.proving import prover
from compliance.console.totp import STEP_S, new_secret
from compliance.entries import MinuteEntry, TurnEntry, WordEntry
from compliance.erasure import Eraser
from compliance.evidence import Evidence
from compliance.forgetting.clerk import Clerk
from compliance.forgetting.forgotten import ErasureLedger
from compliance.forgetting.layout import layout
from compliance.judgement import Judge
from compliance.jurisdiction import Party as Somebody
from compliance.jurisdiction import law_of
from compliance.ledger import Ledger
from compliance.origin.authority import open_authority
from compliance.proofs.agreement import Agreement, Answer, Party, Status
from compliance.proofs.audit import verify
from compliance.proofs.register import Register
from compliance.proofs.signing import Signer
from compliance.provenance import Provenance
from compliance.public.app import public
from compliance.public.front import Front
from compliance.public.notice import Processor, notice
from compliance.records import Recordings
from compliance.redaction import Redactor
from compliance.requests import Law, Requests
from compliance.search import Search
from compliance.settings import (
    ConsentSettings,
    ConsoleSettings,
    PrivacySettings,
    RetentionSettings,
    StoreSettings,
)
from compliance.vault import Vault
from compliance.watermark.verifying import PUBLIC
from tests.unit.compliance.console.house import (
    PASSPHRASE,
    Clock,
    add_operator,
    cheap_passphrases,
    code_of,
    serving,
)

HZ = 16_000
CALLER = "+4930901820"
CALLER_HZ, TWIN_HZ = 440.0, 700.0
PROCESSORS = (
    Processor("Deepgram", "writes down what is said", here=False, where="United States"),
    Processor("grounded", "words the answers from the owner's own facts", here=True),
    Processor("espeak-ng", "speaks", here=True),
)


@dataclass
class Office:
    """The console, what it shows, and how to get in."""

    url: str
    home: Path
    vault: Vault
    signer: Signer
    evidence: Evidence
    register: Register
    recordings: Recordings
    requests: Requests
    clock: Clock
    secrets: dict[str, str]
    eraser: Eraser
    clerk: Clerk
    codes: dict[str, str] = field(default_factory=dict)
    """The digits that were sent, by whom they were sent to."""

    async def sign_in(self, page: Page, name: str = "ada") -> None:
        """As a person does it: by typing."""
        self.clock.turn(STEP_S)
        await page.goto(f"{self.url}/console/sign-in")
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Passphrase").fill(PASSPHRASE)
        await page.get_by_label("Code").fill(code_of(self.secrets[name], self.clock))
        await page.keyboard.press("Enter")
        await page.wait_for_selector("body.console")

    async def kinds(self, call_id: str | None = None) -> list[str]:
        """What the ledger says, the oldest first."""
        await self.vault.flush()
        if call_id is not None:
            return [entry.kind for entry in await self.evidence.of(call_id)]
        return [entry.kind for entry in reversed(await self.evidence.recent(1_000))]

    def signed_file(self, source: Path, target: Path, token: str = "") -> bytes:
        """Write the sound with a manifest of this twin; the manifest."""
        from compliance.provenance import Claim

        now = datetime.fromtimestamp(self.clock.now_s, UTC)
        authority = open_authority(self.home, self.vault.master, name="Ada Example", now=now)
        claim = Claim(title="speech", owner="Ada Example", at=now, token=token)
        return Provenance(authority).sign(source, target, claim)


@asynccontextmanager
async def opened_office(home: Path, *, max_upload_mb: int = 2) -> AsyncIterator[Office]:
    """With the owner `ada` and the reviewer `rob`; every part is the real one, but for whoever sends the codes."""
    clock, codes, redactor = Clock(), dict[str, str](), Redactor()
    settings = ConsoleSettings(max_upload_mb=max_upload_mb)

    async def send_code(subject: str, digits: str) -> None:
        codes[subject] = digits

    async with AsyncExitStack() as stack:
        stack.callback(redactor.close)
        vault = await stack.enter_async_context(Vault(home, now=clock))
        signer = await asyncio.to_thread(Signer.open, home, vault.master)
        ledger = await stack.enter_async_context(_opened_ledger(home, vault, signer, clock))
        evidence = Evidence(vault, ledger)
        secrets = {"ada": new_secret(), "rob": new_secret()}
        await add_operator(vault, "ada", "owner", secrets["ada"])
        await add_operator(vault, "rob", "reviewer", secrets["rob"])
        requests = Requests(vault, note=evidence.note, send_code=send_code, now=clock)
        stack.push_async_callback(requests.close)
        recordings = await stack.enter_async_context(Recordings(vault, home / "recordings", note=evidence.note))
        search = Search(vault)
        stores = layout(vault, home, StoreSettings(), forget_search=search.forget)
        eraser = Eraser(
            vault,
            home,
            ErasureLedger(home, home / "mirror"),
            stores.stores,
            note=evidence.note,
            sign=signer.sign,
            signing_key=signer.key_id,
            places=stores.places,
            skip=stores.skip,
            now=clock,
        )

        access = Access(vault, hide=redactor.lines_redacted, sign=signer.sign, note=evidence.note, now=clock)
        clerk = Clerk(requests, eraser, access)
        stack.push_async_callback(clerk.close)
        desk = Desk(
            vault=vault,
            evidence=evidence,
            owner_name="Ada Example",
            public_key=signer.public_pem,
            settings=settings,
            search=search,
            recordings=recordings,
            redactor=redactor,
            requests=requests,
            erase_call=lambda call_id: eraser.erase_calls([call_id]),
            carry_out=clerk.carry_out,
            access_package=clerk.package,
            verify_ledger=lambda: asyncio.to_thread(verify, ledger.folder, ledger.mirror, signer.public),
            prove_leaf=prover(evidence.proof, signer.public),
            health={"Ledger": evidence.health},
            now=clock,
        )

        def law(subject: str, country: str) -> Law:
            number = subject if subject.startswith("+") else None
            return law_of([Somebody(number=number, stated=country or None)], Somebody(country="DE"))

        front = Front(
            owner_name="Ada Example",
            notice=notice(
                "Ada Example",
                privacy=PrivacySettings(contact="privacy@example.org"),
                retention=RetentionSettings(),
                consent=ConsentSettings(recording="ask", jurisdiction="DE"),
                processors=PROCESSORS,
            ),
            law=law,
            requests=requests,
            judge=Judge(home, vault, PUBLIC).of,
            public_key=signer.public_pem,
            settings=settings,
            clock=clock,
            now=clock,
        )
        app = FastAPI()
        app.include_router(public(front))
        app.mount("/console", console(desk, passphrases=cheap_passphrases(), clock=clock))
        url = await stack.enter_async_context(serving(app))
        register = Register(vault, signer)
        yield Office(
            url,
            home,
            vault,
            signer,
            evidence,
            register,
            recordings,
            requests,
            clock,
            secrets,
            eraser,
            clerk,
            codes,
        )


@asynccontextmanager
async def _opened_ledger(home: Path, vault: Vault, signer: Signer, clock: Clock) -> AsyncIterator[Ledger]:
    ledger = Ledger(home / "ledger", signer, mirror=home / "mirror", now=clock)
    await asyncio.to_thread(ledger.open)
    try:
        yield ledger
    finally:
        await vault.flush()
        await asyncio.to_thread(ledger.close)


def spoken(
    number: int, text: str, start_s: float, *, pace_s: float = 0.32, cut: bool = False, source: str = ""
) -> TurnEntry:
    """A turn of the twin: every word with its time, and its sentence's part of `source`."""
    words, at, sentence = [], start_s, 0
    sources = source.split("-") if source else [""]
    for word in text.split():
        own = sources[min(sentence, len(sources) - 1)]
        words.append(WordEntry(word, int(at * HZ), int((at + pace_s * 0.9) * HZ), sentence, own))
        sentence += word[-1] in ".!?"
        at += pace_s
    return TurnEntry(
        number,
        "twin",
        text,
        int(start_s * HZ),
        words[-1].end_samples,
        HZ,
        cut=cut,
        provenance=source,
        words=tuple(words),
    )


def said(number: int, text: str, start_s: float, end_s: float) -> TurnEntry:
    """A turn of the caller: the recogniser gives no times of words."""
    return TurnEntry(number, "caller", text, int(start_s * HZ), int(end_s * HZ), HZ)


TALK = (
    spoken(
        0,
        "Hello, this is the AI twin of Ada Example, not a person. What is said is written down.",
        0.4,
        source="notice",
    ),
    said(1, "Oh, okay. Hi. When are you open on Saturdays?", 7.2, 10.0),
    spoken(2, "On Saturdays the workshop is open from nine to one. Shall I", 10.6, cut=True, source="fact"),
    said(3, "Great, could Ada call me back? My name is John Appleseed and my number is 030 90 18 20.", 14.6, 21.5),
    spoken(4, "I have noted 030 90 18 20 for John Appleseed. Is there anything else?", 22.4, source="notice"),
    said(5, "No, that is all, thank you. The broken lamp is urgent though.", 27.3, 31.0),
    spoken(6, "I will tell Ada. Goodbye!", 31.6, source="notice"),
)
"""A call about opening hours, with a name and a number in it."""


async def keep_call(
    office: Office,
    call_id: str = "CA100",
    *,
    subject: str | None = CALLER,
    recorded: bool = True,
    talk: tuple[TurnEntry, ...] = TALK,
    live: bool = False,
) -> None:
    """Put a call into the vault the way a call does: told, asked, recorded, heard."""
    vault, evidence, clock = office.vault, office.evidence, office.clock
    begun = clock.now_s
    vault.begin_call(call_id, channel="phone", subject=subject, language="en")

    async def noted(at_s: float, kind: str, **detail: object) -> None:
        clock.now_s = begun + at_s
        vault.event(call_id, kind, position_samples=int(at_s * HZ), rate_hz=HZ, detail=detail)
        evidence.note(kind, call_id=call_id, detail=detail)
        # The vault's thread reads the clock when it writes, and the clock is turned next.
        await vault.flush()

    await noted(6.0, "disclosure_played", language="en")
    await noted(6.3, "consent_asked", purpose="recording")
    if recorded:
        await noted(7.0, "consent_given", purpose="recording", method="voice")
        await answer(office, call_id, "granted")
        recording = office.recordings.start(call_id, clock_hz=HZ, caller_hz=HZ, position=7 * HZ)
        piece = HZ // 50
        for n in range(7 * 50, 34 * 50):
            at_s, position = n / 50, n * piece
            for hz, put, who in ((CALLER_HZ, recording.caller, "caller"), (TWIN_HZ, recording.twin, "twin")):
                sounds = any(t.who == who and t.start_samples <= position < t.end_samples for t in talk)
                put(tone(hz, at_s, piece) if sounds else bytes(2 * piece), position)
            if not n % 25:
                # A call puts a piece every 20 ms; this one only lets the recording's thread keep up.
                await asyncio.sleep(0.01)
        await vault.flush()
        clock.now_s = begun + 34.0
        recording.stop()
        await recording.settled()
        assert recording.dropped == 0
    else:
        await noted(7.0, "consent_refused", purpose="recording", method="voice")
        await answer(office, call_id, "denied")
    for turn in talk:
        clock.now_s = begun + turn.end_samples / HZ
        vault.turn_heard(call_id, turn)
    clock.now_s = begun + 34.2
    if not live:
        vault.message(
            "John Appleseed asks for a call back on 030 90 18 20 about a lamp.", call_id=call_id, subject=subject
        )
        vault.end_call(call_id, "caller_hung_up")
    await vault.flush()
    clock.turn(60)


def tone(hz: float, at_s: float, samples: int) -> bytes:
    times = at_s + np.arange(samples) / HZ
    return (9_000 * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes()


async def answer(office: Office, call_id: str, status: Status, *, purpose: str = "recording") -> None:
    """An answer to a question of consent, with its signed receipt."""
    now_ms = int(office.clock.now_s * 1000)
    office.register.keep(
        Agreement(
            person=Party(CALLER),
            controller=Party(name="Ada Example"),
            answers=(Answer(purpose, status, now_ms, "voice", 7 * HZ, HZ, 30 if status == "granted" else None),),
            language="en",
            notice="May I record this call?",
            policy="2026-11",
            started_ms=now_ms - 7_000,
            call_id=call_id,
            channel="phone",
        )
    )
    await office.vault.flush()


MEETING = "CA200"


async def keep_meeting(office: Office) -> None:
    """Put a meeting of three with its digest into the vault: two speak at once, one mutes and leaves, one comes
    late, and the sound of a question was kept."""
    vault, clock = office.vault, office.clock
    begun = clock.now_s
    anna, ben, cleo = "anna.lindqvist", "+493022222222", "cleo@example.org"
    vault.begin_call(MEETING, channel="room", language="en")

    async def happened(at_s: float, kind: str, speaker: str = "", **detail: object) -> None:
        clock.now_s = begun + at_s
        vault.event(MEETING, kind, position_samples=int(at_s * HZ), rate_hz=HZ, detail=detail, speaker=speaker)
        await vault.flush()

    async def comes(at_s: float, who: str, name: str) -> None:
        clock.now_s = begun + at_s
        vault.participant(MEETING, who, name)
        await happened(at_s, "joined", who)

    await happened(5.0, "disclosure_played", language="en")
    await comes(5.0, anna, "Anna Lindqvist")
    await comes(5.1, ben, "Benedikt")
    question = "Does Ada know when the printer is repaired? My number is 030 90 18 20."
    talk = (
        spoken(0, "Hello, I am the AI twin of Ada Example, not a person.", 0.4, source="notice"),
        replace(said(1, question, 6.0, 11.0), speaker=anna, name="Anna Lindqvist"),
        replace(said(2, "We decided on blue for the poster.", 9.5, 13.0), speaker=ben, name="Benedikt"),
        replace(spoken(3, "I do not know that. I will pass it on to Ada.", 13.6, source="notice"), speaker=anna),
        replace(said(4, "Benedikt, can you order the paper by Friday?", 18.0, 21.0), speaker=cleo, name="Cleo"),
        replace(said(5, "Sure, I will.", 21.4, 22.2), speaker=ben, name="Benedikt"),
    )
    for turn in talk[:4]:
        vault.turn_heard(MEETING, turn)
    await happened(11.2, "noted", anna, turn=1)
    office.recordings.keep(
        MEETING, tone(CALLER_HZ, 0, 5 * HZ), pcm_hz=HZ, clock_hz=HZ, position=6 * HZ, speaker=anna
    )
    await happened(13.1, "hand", raised=True)
    await comes(17.0, cleo, "Cleo")
    for turn in talk[4:]:
        vault.turn_heard(MEETING, turn)
    await happened(23.0, "muted", ben)
    await happened(24.0, "mode", mode="silent")
    clock.now_s = begun + 25.0
    vault.participant_left(MEETING, ben)
    await happened(25.0, "left", ben)
    clock.now_s = begun + 30.0
    vault.end_call(MEETING, "room_ended")
    await vault.flush()
    (sound,) = await office.recordings.of(MEETING)
    asked = MinuteEntry("question", question, 6 * HZ, 11 * HZ, HZ, speaker=anna, name="Anna Lindqvist")
    decided = MinuteEntry("decision", talk[2].text, 152_000, 208_000, HZ, speaker=ben, name="Benedikt")
    taken = MinuteEntry("action", "order the paper", 18 * HZ, 21 * HZ, HZ, speaker=cleo, name="Cleo")
    vault.minutes(
        MEETING,
        [
            replace(asked, recording_id=sound.id),
            decided,
            replace(taken, who="Benedikt", due="by Friday"),
            MinuteEntry("promise", "I will pass it on to Ada.", 217_600, 270_000, HZ, speaker=anna),
        ],
    )
    vault.message("Digest of a meeting with 3 people: 1 question for you, 1 decision.", call_id=MEETING)
    await vault.flush()
