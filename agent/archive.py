"""What one process keeps and proves: the vault, the ledger, recordings, requests, erasure, retention."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent import enrol_cloud
from agent.home import Home
from agent.meeting.minutes.secretary import Owner as DigestOwner
from agent.meeting.minutes.secretary import catch_up
from agent.proceedings import Office
from agent.settings import Settings, environment, load
from channels.call import Call, Channel
from channels.twilio.copies import TwilioCopies
from channels.twilio.rest import TwilioRest
from channels.twilio.settings import TwilioSecrets
from compliance.access import Access
from compliance.clone import Clones
from compliance.consent import Note
from compliance.disclosure import Disclosure
from compliance.erasure import Eraser
from compliance.errors import TwinError
from compliance.evidence import Evidence, open_evidence
from compliance.forgetting.clerk import Clerk
from compliance.forgetting.erasure_receipt import ErasureReceipt
from compliance.forgetting.forgotten import ErasureLedger
from compliance.forgetting.layout import EXPORTS, RECORDINGS, layout, mirror_of
from compliance.forgetting.stores import Copies
from compliance.forgetting.sweeper import Sweeper, keep_sweeping
from compliance.jurisdiction import UNKNOWN, Flow, Law, Transcription, flow, law_of, place
from compliance.jurisdiction import Party as Somebody
from compliance.likeness.permits import Permits
from compliance.proofs import restore
from compliance.proofs.agreement import Agreement, Answer, Party, Status
from compliance.proofs.receipt import make_receipt, verify_receipt
from compliance.proofs.register import Register
from compliance.proofs.signing import Signer
from compliance.records import Recordings
from compliance.redaction import Redactor
from compliance.requests import Kind, Requests, SendCode
from compliance.search import Search
from compliance.sound.recording import Recording
from compliance.vault import Vault
from persona.memory.erasing import MemoryErasure
from persona.memory.library import Library

logger = logging.getLogger(__name__)

RESUME_EVERY_S = 3_600.0
CLOSE_LIMIT_S = 5.0
_STATUSES: dict[str, Status] = {
    "consent_given": "granted",
    "consent_refused": "denied",
    "consent_withdrawn": "revoked",
}


class Archive:
    """Opened before the first call, closed after the last; all of it works on one vault."""

    def __init__(
        self,
        settings: Settings,
        *,
        home: Path,
        owner_name: str,
        send_code: SendCode | None = None,
        copies: Sequence[Copies] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is touched before `open`. `copies` is what providers keep of calls; `send_code` texts digits;
        `environment` holds the keys of those who keep something else: a clone of the voice, a server that compares
        memories."""
        self.settings = settings
        self.home = home
        self.vault = Vault(home, settings.store)
        self.redactor = Redactor()
        self.search = Search(self.vault)
        self.evidence: Evidence
        self.signer: Signer
        self.recordings: Recordings
        self.requests: Requests
        self.register: Register
        self.eraser: Eraser
        self.access: Access
        self.sweeper: Sweeper
        self.clerk: Clerk
        self.permits: Permits
        self.clones: Clones
        self.library: Library
        self._owner_name = owner_name
        self._owner = place(settings.consent.jurisdiction)
        self._send_code = send_code
        self._environment = environment or {}
        clones = enrol_cloud.copies(self._environment, lambda: enrol_cloud.prefix_of(self))
        self._copies = (*copies, *clones)
        self._overdue = 0
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect, and erase again whatever a restored backup brought back; only then may a call begin.

        Raises `TwinError`: one line.
        """
        try:
            await self._open()
        except BaseException:
            # Whatever it was, also a cancellation: what was opened is closed, and the error goes on.
            await self.close()
            raise

    async def close(self) -> None:
        """Close everything in its order, within limits; safe to call twice."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_LIMIT_S)
            self._tasks.clear()
        await self._stack.aclose()
        self.redactor.close()

    def serve(self) -> None:
        """Begin what is done beside the calls: erasures that were begun are finished."""
        sweeping = keep_sweeping(self.sweeper, self.settings.retention)
        self._tasks += [
            asyncio.create_task(self._finish_erasures(), name="finish erasures"),
            asyncio.create_task(sweeping, name="keep sweeping"),
            asyncio.create_task(self.permits.watch(), name="watch the owner's consent"),
        ]

    def deadlines(self) -> str | None:
        """None while every request is answered in the law's time, else how many are not, in one line."""
        if not self._overdue:
            return None
        return f"{self._overdue} requests of people about their data are overdue: see the console"

    def law(self, subject: str, country: str) -> Law:
        """How soon a request of that person has to be answered; `country` as they name it, or empty."""
        somebody = _somebody(subject)
        stated = replace(somebody, stated=country) if country else somebody
        return law_of([stated], self._owner)

    def flow(self, subject: str | None, channel: Channel = "web") -> Flow:
        """The rules of a call with somebody of whom no more than that is known."""
        found = flow([_somebody(subject)], self._owner, self.settings.consent)
        if channel != "camera":
            return found
        # Many people in one mixed voice: whose yes it was cannot be told, so nothing that takes one is kept.
        words: Transcription = "notice" if found.transcription == "notice" else "off"
        return replace(found, transcription=words, recording="off")

    def office(self, texts: Disclosure, remember: Callable[[Call, bool], Awaitable[None]]) -> Office:
        """What a call is handed; `remember` carries out whether its caller is remembered."""

        def receipt(call: Call, note: Note) -> None:
            self.register.keep(self._agreement(call, note, texts))

        return Office(
            note=self.evidence.note,
            record=self._record,
            delete_recordings=self.recordings.delete_of,
            request=self._request,
            receipt=receipt,
            remember=remember,
        )

    async def _open(self) -> None:
        enter = self._stack.enter_async_context
        home, store = self.home, self.settings.store
        await enter(self.vault)
        self.signer = await asyncio.to_thread(Signer.open, home, self.vault.master)
        self.evidence = await enter(open_evidence(home, self.vault, store, signer=self.signer))
        self.register = Register(self.vault, self.signer)
        self.recordings = await enter(Recordings(self.vault, home / RECORDINGS, note=self.evidence.note))
        self.requests = Requests(self.vault, note=self.evidence.note, send_code=self._send_code)
        self._stack.push_async_callback(self.requests.close)
        self._stack.push_async_callback(self.search.close)
        self.access = Access(
            self.vault,
            hide=self.redactor.lines_redacted,
            sign=self.signer.sign,
            note=self.evidence.note,
            signing_key=self.signer.key_id,
            sound=self._sound,
            remembered=self._remembered,
        )
        self.permits = Permits(self.vault, home, read_receipt=self._read_receipt)
        self.clones = Clones(
            self.vault,
            self.permits,
            home,
            owner_name=self._owner_name,
            controller=self.settings.privacy.controller or self._owner_name,
            make_receipt=lambda agreement, at_ms: make_receipt(agreement, self.signer, made_ms=at_ms),
            note=self.evidence.note,
        )
        await self.clones.finish()
        self.library = Library(
            home, self.vault, self.settings.memory, api_key=self._environment.get("OPENAI_API_KEY", "")
        )
        self._stack.push_async_callback(self.library.close)
        stores = layout(
            self.vault,
            home,
            store,
            forget_search=self.search.forget,
            search_memory=self.search.memory,
            copies=self._copies,
            memory=MemoryErasure(self.library),
        )
        self.eraser = Eraser(
            self.vault,
            home,
            ErasureLedger(home, mirror_of(home, store)),
            stores.stores,
            note=self.evidence.note,
            sign=self.signer.sign,
            signing_key=self.signer.key_id,
            places=stores.places,
            skip=stores.skip,
            sounds=self.recordings.pieces,
        )
        self.sweeper = Sweeper(
            self.vault,
            self.settings.retention,
            delete_recording=self.recordings.delete,
            copies=self._copies,
            forget_search=self.search.forget,
            note=self.evidence.note,
        )
        await self.eraser.start()
        self.clerk = Clerk(self.requests, self.eraser, self.access, folder=home / EXPORTS)
        self._stack.push_async_callback(self.clerk.close)

    async def _finish_erasures(self) -> None:
        while True:
            try:
                await self.clerk.resume()
                await self.eraser.resume()
                await self.library.sweep()
                await self._catch_up_digests()
                self._overdue = len([request for request in await self.requests.due() if not request.closed])
            except TwinError as error:
                logger.error("erasures could not go on", extra={"code": error.code})
            await asyncio.sleep(RESUME_EVERY_S)

    async def _catch_up_digests(self) -> None:
        """Of meetings whose process was killed."""
        owner = DigestOwner((self._owner_name,), self.settings.meeting.owner)
        await catch_up(self.vault, owner=owner)

    def _read_receipt(self, receipt: Mapping[str, Any]) -> Mapping[str, Any] | None:
        report = verify_receipt(receipt, self.signer.public)
        return report.content if report.valid else None

    async def erase_call(self, call_id: str) -> ErasureReceipt:
        """Erase one call and all that hangs on it."""
        return await self.eraser.erase_calls([call_id])

    async def _remembered(self, subject: str) -> list[dict[str, Any]]:
        return [
            {
                "kind": "remembered",
                "name": memory.about,
                "at": datetime.fromtimestamp(memory.at_ms / 1000, UTC).isoformat(timespec="seconds"),
                "data": memory.text,
            }
            for memory in await self.library.memories_of(subject)
        ]

    async def _sound(self, recording_id: str) -> AsyncIterator[bytes] | None:
        return self.recordings.as_wav(recording_id)

    def _record(self, call: Call) -> Recording:
        return self.recordings.start(
            call.id,
            clock_hz=call.clock.rate_hz,
            caller_hz=call.inlet.rate_hz,
            position=call.clock.position,
        )

    async def _request(self, kind: Kind, call: Call) -> str:
        law = law_of([_somebody(call.caller.subject)], self._owner)
        request = await self.requests.open(
            kind, call.channel, law=law, subject=call.caller.subject, call_id=call.id
        )
        return request.number

    def _agreement(self, call: Call, note: Note, texts: Disclosure) -> Agreement:
        rules = self.flow(call.caller.subject)
        purpose = note.detail["purpose"]
        kept = self.settings.retention
        status = _STATUSES[note.kind]
        levels = {"recording": rules.recording, "transcription": rules.transcription, "memory": "ask"}
        question = str(getattr(texts, f"ask_{purpose}")) if levels[purpose] == "ask" else ""
        all_days = {
            "recording": kept.audio_days,
            "transcription": kept.transcript_days,
            "memory": self.settings.memory.keep_days,
        }
        days = all_days[purpose]
        return Agreement(
            person=Party(call.caller.subject, call.caller.name or ""),
            controller=Party(name=self.settings.privacy.controller or self._owner_name),
            answers=(
                Answer(
                    purpose,
                    status,
                    int(time.time() * 1000),
                    {"key": "dtmf"}.get(note.detail["method"], note.detail["method"]),
                    call.clock.heard,
                    call.clock.rate_hz,
                    days if status == "granted" else None,
                ),
            ),
            language=texts.language,
            notice=f"{texts.text} {question}".strip(),
            policy=rules.version,
            started_ms=int(call.started_at.timestamp() * 1000),
            call_id=call.id,
            channel=call.channel,
            jurisdictions=tuple(code for code in rules.rows if code != UNKNOWN),
            law=law_of([_somebody(call.caller.subject)], self._owner).name,
            withdrawal=(texts.rights,),
        )


