"""The package of what is kept about a person, as a page for people: plain HTML, nothing loaded from anywhere."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}" \
    "dt{font-weight:600;margin-top:.6rem}dd{margin:0}h2{margin-top:2rem}"  # fmt: skip


def page(data: dict[str, Any]) -> str:
    """The same for people: plain HTML, everything escaped, nothing loaded from anywhere."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is kept about you</title>',
        f"<style>{_STYLE}</style><h1>What is kept about you</h1>",
        f"<p>About {_safe(data['about'])}, as of {_safe(data['made_at'])}. "
        "What identifies other people is hidden. "
        "The same is in data.json for programs; manifest.json is signed.</p>",
    ]
    parts += _calls(data["calls"])
    for heading, rows in (
        ("Messages you left", data["messages"]),
        ("What is remembered", data["remembered"]),
        ("What you agreed to or refused", data["consents"]),
        ("Recordings", data["recordings"]),
        ("What you asked for", data["requests"]),
    ):
        parts.append(f"<h2>{heading}</h2>" + ("" if rows else "<p>Nothing.</p>"))
        for row in rows:
            pairs = ((key, value) for key, value in row.items() if key != "receipt")
            parts.append("<dl>" + "".join(f"<dt>{_safe(key)}<dd>{_safe(value)}" for key, value in pairs) + "</dl>")
    return "".join((*parts, "</html>"))


def _calls(told: Iterable[dict[str, Any]]) -> list[str]:
    parts: list[str] = []
    for call in told:
        parts.append(f"<h2>Call of {_safe(call.get('began', ''))} by {_safe(call.get('channel', ''))}</h2><dl>")
        parts += [f"<dt>{_safe(turn['who'])}<dd>{_safe(turn['text'])}" for turn in call.get("turns", ())]
        parts.append("</dl>")
    return parts


def _safe(value: object) -> str:
    return html.escape(str(value))
