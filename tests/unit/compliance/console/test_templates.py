"""Templates: what people said stays text, and nothing is left out silently."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from compliance.console.templates import Templates, clock, day, iso, lasting, thousands, when

FOLDERS = [
    Path(str(resources.files(package))) / folder
    for package in ("compliance.console", "compliance.public")
    for folder in ("pages", "static")
]


async def test_what_somebody_said_is_text_in_a_page() -> None:
    said = "<script>alert('x')</script> & \"more\""
    page = await Templates().render("error.html", {"owner_name": said, "title": said, "text": said, "status": 400})
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


async def test_a_value_that_a_page_forgot_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        await Templates().render("error.html", {"owner_name": "Ada"})


def test_no_page_carries_style_or_code_of_its_own_or_loads_from_elsewhere() -> None:
    pages = [path for folder in FOLDERS if folder.is_dir() for path in folder.glob("*.html")]
    assert len(pages) > 8
    for path in pages:
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:", text), path
        assert not re.search(r"(src|href|action|hx-get|hx-post)=[\"'](https?:)?//", text), path
        assert "|safe" not in text, path


def test_every_form_that_is_posted_carries_a_token() -> None:
    for folder in FOLDERS[:1]:
        for path in folder.glob("*.html"):
            for form in re.findall(r"<form[^>]*method=.post.*?</form>", path.read_text("utf-8"), re.S):
                assert "csrf_field()" in form or 'name="csrf"' in form, path


def test_style_loads_nothing_from_elsewhere() -> None:
    for folder in FOLDERS:
        for path in folder.glob("*.css") if folder.is_dir() else ():
            text = path.read_text("utf-8")
            assert "url(" not in text, path
            assert "@import" not in text, path


def test_times_are_said_as_people_say_them() -> None:
    assert [lasting(ms) for ms in (None, 900, 61_000, 3_720_000)] == ["–", "0 s", "1 min 01 s", "1 h 02 min"]
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert (when(None), day(None), clock(None)) == ("–", "–", "–")
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} 20\d\d, \d\d:\d\d", when(1_795_000_000_000))
    assert thousands(1_234_567) == "1\u202f234\u202f567"