@asynccontextmanager
async def opened(home: Home) -> AsyncIterator[Archive]:
    """The archive of a home, for a command: with whatever providers keep, since opening goes on with erasures.

    Raises `TwinError`.
    """
    settings = load(home.path)
    secrets = environment(home.path)
    rest = TwilioRest(settings.twilio, TwilioSecrets.from_environment(secrets))
    owner = home.persona().profile.name
    archive = Archive(settings, home=home.path, owner_name=owner, copies=[TwilioCopies(rest)], environment=secrets)
    await archive.open()
    try:
        yield archive
    finally:
        await archive.close()
        await rest.close()


async def accept_restored(home: Home) -> str:
    """Let a ledger that was restored from a backup go on; what it lacks, in a line. Raises `TwinError`."""
    store = load(home.path).store
    async with Vault(home.path, store) as vault:
        signer = await asyncio.to_thread(Signer.open, home.path, vault.master)
        lost = await asyncio.to_thread(
            partial(restore.accept_restored, home.path / "ledger", signer, mirror=mirror_of(home.path, store))
        )
    if lost is None:
        return "nothing was restored: the ledger and its mirror agree"
    return f"accepted; the mirror had a head over {lost.size} entries ({lost.root}), put aside beside it"


def _somebody(subject: str | None) -> Somebody:
    return Somebody(number=subject) if subject and subject.startswith("+") else Somebody()
