"""Counts of clips and of pairs as rows of the table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.face.rows import Row
from tests.bench.watermark import alarms
from tests.bench.watermark.goals import FALSE_ALARM, TOKEN_WRONG, Goal
from tests.bench.watermark.intervals import Share
from tests.bench.watermark.trials import Outcome
from tests.bench.watermark.voices import SCORING, Engine

_PEOPLE = {voice.name for voice in SCORING if voice.engine is Engine.PERSON}


def found_row(goal: Goal, found: Sequence[Outcome]) -> Row:
    share = share_of(found)
    people = share_of([one for one in found if one.voice in _PEOPLE])
    return Row(
        f"found in {goal.seconds:g} s: {goal.condition}",
        f">= {100 * goal.least:g} %" if goal.least else "",
        share.percent() + (f" (people {people.percent()})" if people.of else ""),
        f"{share.interval()}; {share.of} clips",
        share.value >= goal.least if goal.least and share.of else None,
    )


def token_rows(goal: Goal, found: Sequence[Outcome]) -> list[Row]:
    bits = 32 if goal.seconds >= 30 else 16
    read = [one.told.full if bits == 32 else one.told.short for one in found]
    share = Share(sum(one is True for one in read), len(read))
    where = f"{bits} bits, {goal.seconds:g} s, {goal.condition}"
    holds = share.value >= goal.least if goal.least and share.of else None
    n = f"{share.interval()}; {share.of} clips"
    right = Row(f"token right: {where}", f">= {100 * (goal.least or 0):g} %", share.percent(), n, holds)
    return [right, wrong_row(f"token wrong: {where}", [one is False for one in read])]


def wrong_row(what: str, wrong: Sequence[bool]) -> Row:
    """Tokens that were told, and were others."""
    share = Share(sum(wrong), len(wrong))
    return Row(
        what, f"<= {TOKEN_WRONG:g}", f"{share.count} of {share.of}", share.interval(), _rare(share, TOKEN_WRONG)
    )


def word_rows(counted: alarms.Counted, told: int) -> list[Row]:
    """Wrong words that were told, and whether their chances are at least as rare as they say."""
    share = Share(told, counted.pairs)
    n = f"{share.interval()}; {counted.clips} clips; least p {counted.least:.1e}"
    rare = Row(
        "words told that nobody put on",
        f"<= {TOKEN_WRONG:g}",
        f"{told} of {counted.pairs} readings",
        n,
        _rare(share, TOKEN_WRONG),
    )
    return [rare, _honest(counted, "readings")]


def share_of(found: Sequence[Outcome]) -> Share:
    return Share(sum(one.told.found for one in found), len(found))


def alarm_rows(counted: alarms.Alarms) -> list[Row]:
    """False alarms, and whether p-values are at least as rare as they say."""
    both = alarms.Counted()
    both.join(counted.unmarked)
    both.join(counted.marked)
    rows: list[Row] = []
    for what, kind in (
        ("all wrong keys", both),
        ("unmarked speech", counted.unmarked),
        ("marked with another key", counted.marked),
    ):
        share = Share(kind.alarms, kind.pairs)
        n = f"{share.interval()}; {kind.clips} clips, {kind.seconds / 3600:.2f} h; least p {kind.least:.1e}"
        told = f"{share.count} of {share.of} pairs"
        rows.append(Row(f"false alarms: {what}", f"<= {FALSE_ALARM:g}", told, n, _rare(share, FALSE_ALARM)))
    return rows + ([_honest(both)] if both.pairs else [])


def _honest(kind: alarms.Counted, of: str = "pairs") -> Row:
    shares = [Share(int(count), kind.pairs) for count in kind.at_most]
    seen = ", ".join(f"{level:g}: {share.value:.1e}" for level, share in zip(alarms.LEVELS, shares, strict=True))
    holds = all(share.low <= level for level, share in zip(alarms.LEVELS, shares, strict=True))
    return Row(f"share of {of} with p at most", "<= p", seen, holds=holds)


def _rare(share: Share, most: float) -> bool | None:
    """Whether something is as rare as it should be; None while too few were looked at to tell."""
    if share.value > most:
        return False
    return True if share.of and share.high <= most else None
