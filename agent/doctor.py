"""`twin doctor`: what is installed, configured and reachable, and the command that mends each.

Each check is a function that looks at one thing and says what it found. Nothing is fetched and no secret is shown;
opening the store brings it up to date. Only what would keep the twin from answering fails; what would make it
better is a warning.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import socket
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent import doctor_archive, doctor_camera, doctor_face, doctor_mark, doctor_persona, doctor_rooms
from agent.engines import registry
from agent.engines.base import Engine, Kind
from agent.engines.speech import whisper_models
from agent.findings import Check, Findings, Patient
from agent.greeting import is_loopback
from agent.home import find
from agent.settings import EngineSection, environment, load
from compliance.errors import EngineError, SettingsError, TwinError
from compliance.vault import Vault

PACKAGES = ("pipecat-ai", "aiortc", "fastapi", "uvicorn", "faster-whisper", "pocketsphinx", "espeakng-loader")
KINDS: tuple[Kind, ...] = ("speech", "brain", "voice")
MODEL_PORTS = {11_434: "Ollama", 1_234: "LM Studio", 8_080: "llama.cpp", 8_000: "vLLM"}
MODEL_LIMIT_S = 0.3
ENGINE_LIMIT_S = 60.0
STORE_LIMIT_S = 15.0
CLOSE_LIMIT_S = 5.0
PRIVATE = (".env", "twin.db", "keys.db", "master.key", "vault.secret", "keys/watermark.key")
MANY = 6
"""Lines of advice that are still read as lines."""
DISK_WANTED_BYTES = 2_000_000_000
EARLIEST = 1_767_225_600
"""The first second of 2026: a clock that is before it was never set, and tokens and certificates fail."""


async def examine(named: Path | None) -> Findings:
    """Run every check. A check that needs what an earlier one could not read is left out."""
    checks = [python(), *packages(), clock()]
    try:
        home = find(named, os.environ)
        settings = load(home.path)
        patient = Patient(home, settings, environment(home.path))
    except TwinError as error:
        name = "settings" if isinstance(error, SettingsError) else "home"
        return Findings((*checks, Check(name, "fail", error.message, "correct the file, or: twin init DIR")))
    checks += [owner(patient), settings_read(patient), files(patient), disk(patient)]
    checks.append(await store(patient))
    checks += await doctor_archive.examine(patient)
    checks.append(await doctor_mark.watermark(patient))
    checks += await doctor_persona.examine(patient)
    for kind in KINDS:
        checks.append(await chosen(kind, patient))
    checks.append(await doctor_face.face(patient))
    checks += [whisper_model(patient), *await model_servers(patient), *others(patient)]
    checks += [phone(patient), *await doctor_rooms.examine(patient), port(patient), microphone(patient)]
    checks += await doctor_camera.examine(patient)
    return Findings(tuple(checks))


def report(findings: Findings, *, as_json: bool, console: Console | None = None) -> int:
    """Print the findings; the exit code: 0 when nothing failed."""
    console = console or Console(highlight=False)
    if as_json:
        value: dict[str, Any] = {
            "ok": not findings.failed,
            "checks": [asdict(check) for check in findings.checks],
        }
        console.print(json.dumps(value, ensure_ascii=False, indent=2), markup=False, soft_wrap=True)
        return int(findings.failed)
    colours = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    table = Table.grid(padding=(0, 2))
    for check in findings.checks:
        said = Text(check.detail)
        if check.mend:
            said.append("\n" + _short(check.mend), style="bold")
        table.add_row(Text(check.verdict, style=colours[check.verdict]), check.name, said)
    console.print(table)
    return int(findings.failed)


def _short(mend: str) -> str:
    """Dozens of engines each say where a key goes; on a screen the key's name says it all."""
    lines = [line.replace(" in the environment or the home's .env", "") for line in mend.splitlines()]
    return (
        "\n".join(lines) if len(lines) < MANY else "; ".join(lines).replace(": set ", ": ").replace("; set ", ", ")
    )


# ---- this machine


