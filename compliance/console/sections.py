"""What the console is made of: the pages of each part, and the entries of its menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter

from compliance.console.desk import Desk


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the menu."""

    label: str
    path: str
    """Below the console, as `/calls`; a page names it as its `here` to show the entry as the current one."""
    icon: str
    """A name that the macro `icon` of `parts.html` knows."""


MENU = (
    Entry("Home", "/", "home"),
    Entry("Calls", "/calls", "phone"),
    Entry("Requests", "/requests", "inbox"),
    Entry("Consents", "/consents", "check"),
    Entry("Ledger", "/ledger", "chain"),
    Entry("Settings", "/settings", "sliders"),
)

Section = Callable[[Desk], APIRouter]
"""Makes the routes of one part; paths are below the console."""


def sections() -> tuple[Section, ...]:
    """Every part with pages of its own; imported here, so that the parts may import everything else."""
    from compliance.console.call_pages import call_pages
    from compliance.console.calls_pages import calls_pages
    from compliance.console.consents_pages import consents_pages
    from compliance.console.ledger_pages import ledger_pages
    from compliance.console.requests_pages import requests_pages

    return (calls_pages, call_pages, requests_pages, consents_pages, ledger_pages)
