"""`twin voices`: the weights of cloned voices, their licences, and training a model of the owner's own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agent.archive import opened
from agent.engines.voice.served import interpreter
from agent.home import Home
from compliance.errors import ConsentMissing
from compliance.likeness.permits import CLONES
from persona.voice import dataset, models
from persona.voice.finetune import VOICE, Plan, Progress, train

MODEL = "model"
"""The folder of a trained model, beside the other files of the clone: it goes with the consent."""

Look = Callable[[], Awaitable[None]]


def cache_of(home: Home) -> Path:
    """Where a home keeps what it fetched."""
    return home.path / "cache"


def listed(home: Home) -> str:
    """Every model with its licence and whether it is here, for people."""
    return "\n\n".join(models.show(name, cache_of(home)) for name in models.MODELS)


def as_json(home: Home) -> str:
    """The same for scripts."""
    cache = cache_of(home)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "about": model.about,
            "licence": model.licence,
            "url": model.url,
            "terms": list(model.terms),
            "accepted": models.accepted(name, cache),
            "here": models.locate(name, cache) is not None,
        }
        for name, model in models.MODELS.items()
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def accept(home: Home, name: str) -> str:
    """Write down that the licence was accepted; what it says, for people. Raises `EngineMissing`."""
    shown = models.show(name, cache_of(home))
    models.accept(name, cache_of(home))
    return f"{shown}\naccepted; next: {home.command(f'twin voices fetch {name}')}"


async def fetch(home: Home, name: str, progress: Callable[[int, int | None], None]) -> Path:
    """Fetch a model whose licence was accepted. Raises `EngineMissing` and `EngineFailed`."""
    return await models.fetch(name, cache_of(home), progress)


async def trained(home: Home, plan: Plan, told: Callable[[Progress], None], *, python: str = "") -> Path:
    """Train on the enrolled recordings, or on `plan.dataset` where it is given; the folder of the result.

    Stopped, it goes on from its last save the next time. A consent that is revoked stops it. Raises `TwinError`.
    """
    async with _prepared(home, _absolute(plan)) as (ready, look):
        async with aclosing(train(ready, python=_program(python) or interpreter("TTS"))) as steps:
            async for step in steps:
                await look()
                told(step)
        return ready.out / VOICE


def _program(python: str) -> str:
    return os.path.abspath(python) if os.sep in python else python


def _absolute(plan: Plan) -> Plan:
    """The training runs in the model's folder, where a relative path would mean another one."""
    given = {name: getattr(plan, name) for name in ("dataset", "out", "base", "trainer")}
    return replace(plan, **{name: path.absolute() for name, path in given.items() if path not in (None, Path())})


async def _nothing() -> None:
    """Recordings that were given by hand are under no consent of ours."""


@asynccontextmanager
async def _prepared(home: Home, plan: Plan) -> AsyncIterator[tuple[Plan, Look]]:
    """What to train, and how to look whether it still may be."""
    if plan.dataset != Path():
        yield plan, _nothing
        return
    async with opened(home) as archive:
        await archive.permits.refresh()
        standing = archive.permits.standing("voice")
        if standing is None:
            raise ConsentMissing("There is no consent to a cloned voice; give it with `twin enroll voice`.")
        out = plan.out if plan.out != Path() else home.path / CLONES / standing.consent_id / MODEL

        async def look() -> None:
            await archive.permits.refresh()
            if archive.permits.standing("voice") != standing:
                raise ConsentMissing("The consent to the cloned voice was revoked, or is another one now.")

        try:
            async with dataset.unpacked(archive.clones, _in_memory()) as folder:
                yield replace(plan, dataset=folder, out=out), look
        finally:
            # What the training wrote after its consent had ended.
            await archive.clones.finish()


def _in_memory() -> Path | None:
    shared = Path("/dev/shm")
    return shared if sys.platform == "linux" and shared.is_dir() else None


def line(step: Progress) -> str:
    """How far it is, in a line."""
    loss = "" if step.loss is None else f", loss {step.loss:.3f}"
    again = " (went on from its last save)" if step.resumed else ""
    return f"{step.state}: epoch {step.epoch} of {step.epochs}, step {step.step}{loss}{again}"


def event(step: Progress) -> str:
    """The same for scripts."""
    return json.dumps(asdict(step))


def run(home: Home, plan: Plan, *, python: str, as_lines: bool) -> Path:
    """For the command: print each step, and return the result's folder."""
    shown = event if as_lines else line
    return asyncio.run(trained(home, plan, lambda step: print(shown(step), flush=True), python=python))  # noqa: T201
