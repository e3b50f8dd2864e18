"""`twin requests`, `twin access` and `twin erase`, on a home with its ledger, keys and recordings."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from agent import requests
from agent.home import Home
from compliance.access import Package
from compliance.erasure import Preview
from compliance.errors import RequestError
from compliance.evidence import open_evidence
from compliance.forgetting.erasure_receipt import ErasureReceipt, opened
from compliance.jurisdiction import Law
from compliance.proofs.signing import PublicKey
from compliance.requests import Request, Requests
from compliance.settings import StoreSettings
from compliance.vault import Vault
from persona.home import write_example
from tests.unit.compliance.erasing_helpers import ANNA, BEN, fill

LAW = Law("GDPR", 28, 61)


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    """A home with two callers, each with calls, messages and an item."""
    folder = tmp_path / "home"
    write_example(folder)
    async with Vault(folder) as vault:
        await fill(vault, ANNA, "anna", reference="web")
        await fill(vault, BEN, "ben", reference="web")
    return Home(folder)


async def asked(home: Home, kind: str, subject: str) -> Request:
    async with Vault(home.path) as vault, open_evidence(home.path, vault, StoreSettings()) as evidence:
        desk = Requests(vault, note=evidence.note)
        return await desk.open("erasure" if kind == "erasure" else "access", "web", law=LAW, subject=subject)


def printed() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=200, highlight=False), out


async def test_an_erasure_is_approved_carried_out_and_signed_by_this_home(home: Home, tmp_path: Path) -> None:
    request = await asked(home, "erasure", ANNA)
    with pytest.raises(RequestError, match="not verified"):
        await requests.approve(home, request.number)
    closed, receipt = await requests.approve(home, request.number, reason="I know her")
    assert isinstance(receipt, ErasureReceipt)
    assert closed.state == "done"
    assert closed.receipt is not None
    public = PublicKey.read(home.path)
    said = opened(closed.receipt, public.verify)
    assert said is not None
    assert said["done"] is True
    assert said["request"] == request.number
    assert {outcome.store for outcome in receipt.stores} >= {"keys", "database", "recordings", "twilio", "ledgers"}
    (shown,) = await requests.listed(home)
    console, out = printed()
    requests.print_list(console, (shown,), now=time.time)
    requests.print_receipt(console, receipt)
    assert request.number in out.getvalue()
    assert "unknown" in out.getvalue()
    assert "key_destroyed" in out.getvalue()
    assert "; done" in out.getvalue()
    assert "proof" not in requests.as_json((shown,))


async def test_an_access_package_goes_into_the_exports_and_goes_with_the_person(home: Home) -> None:
    request = await asked(home, "access", BEN)
    closed, package = await requests.approve(home, request.number, reason="he was here")
    assert isinstance(package, Package)
    assert closed.state == "done"
    assert package.path.parent == home.path / "exports"
    with zipfile.ZipFile(package.path) as archive:
        assert "ben" in archive.read("data.json").decode()
    receipt, text = await requests.erase(home, BEN)
    assert receipt.done
    assert json.loads(text)["key"]
    assert not package.path.exists()
    assert json.loads(requests.as_json(receipt))["done"] is True


async def test_a_rejection_says_why(home: Home) -> None:
    request = await asked(home, "access", ANNA)
    rejected = await requests.reject(home, request.number, reason="not the same person")
    assert (rejected.state, rejected.reason) == ("rejected", "not the same person")
    with pytest.raises(RequestError, match="is rejected"):
        await requests.approve(home, request.number, reason="after all")


async def test_what_would_go_is_shown_before(home: Home) -> None:
    shown = await requests.preview(home, ANNA)
    assert requests.in_words(shown).endswith("nothing was erased: add --yes")
    assert "written as it is kept" in requests.in_words(await requests.preview(home, "+4900000000"))
    assert isinstance(shown, Preview)
    assert (shown.calls, shown.provider_calls) == (4, 4)


async def test_a_package_and_a_receipt_replace_no_file(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "out"
    requests.save("{}", requests.vacant(file))
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(RequestError, match="already exists"):
        requests.save("{}", file)
    with pytest.raises(RequestError, match="name another"):
        requests.vacant(tmp_path / "no folder" / "out")
    with pytest.raises(RequestError, match="already exists"):
        await requests.access(home, ANNA, file)
    package = await asyncio.wait_for(requests.access(home, ANNA, tmp_path / "a.zip"), 60)
    assert package.calls == 4


def test_what_is_late_is_said_in_capitals() -> None:
    request = Request("R-AAAA-AAAA", "access", "open", "web", "GDPR", None, 0, 86_400_000)
    console, out = printed()
    requests.print_list(console, (request,), now=lambda: 4 * 86_400.0)
    requests.print_list(console, (), now=time.time)
    assert "OVERDUE by 3 days" in out.getvalue()
    assert "No requests." in out.getvalue()


@pytest.mark.parametrize(
    ("now_s", "said"),
    [(0, "in 28 days"), (1, "in 27 days"), (26.5 * 86_400, "in 1 day"), (27.5 * 86_400, "in less than a day")],
)
def test_a_deadline_is_never_said_to_be_later_than_it_is(now_s: float, said: str) -> None:
    request = Request("R-AAAA-AAAA", "access", "open", "web", "GDPR", None, 0, 28 * 86_400_000)
    console, out = printed()
    requests.print_list(console, (request,), now=lambda: now_s)
    assert said in [cell.strip() for line in out.getvalue().splitlines() for cell in line.split("  ")]
