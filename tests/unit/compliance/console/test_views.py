"""How pages answer: names for files, ways on, and what a form must hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import APIRouter, Response

from compliance.console.desk import Desk
from compliance.console.forms import Form
from compliance.console.views import OwnerVisit, Visit, safe_file_name
from compliance.errors import KeyGone, RequestError, VaultError
from tests.unit.compliance.console.house import opened_house


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("call-1.json", "call-1.json"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"; filename="b.exe', "a-filename-b.exe"),
        ("a\r\nSet-Cookie: x=1", "a-Set-Cookie-x-1"),
        (".htaccess", "htaccess"),
        ("Übersicht Köln.zip", "Ubersicht-Koln.zip"),
        ("雨", "file"),
        ("", "file"),
        ("x" * 300, "x" * 100),
    ],
)
def test_names_of_files_are_safe_for_headers_and_disks(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


def test_the_first_of_two_fields_with_one_name_counts() -> None:
    form = Form([("a", "1"), ("a", "2"), ("b", "")])
    assert (form["a"], form.all("a"), form.get("c"), len(form), sorted(form)) == (
        "1",
        ["1", "2"],
        None,
        2,
        ["a", "b"],
    )


def test_a_field_that_is_needed_is_trimmed_and_bounded() -> None:
    form = Form([("reason", "  because  "), ("long", "x" * 201), ("empty", "  ")])
    assert form.need("reason", "Say why.") == "because"
    for name in ("long", "empty", "missing"):
        with pytest.raises(RequestError, match=r"Say why\."):
            form.need(name, "Say why.")


def part(desk: Desk) -> APIRouter:
    """A part of the console as others write them."""
    routes = APIRouter()

    @routes.get("/parts/{name}")
    async def show(visit: Visit, name: str) -> Response:
        if name == "forgotten":
            raise KeyGone("This was forgotten.")
        if name == "busy":
            raise VaultError("The store is busy.")
        await visit.viewed("a part", part=name)
        return visit.download(b"data", name, "text/plain")

    @routes.get("/numbers/{number}")
    async def number(visit: Visit, number: int) -> Response:
        return Response(str(number))

    @routes.post("/parts/{name}")
    async def change(visit: OwnerVisit, name: str) -> Response:
        body = await visit.request.body()
        assert body == b""
        return visit.go(f"/parts/{visit.form.get('to', name)}", f"Changed {visit.form.need('what', 'Say what.')}.")

    return routes


async def test_a_part_written_by_others_is_guarded_like_ours(tmp_path: Path) -> None:
    async with opened_house(tmp_path / "home", parts=(part,)) as house:
        ada, rob = await house.signed_in("ada"), await house.signed_in("rob")
        assert (await house.stranger().get("/console/parts/one")).status_code == 303
        shown = await rob.get("/console/parts/a%22;%20filename=%22b.exe")
        assert shown.headers["content-disposition"] == 'attachment; filename="a-filename-b.exe"'
        assert (await house.noted())[-1] == "viewed"
        assert (await house.last())["operator"] == "rob"
        assert (await rob.post("/console/parts/one", {"what": "x"})).status_code == 403
        changed = await ada.post("/console/parts/one", {"what": "x"})
        assert changed.headers["location"] == "/console/parts/one"
        assert (await ada.post("/console/parts/one", {"what": ""})).status_code == 400


async def test_a_way_on_holds_no_line_of_its_own_and_stays_here(tmp_path: Path) -> None:
    async with opened_house(tmp_path / "home", parts=(part,)) as house:
        ada = await house.signed_in("ada")
        fields = {"what": "x", "to": "a\r\nX-Evil: 1"}
        for headers, name in (({}, "location"), ({"HX-Request": "true"}, "hx-redirect")):
            answer = await ada.post("/console/parts/one", fields, headers=headers)
            assert answer.headers[name].startswith("/console/parts/a%0D%0AX-Evil")
            assert "x-evil" not in answer.headers


async def test_errors_are_pages_with_one_line(tmp_path: Path) -> None:
    async with opened_house(tmp_path / "home", parts=(part,)) as house:
        ada = await house.signed_in("ada")
        for path, status, says in (
            ("parts/forgotten", 410, "This was forgotten."),
            ("parts/busy", 503, "The store is busy."),
            ("numbers/<b>x", 400, "Something in this address or form cannot be."),
            ("nothing", 404, "There is nothing at this address"),
        ):
            answer = await ada.get(f"/console/{path}")
            assert answer.status_code == status
            assert says in answer.text
            assert "<b>x" not in answer.text
