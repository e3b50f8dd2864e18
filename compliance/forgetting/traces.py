"""The byte scan over everything in the home: whatever store a file belongs to, and whether anybody knew of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compliance.forgetting.needles import Sought
from compliance.forgetting.stores import Outcome, Result, files_below, worst
from compliance.sound.chunks import SUFFIX

OWNERS_FILES = ("profile.toml", "facts.toml", "statements.md", "twin.toml", ".env", "disclosure")
"""What the owner wrote; the twin's answers come from it, so only what callers are or said counts there."""
OWNERS = "owner_files"
ELSEWHERE = "home"
"""Files of the home that belong to no store we know of."""
_MOST_NAMED = 5
_MOST_SEALED = 1 << 30
"""Recordings are sealed as they are written and are the bulk of a home: no more of them is read than this."""


@dataclass(slots=True)
class Traces:
    """What was found in the files of one store."""

    store: str
    files: int = 0
    scanned_bytes: int = 0
    readable: dict[bytes, int] = field(default_factory=dict)
    closed: int = 0
    unread: list[str] = field(default_factory=list)
    """Files that could not be read, and why."""
    found_in: list[str] = field(default_factory=list)
    """Files in which something was found."""
    left_out: int = 0
    """Sealed recordings that were not read, because there are too many."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a store are."""

    store: str
    path: Path


def look(home: Path, places: Sequence[Place], skip: Sequence[Path], sought: Sought) -> tuple[Traces, ...]:
    """Search every file in the home, and in places outside it. Slow; blocks."""
    found: dict[str, Traces] = {OWNERS: Traces(OWNERS), ELSEWHERE: Traces(ELSEWHERE)}
    for place in places:
        found.setdefault(place.store, Traces(place.store))
    # The innermost place first, so that a folder within another's is its own.
    ordered = sorted(places, key=lambda place: len(place.path.parts), reverse=True)
    sealed_bytes = 0
    for path in _files(home, places, skip):
        owner = next((place for place in ordered if path.is_relative_to(place.path)), None)
        if owner is not None:
            store = owner.store
        elif path.is_relative_to(home) and path.relative_to(home).parts[0] in OWNERS_FILES:
            store = OWNERS
        else:
            store = ELSEWHERE
        if path.suffix == SUFFIX:
            sealed_bytes += path.stat().st_size
            if sealed_bytes > _MOST_SEALED:
                found[store].left_out += 1
                continue
        _look_into(path, home, found[store], sought)
    return tuple(found.values())


def judge(traces: Traces, sought: Sought, shared: Iterable[bytes], known: Outcome | None) -> Outcome:
    """What became of a store, by what its files hold and what it says of itself: the worse of the two."""
    others = set(shared)
    left = {needle: count for needle, count in traces.readable.items() if needle not in others}
    results: list[Result] = [known.result] if known else []
    results.append("clean")
    notes = [known.note] if known and known.note else []
    if left:
        results.append("residue")
        notes.append(_named("found in", traces.found_in))
    elif traces.closed and traces.store != "backups":
        results.append("not_purged")
        notes.append(_named("sealed values, which nothing opens any more, are still in", traces.found_in))
    if traces.left_out:
        notes.append(f"{traces.left_out} recordings of others, which are sealed, were not read")
    if traces.unread:
        results.append("not_scanned")
        notes.append(_named("not readable:", traces.unread))
    return Outcome(
        traces.store,
        worst(results),
        erased=known.erased if known else 0,
        scanned_bytes=traces.scanned_bytes + (known.scanned_bytes if known else 0),
        needles=sought.needles.count,
        found=sum(left.values()) + (known.found if known else 0),
        shared=max(len(traces.readable.keys() & others), known.shared if known else 0),
        note="; ".join(notes),
    )


def _files(home: Path, places: Sequence[Place], skip: Sequence[Path]) -> list[Path]:
    every = dict.fromkeys(files_below(home, skip))
    for place in places:
        if place.path.is_file():
            every.setdefault(place.path)
        elif not place.path.is_relative_to(home):
            every.update(dict.fromkeys(files_below(place.path, skip)))
    return [path for path in every if path not in skip]


def _look_into(path: Path, home: Path, traces: Traces, sought: Sought) -> None:
    inside = path.is_relative_to(home)
    name = sought.shown(path.relative_to(home).as_posix() if inside else path.name)
    try:
        hits, size = sought.needles.hits_in_file(path)
        hits |= sought.needles.hits_inside(path)
        closed = sum(sought.sealed.hits_in_file(path)[0].values())
        found = closed > 0
    except FileNotFoundError:
        return
    except OSError as error:
        traces.unread.append(f"{name} ({error.strerror})")
        return
    hits |= sought.needles.hits_in(path.name.encode("utf-8", "surrogateescape"))
    traces.files += 1
    traces.scanned_bytes += size
    traces.closed += closed
    for needle, count in hits.items():
        if traces.store != OWNERS or needle in sought.strong:
            traces.readable[needle] = traces.readable.get(needle, 0) + count
            found = True
    if found:
        traces.found_in.append(name)


def _named(what: str, files: Sequence[str]) -> str:
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return f"{what} {', '.join(files[:_MOST_NAMED])}{more}"