def python() -> Check:
    """Python itself."""
    # An older one cannot even import this file; pip and the Makefile say so.
    return Check("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def packages() -> list[Check]:
    """The packages everything stands on."""
    versions: dict[str, str] = {}
    absent = []
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            absent.append(name)
    if absent:
        return [
            Check("packages", "fail", f"not installed: {', '.join(absent)}", "make run, or: pip install ai-twin")
        ]
    # Sound is read and written by PyAV and our own code: no program of the system is needed.
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [Check("packages", "ok", f"{listed}; no ffmpeg or other system package is needed")]


def clock(now: float | None = None) -> Check:
    """The machine's clock, which tokens and certificates depend on."""
    at = time.time() if now is None else now
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
    if at < EARLIEST:
        return Check("clock", "fail", f"it says {day}", "set the clock, e.g. timedatectl set-ntp true")
    return Check("clock", "ok", day)


# ---- the twin's home


def owner(patient: Patient) -> Check:
    """Profile, facts and statements."""
    try:
        persona = patient.home.persona()
    except TwinError as error:
        return Check("home", "fail", error.message, f"correct the file, or: twin init {patient.home.path}")
    which = "the built-in demo twin; " if patient.home.demo else ""
    counts = f"{_many(len(persona.facts), 'fact')}, {_many(len(persona.statements), 'statement')}"
    detail = f"{which}{patient.home.path}: {persona.profile.name}, {counts}"
    if not persona.facts:
        return Check("home", "warn", detail, f"add facts to {patient.home.path / 'facts.toml'}")
    return Check("home", "ok", detail, "twin init ~/.twin" if patient.home.demo else "")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def settings_read(patient: Patient) -> Check:
    """twin.toml and TWIN_ variables."""
    changed = [
        f"[{name}] {key}"
        for name in type(patient.settings).model_fields
        for key, value in getattr(patient.settings, name)
        if value != getattr(type(patient.settings).model_fields[name].get_default(), key, None)
    ]
    return Check("settings", "ok", f"changed: {', '.join(changed)}" if changed else "all defaults")


def files(patient: Patient) -> Check:
    """Who else on this machine may read secrets and calls."""
    path = patient.home.path
    if not os.access(path, os.W_OK | os.X_OK):
        return Check("file modes", "fail", f"{path} cannot be written", f"chmod u+rwx {path}")
    private = [path / name for name in PRIVATE]
    open_files = [str(file) for file in private if file.exists() and _mode(file) & 0o077]
    mends = [f"chmod 700 {path}"] if _mode(path) & 0o077 else []
    mends += [f"chmod 600 {' '.join(open_files)}"] if open_files else []
    if mends:
        return Check(
            "file modes", "warn", "other users of this machine may read what is private", "\n".join(mends)
        )
    return Check("file modes", "ok", "folder and private files are their owner's alone")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def disk(patient: Patient) -> Check:
    """Room for calls and models."""
    free = shutil.disk_usage(patient.home.path).free
    detail = f"{free / 1e9:.1f} GB free at {patient.home.path}"
    if free < DISK_WANTED_BYTES:
        return Check(
            "disk", "warn", detail, "free some space: a Whisper model and a year of calls need about 2 GB"
        )
    return Check("disk", "ok", detail)


async def store(patient: Patient) -> Check:
    """The vault opens, is up to date, and takes records."""
    vault = Vault(patient.home.path, patient.settings.store)
    try:
        async with asyncio.timeout(STORE_LIMIT_S), vault:
            kept = await vault.calls(limit=1)
            why = vault.health()
    except TwinError as error:
        return Check("store", "fail", error.message, "check [store] url, or restore the file from a backup")
    except (TimeoutError, OSError) as error:
        return Check("store", "fail", f"it does not open: {type(error).__name__}", "check [store] url")
    if why:
        return Check("store", "fail", why, "check [store] url")
    where = "SQLite" if not patient.settings.store.url else patient.settings.store.url.partition(":")[0]
    return Check("store", "ok", f"{where}, open and up to date, {'calls are kept' if kept else 'no calls yet'}")


# ---- the engines


async def chosen(kind: Kind, patient: Patient) -> Check:
    """The engine that the settings choose: is all there, and does it start?"""
    section: EngineSection = getattr(patient.settings, kind)
    cache = patient.home.path / "cache"
    name = section.engine
    if name == "auto":
        there = whisper_models.is_present(section.model or whisper_models.DEFAULT_MODEL, cache)
        name = "whisper" if there else "pocketsphinx"
    try:
        card = registry.card(kind, name)
        cache.mkdir(parents=True, exist_ok=True)
        engine: Engine = registry.make(
            kind, name, section, patient.environment, cache=cache, language=patient.settings.twin.language
        )
        await _starts(engine)
    except (EngineError, SettingsError) as error:
        return Check(kind, "fail", error.message, _how(error.message))
    except TimeoutError:
        return Check(kind, "fail", f"{name} did not start within {ENGINE_LIMIT_S:g} s", f"[{kind}] engine = ...")
    notes = [card.about]
    if card.falls_back_to:
        notes.append(f"falls back to {card.falls_back_to}")
    if card.licence:
        notes.append(card.licence)
    return Check(kind, "ok", f"{name} starts: {'; '.join(notes)}")


async def _starts(engine: Engine) -> None:
    try:
        async with asyncio.timeout(ENGINE_LIMIT_S):
            await engine.start()
    finally:
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await engine.close()


def _how(message: str) -> str:
    """The part of an engine's complaint that is the thing to do."""
    return message.partition(" needs: ")[2]


def others(patient: Patient) -> list[Check]:
    """Engines that could be chosen, and what each still needs."""
    return [_others(kind, patient.environment) for kind in KINDS]


def _others(kind: Kind, variables: Mapping[str, str]) -> Check:
    ready: list[str] = []
    lacking: list[str] = []
    for (of_kind, name), card in sorted(registry.cards().items()):
        if of_kind == kind:
            needs = registry.missing(card, variables)
            ready += [] if needs else [name]
            lacking += [f"{name}: {'; '.join(needs)}"] if needs else []
    return Check(f"{kind} engines", "ok", f"ready to be chosen: {', '.join(ready) or 'none'}", "\n".join(lacking))


def whisper_model(patient: Patient) -> Check:
    """The model that `auto` prefers."""
    section = patient.settings.speech
    if section.engine not in ("auto", "whisper"):
        return Check("whisper model", "ok", f"not used: [speech] engine is {section.engine}")
    name = section.model or whisper_models.DEFAULT_MODEL
    if whisper_models.is_present(name, patient.home.path / "cache"):
        return Check("whisper model", "ok", f"{name} is here")
    mend = (
        "twin serve (fetches it in the background)" if section.fetch else "[speech] fetch = true, then: twin serve"
    )
    return Check("whisper model", "warn", f"{name} is not here; pocketsphinx listens until then", mend)


async def model_servers(
    patient: Patient, ports: Mapping[int, str] = MODEL_PORTS, *, limit_s: float = MODEL_LIMIT_S
) -> list[Check]:
    """Language models that run on this machine. They are offered, never used."""
    async with httpx.AsyncClient(timeout=limit_s, trust_env=False) as client:
        found = await asyncio.gather(*(_models(client, port) for port in ports))
    checks = []
    for (port, usual), models in zip(ports.items(), found, strict=True):
        if models is None or str(port) in patient.settings.brain.base_url:
            continue
        names = ", ".join(models[:5]) or "no model loaded"
        lines = f'[brain]\nengine = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"'
        lines += f'\nmodel = "{models[0]}"' if models else ""
        checks.append(
            Check("language model", "ok", f"found at port {port} (usually {usual}): {names}; to use it:", lines)
        )
    if not checks and patient.settings.brain.engine == "grounded":
        mend = "start Ollama or another OpenAI-compatible server, or set OPENAI_API_KEY and [brain] engine"
        detail = "none runs on this machine; answers come from the owner's facts only"
        checks.append(Check("language model", "warn", detail, mend))
    return checks


async def _models(client: httpx.AsyncClient, port: int) -> list[str] | None:
    """Names of the models that a server on loopback offers; None when there is no such server."""
    try:
        response = await client.get(f"http://127.0.0.1:{port}/v1/models")
        listed = response.raise_for_status().json()["data"]
        return [str(model["id"]) for model in listed if _plain(str(model["id"]))]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def _plain(name: str) -> bool:
    """What a stranger's server calls its model ends up in a settings line, so it must not be able to break out."""
    return 0 < len(name) < 200 and name.isprintable() and not set(name) & set("\"'\\")


# ---- ways in


def phone(patient: Patient) -> Check:
    """Twilio, as far as it can be known without calling it."""
    settings = patient.settings.twilio
    if not patient.environment.get("TWILIO_AUTH_TOKEN"):
        mend = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN; README.md walks through buying a number"
        return Check("phone", "warn", "not connected: TWILIO_AUTH_TOKEN is not set", mend)
    lacking = [
        *([] if patient.environment.get("TWILIO_ACCOUNT_SID") else ["TWILIO_ACCOUNT_SID is not set"]),
        *([] if settings.public_url or settings.trusted_proxies else ["[twilio] public_url is not set"]),
    ]
    if lacking:
        mend = '[twilio]\npublic_url = "https://twin.example.org"'
        return Check("phone", "warn", f"TWILIO_AUTH_TOKEN is set; {', '.join(lacking)}", mend)
    if settings.public_url.startswith("http:"):
        detail = "[twilio] public_url is not https: Twilio opens media streams by wss only"
        return Check("phone", "warn", detail, "put a TLS proxy or a tunnel in front")
    where = settings.public_url or "behind a trusted proxy"
    return Check("phone", "ok", f"keys are set; Twilio calls {where}")


def port(patient: Patient) -> Check:
    """Whether `twin serve` could listen."""
    server = patient.settings.server
    name = f"{server.host}:{server.port}"
    try:
        family = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((server.host, server.port), family=family).close()
    except OSError as error:
        detail = (
            f"{name} cannot be used ({error.strerror or type(error).__name__}); perhaps the twin serves already"
        )
        return Check("port", "warn", detail, "twin serve --port 0 chooses a free one")
    return Check("port", "ok", f"{name} is free")


def microphone(patient: Patient) -> Check:
    """Browsers give the microphone only to pages they consider secure."""
    host = patient.settings.server.host
    if is_loopback(host):
        return Check("browser", "ok", "opened on this machine, the page may use the microphone")
    if any(origin.startswith("https:") for origin in patient.settings.web.allowed_origins):
        return Check("browser", "ok", "an https address is listed in [web] allowed_origins")
    detail = f"it listens on {host}; browsers give the microphone only to https or localhost"
    mend = 'put a TLS proxy in front, and:\n[web]\nallowed_origins = ["https://twin.example.org"]'
    return Check("browser", "warn", detail, mend)
