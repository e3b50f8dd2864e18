"""`twin doctor`, second half: what the twin keeps, proves and promises, from the keys to the announcement."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, cast

from agent.engines import registry
from agent.engines.base import Voice, install
from agent.engines.voice.estimate import Pace
from agent.engines.voice.prepared import at_hand, without_leading_silence
from agent.engines.voice.written import written_words
from agent.findings import Check, Patient
from agent.greeting import is_loopback
from agent.opening import PREPARED, texts_of
from agent.permission import permitted
from compliance.console.operators import Operators
from compliance.disclosure import Disclosure, languages
from compliance.errors import ConsentMissing, EngineError, LedgerError, SettingsError, TwinError, VaultError
from compliance.evidence import open_evidence
from compliance.forgetting.layout import mirror_of
from compliance.language.plain import base
from compliance.ledger import ENTRIES
from compliance.proofs.audit import Report, verify
from compliance.proofs.signing import KEY_FILE, PublicKey
from compliance.requests import Requests
from compliance.settings import RetentionSettings
from compliance.vault import Vault

STORE_LIMIT_S = 15.0
LEDGER_LIMIT_S = 60.0
SOON_DAYS = 7
DISCLOSURE_LIMIT_S = 8.0
MEASURED_HZ = 8_000
SPELLS_OUT = frozenset({"ja"})
"""Languages that espeak-ng has a voice for and cannot read: it names the characters of Japanese one by one."""
_PROBE_BYTES = 32
_RETENTION_KEYS = ("audio_days", "transcript_days", "message_days", "evidence_days")


async def examine(patient: Patient) -> list[Check]:
    """Every check of this file. Those that need the store are left out when it does not open: `store` says why."""
    checks: list[Check] = []
    limit_s = STORE_LIMIT_S + LEDGER_LIMIT_S
    try:
        async with asyncio.timeout(limit_s), Vault(patient.path, patient.settings.store) as vault:
            checks += [await keys(patient, vault), await ledger(patient, vault)]
            checks += [await operators(patient, vault), await requests(patient, vault)]
    except (TwinError, TimeoutError, OSError) as error:
        checks.append(await keys(patient, None) if not checks else _unread(error))
    checks += [mirror(patient), retention(patient), recording(patient), console_address(patient)]
    checks += [disclosure(patient), voice_language(patient), await likeness(patient)]
    return checks


def _unread(error: Exception) -> Check:
    why = error.message if isinstance(error, TwinError) else type(error).__name__
    return Check("archive", "fail", f"what is kept could not be read: {why}", "see the line of the store")


# ---- what is kept, and under which keys


async def keys(patient: Patient, vault: Vault | None) -> Check:
    """What wraps the keys of everything, and whether it answers; `vault` is None when the store did not open."""
    kind = patient.settings.store.master
    if kind == "keyring" and find_spec("keyring") is None:
        return Check("keys", "fail", '[store] master is "keyring", which is not installed', install("keyring"))
    if vault is None:
        return Check(
            "keys", "fail", f"the master key ({_MASTERS[kind]}) was not reached", "see the line of the store"
        )
    probe = secrets.token_bytes(_PROBE_BYTES)
    try:
        # A program or a keyring may take seconds, and the vault's own thread has other work.
        same = await asyncio.to_thread(lambda: vault.master.unwrap(vault.master.wrap(probe)) == probe)
    except VaultError as error:
        return Check("keys", "fail", error.message, "mend it before the next start: nothing opens without it")
    if not same:
        return Check(
            "keys", "fail", "the master key does not open what it closed", "correct [store] master_command"
        )
    return Check("keys", "ok", f"the master key is in {_MASTERS[kind]}, and answers")


_MASTERS = {"file": "a file of the home", "keyring": "the desktop's keyring", "command": "a program of yours"}


async def ledger(patient: Patient, vault: Vault) -> Check:
    """Whether the ledger is whole. What a process that was killed left unfinished is mended, as at every start."""
    folder = patient.path / "ledger"
    if not (patient.path / KEY_FILE).exists() and not (folder / ENTRIES).exists():
        return Check("ledger", "ok", "it begins with the first start")
    try:
        report = await asyncio.to_thread(_verify, patient)
        if not report.ok:
            async with open_evidence(patient.path, vault, patient.settings.store):
                pass
            report = await asyncio.to_thread(_verify, patient)
        size = (folder / ENTRIES).stat().st_size
    except LedgerError as error:
        mend = f"{patient.home.command('twin ledger verify')}; when a backup was restored: twin ledger accept"
        return Check("ledger", "fail", error.message, mend)
    if not report.ok:
        first = report.problems[0]
        detail = f"{_many(len(report.problems), 'problem')}, the first: {first.where}: {first.what}"
        return Check("ledger", "fail", detail, patient.home.command("twin ledger verify"))
    entries = _many(report.entries, "entry", "entries")
    return Check("ledger", "ok", f"whole: {entries}, {size / 1e6:.1f} MB, the mirror agrees")


def _verify(patient: Patient) -> Report:
    public = PublicKey.read(patient.path)
    folder = patient.path / "ledger"
    return verify(folder, mirror_of(patient.path, patient.settings.store), public, signatures=False)


def mirror(patient: Patient) -> Check:
    """A second copy on the same disk is lost with the first."""
    path = mirror_of(patient.path, patient.settings.store)
    there = next((folder for folder in (path, *path.parents) if folder.exists()), None)
    if there is None or there.stat().st_dev == patient.path.stat().st_dev:
        detail = "the second copy of the ledger's heads is on the same disk as the home, and goes with it"
        return Check("mirror", "warn", detail, '[store]\nmirror = "/a/folder/on/another/disk"')
    return Check("mirror", "ok", f"{path}, on another disk than the home")


async def operators(patient: Patient, vault: Vault) -> Check:
    """Who looks at the console, where requests wait."""
    active = [one for one in await Operators(vault).list() if one.state == "active"]
    if not active:
        mend = patient.home.command("twin operator add NAME --role owner")
        return Check("operators", "warn", "nobody may sign in to the console, where people's requests wait", mend)
    owners = sum(one.role == "owner" for one in active)
    who = f"{_many(owners, 'owner')} and {_many(len(active) - owners, 'reviewer')} may sign in"
    if not owners:
        mend = patient.home.command("twin operator add NAME --role owner")
        return Check("operators", "warn", f"{who}: nobody may approve a request", mend)
    return Check("operators", "ok", who)


async def requests(patient: Patient, vault: Vault) -> Check:
    """The law's time for what people asked about their data."""
    desk = Requests(vault, note=_no_note)
    due = await desk.due(within_days=SOON_DAYS)
    late = await desk.due()
    mend = patient.home.command("twin requests list")
    if late:
        return Check("requests", "warn", f"{_many(len(late), 'request')} overdue: answer now", mend)
    if due:
        return Check("requests", "warn", f"{_many(len(due), 'request')} due within {SOON_DAYS} days", mend)
    return Check("requests", "ok", f"nothing is due within {SOON_DAYS} days")


