"""`twin doctor`: the watermark, without which the twin says nothing."""

from __future__ import annotations

import asyncio

from agent.findings import Check, Patient
from compliance.errors import TwinError
from compliance.vault import Vault
from compliance.watermark.keys import KEY_FILE, MarkKeys
from compliance.watermark.layout import RATES_HZ
from compliance.watermark.stage import check, make_embedder

NAME = "watermark"
KEYS_LIMIT_S = 30.0
MOST_OF_A_CORE = 0.05
"""More than that, and with many calls sound would wait for its mark."""


async def watermark(patient: Patient) -> Check:
    """Whether sound of every rate is marked, what that costs, and whether the keys open."""
    try:
        costs = [await asyncio.to_thread(check, make_embedder, rate_hz) for rate_hz in RATES_HZ]
    except TwinError as error:
        return Check(NAME, "fail", f"{error.message} Nothing is said without it", "reinstall the twin")
    cost = f"at most {max(costs):.1%} of a core for a call"
    if not (patient.path / KEY_FILE).exists():
        return Check(NAME, "ok", f"{cost}; its key is made at the first start")
    try:
        async with asyncio.timeout(KEYS_LIMIT_S), Vault(patient.path, patient.settings.store) as vault:
            keys = await asyncio.to_thread(MarkKeys.open, patient.path, vault.master)
            number = await asyncio.to_thread(lambda: keys.generation)
    except (TwinError, TimeoutError) as error:
        why = error.message if isinstance(error, TwinError) else "its key did not open in time"
        return Check(NAME, "fail", why, f"restore {patient.path / KEY_FILE} from the backup")
    if max(costs) > MOST_OF_A_CORE:
        return Check(NAME, "warn", f"{cost}, which is much", "[limits] max_calls = fewer, or a faster machine")
    return Check(NAME, "ok", f"{cost}; key {number} marks")
