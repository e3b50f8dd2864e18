"""What the console and the public pages are handed by the house: its archive, its settings, its engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from agent.engines import registry
from agent.engines.base import Kind
from agent.house import House
from agent.settings import EngineSection, Settings
from compliance.console.desk import Desk
from compliance.console.proving import prover
from compliance.console.setting_rows import setting_rows
from compliance.judgement import Judge
from compliance.jurisdiction import Law
from compliance.proofs import audit
from compliance.public.front import Front
from compliance.public.notice import Processor, notice
from compliance.watermark.verifying import PUBLIC

_DOES: dict[Kind, str] = {
    "speech": "turns what is said into words",
    "brain": "words the answers",
    "voice": "speaks the answers",
}


def desk_of(house: House) -> Desk:
    """The console's; the house has started."""
    archive, settings = house.archive, house.settings
    return Desk(
        vault=archive.vault,
        evidence=archive.evidence,
        owner_name=house.persona.profile.name,
        public_key=archive.signer.public_pem,
        settings=settings.console,
        setting_rows=setting_rows(
            disclosure=settings.disclosure,
            consent=settings.consent,
            retention=settings.retention,
            console=settings.console,
            store=settings.store,
            privacy=settings.privacy,
        ),
        search=archive.search,
        recordings=archive.recordings,
        redactor=archive.redactor,
        requests=archive.requests,
        eraser=archive.eraser,
        erase_call=archive.erase_call,
        carry_out=archive.clerk.carry_out,
        access_package=archive.clerk.package,
        verify_ledger=partial(asyncio.to_thread, audit.verify_home, house.home, settings.store),
        prove_leaf=prover(archive.evidence.proof, archive.signer.public),
        health={
            "store": archive.vault.health,
            "ledger": archive.evidence.health,
            "deadlines": archive.deadlines,
            "service": lambda: house.health() or None,
        },
    )


def front_of(house: House) -> Front:
    """The public pages'; the house has started."""
    settings, name = house.settings, house.persona.profile.name
    return Front(
        owner_name=name,
        notice=notice(
            name,
            privacy=settings.privacy,
            retention=settings.retention,
            consent=settings.consent,
            memory_days=settings.memory.keep_days if _remembers(settings) else None,
            processors=processors(house),
        ),
        law=lambda subject, country: _law(house, subject, country),
        requests=house.archive.requests,
        judge=Judge(house.home, house.archive.vault, PUBLIC).of,
        public_key=house.archive.signer.public_pem,
        settings=settings.console,
    )


def processors(house: House) -> tuple[Processor, ...]:
    """Which programs and companies handle what callers say, as the settings have it."""
    sections: dict[Kind, EngineSection] = {
        "speech": house.settings.speech,
        "brain": house.settings.brain,
        "voice": house.settings.voice,
    }
    found = []
    for kind, section in sections.items():
        name = house.lineup.names[kind] if section.engine == "auto" else section.engine
        known = registry.cards().get((kind, name))
        keys = known.keys if known else ()
        host = section.base_url.partition("://")[2].partition("/")[0].partition(":")[0]
        here = host in ("127.0.0.1", "localhost") or (not keys and not host)
        found.append(Processor(name, _DOES[kind], here, "" if here else host or name))
    found += [_server(name, does, url) for name, does, url in _asides(house.settings) if url]
    if house.environment.get("TWILIO_ACCOUNT_SID"):
        found.append(Processor("Twilio", "carries telephone calls", here=False, where="Twilio Inc., USA"))
    return tuple(found)


def _remembers(settings: Settings) -> bool:
    return settings.memory.enabled and settings.memory.ask != "never"


def _asides(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Servers beside the engines: name, what they do, and their address, which is empty where there is none."""
    yield "moderation", "judges whether what is said is fit to be answered", settings.guard.moderation_base_url
    yield "notifications", "tell the owner that somebody needs them", settings.tools.notify_url
    if _remembers(settings):
        options = settings.memory.options
        stored = next((str(options[key]) for key in ("connection_string", "url", "host") if options.get(key)), "")
        yield "memory", "keeps what people agreed to have remembered, sealed", stored
        if settings.memory.embedder == "openai":
            url = settings.memory.embedder_url or "https://api.openai.com/v1"
            yield "embedder", "compares what is remembered with what is said", url


def _server(name: str, does: str, url: str) -> Processor:
    host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
    here = host in ("127.0.0.1", "localhost", "::1")
    return Processor(name, does, here, "" if here else host)


def _law(house: House, subject: str, country: str) -> Law:
    return house.archive.law(subject, country)