def _no_note(
    kind: str, *, call_id: str | None = None, subject: str | None = None, detail: Mapping[str, Any]
) -> None:
    """Looking changes nothing that would have to be proved."""


def retention(patient: Patient) -> Check:
    """What is kept for longer than it would be by default."""
    usual, kept = RetentionSettings(), patient.settings.retention
    days = {key: (getattr(kept, key), getattr(usual, key)) for key in _RETENTION_KEYS}
    longer = [f"{key} {now} (default {before})" for key, (now, before) in days.items() if now > before]
    if longer:
        return Check("retention", "ok", f"longer than the defaults: {', '.join(longer)}; say why in your records")
    return Check("retention", "ok", "nothing is kept longer than by default")


# ---- what callers are told and asked


def recording(patient: Patient) -> Check:
    """What callers are asked, and by whose rules."""
    consent = patient.settings.consent
    if consent.recording == "off":
        return Check("recording", "ok", "off: no sound is kept")
    if not consent.jurisdiction:
        detail = "callers are asked; where the owner is, is not set, and counts as the strictest place"
        return Check("recording", "ok", detail, '[consent]\njurisdiction = "DE"')
    return Check(
        "recording", "ok", f"callers are asked, by the rules of {consent.jurisdiction} and their own place"
    )


def console_address(patient: Patient) -> Check:
    """Without the address its cookies are not for https only, and its links are wrong for others."""
    host, url = patient.settings.server.host, patient.settings.console.public_url
    if is_loopback(host) or url.startswith("https:"):
        return Check("console", "ok", f"at {url or 'this machine only'}, under /console")
    detail = f"[console] public_url is {url or 'not set'} while others can reach {host}: cookies cross unencrypted"
    return Check("console", "warn", detail, '[console]\npublic_url = "https://twin.example.org"')


def disclosure(patient: Patient) -> Check:
    """Whether there are texts for the language, and how long the announcement sounds."""
    language = patient.settings.twin.language
    try:
        texts = _texts(patient)
    except TwinError as error:
        return Check("disclosure", "fail", error.message, "correct that file")
    if texts.language != base(language):
        file = patient.path / "disclosure" / f"{base(language)}.toml"
        detail = f"there are no texts for {language!r}: callers hear it in English"
        return Check(
            "disclosure", "warn", detail, f"[twin] language = one of {', '.join(languages())}; or write {file}"
        )
    seconds, how = _disclosure_s(patient, texts)
    detail = f"in {texts.language!r}, {how} {seconds:.1f} s"
    if seconds > DISCLOSURE_LIMIT_S:
        file = patient.path / "disclosure"
        mend = f"choose a voice that reads {texts.language!r} well, or shorten `text` in a file of {file}"
        return Check("disclosure", "warn", f"{detail}, which is more than {DISCLOSURE_LIMIT_S:g} s", mend)
    return Check("disclosure", "ok", detail)


def _texts(patient: Patient) -> Disclosure:
    owner = patient.home.persona().profile.name
    return texts_of(patient.path, patient.settings.twin.language, owner)["words"]


def _disclosure_s(patient: Patient, texts: Disclosure) -> tuple[float, str]:
    """How long, and whether that was measured: as it was prepared for the telephone, else by its syllables."""
    section, cache = patient.settings.voice, patient.path / "cache"
    language = patient.settings.twin.language
    # A clone may be silent; what must sound then is prepared in the built-in voice.
    name, settings = ("espeak", "") if section.cloned else (section.engine, section.model_dump_json())
    made = None
    try:
        voice = cast(
            Voice, registry.make("voice", name, section, patient.environment, cache=cache, language=language)
        )
        made = at_hand(voice, texts.text, texts.language, MEASURED_HZ, folder=cache / PREPARED, settings=settings)
    except (EngineError, SettingsError):
        pass  # The voice's own check says what it needs.
    if made is not None:
        return without_leading_silence(made).duration_ms / 1000, "measured:"
    units = sum(word.units for word in written_words(texts.text))
    return units * Pace().ms_per_unit / 1000, "estimated:"


def voice_language(patient: Patient) -> Check:
    """Whether the voice can read the language. What it does not have at all, the voice's own check finds."""
    language, engine = patient.settings.twin.language, patient.settings.voice.engine
    if engine != "espeak":
        return Check("voice language", "ok", f"{engine} is taken to speak {language!r}; twin say ... tells")
    if base(language) in SPELLS_OUT:
        detail = f"espeak cannot read {language!r}: it names characters instead of saying words"
        return Check(
            "voice language", "warn", detail, "[voice] engine = one that speaks it; see `voice engines` below"
        )
    return Check("voice language", "ok", f"espeak speaks {language!r}")


async def likeness(patient: Patient) -> Check:
    """Whether the owner agreed to the voice that imitates them."""
    if not patient.settings.voice.cloned:
        return Check("likeness", "ok", "the voice imitates nobody: [voice] cloned = false")
    try:
        async with asyncio.timeout(STORE_LIMIT_S), permitted(patient.path, patient.settings, "calls"):
            return Check("likeness", "ok", "the owner's consent to the cloned voice is on file")
    except ConsentMissing as error:
        detail = "[voice] cloned, and no consent of the owner on file: calls are in the built-in voice"
        return Check("likeness", "warn", detail, error.message)
    except (TwinError, TimeoutError, OSError) as error:
        why = error.message if isinstance(error, TwinError) else type(error).__name__
        return Check(
            "likeness", "warn", f"the owner's consent cannot be looked up: {why}", "see the line of the store"
        )


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
