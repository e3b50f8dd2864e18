"""The probe's verdicts: what passes, what fails and why, and what is not reached any more."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from agent.course import Course, Failed, Outcome, PhoneCourse, Stage, Step, Verdict, WebCourse, begins_with
from agent.line import PhoneLine, WebLine
from agent.probe import Report, probe, report
from compliance.errors import EngineFailed

NOBODY = "http://127.0.0.1:9"


def shown(result: Report, *, as_json: bool) -> tuple[int, str]:
    out = io.StringIO()
    code = report(result, as_json=as_json, console=Console(file=out, width=120))
    return code, out.getvalue()


@pytest.mark.parametrize(("verdict", "code"), [("passed", 0), ("failed", 1), ("skipped", 1)])
def test_only_a_probe_that_passed_everything_is_a_success(verdict: Verdict, code: int) -> None:
    stages = (Stage("phone", "answered", "passed", 12.3, "ok"), Stage("web", "answered", verdict, None, "a [b] c"))
    assert shown(Report(stages), as_json=False)[0] == code
    assert "a [b] c" in shown(Report(stages), as_json=False)[1]
    answer, text = shown(Report(stages), as_json=True)
    assert answer == code
    assert json.loads(text)["passed"] is (code == 0)
    assert json.loads(text)["stages"][0]["ms"] == 12.3


def test_a_probe_of_nothing_is_no_success() -> None:
    assert shown(Report(()), as_json=False)[0] == 1


class Scripted(Course):
    """Three stages, the middle one as given."""

    channel = "phone"
    middle: Step

    def steps(self) -> list[Step]:
        return [Step("first", 5, self.fine), self.middle, Step("last", 5, self.fine)]

    async def fine(self) -> Outcome:
        return Outcome("fine", 1.0)


async def judged(middle: Step) -> list[Stage]:
    course = Scripted(PhoneLine(NOBODY, "token"), None)
    course.middle = middle
    return await course.run()


async def forever() -> Outcome:
    await asyncio.Event().wait()
    return Outcome("never")


async def wrong() -> Outcome:
    raise Failed("it was wrong")


async def broken() -> Outcome:
    raise EngineFailed("it broke; mend it")


async def test_every_stage_has_a_limit_and_the_next_one_still_runs() -> None:
    stages = await judged(Step("middle", 0.01, forever))
    assert [stage.verdict for stage in stages] == ["passed", "failed", "passed"]
    assert "0.01 s" in stages[1].detail


async def test_what_went_wrong_is_said_and_what_it_needs_is_skipped() -> None:
    assert (await judged(Step("middle", 5, wrong)))[1].detail == "it was wrong"
    stages = await judged(Step("middle", 5, broken, needed=True))
    assert [stage.verdict for stage in stages] == ["passed", "failed", "skipped"]
    assert stages[1].detail == "it broke; mend it"
    assert "middle" in stages[2].detail


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        ("This is an AI.", True),
        ("This is  an AI. How can I", True),
        ("This is an", False),
        ("Hello! This is an AI.", False),
        ("", False),
    ],
)
def test_the_disclosure_comes_first_and_whole_whatever_has_begun_after_it(shown: str, holds: bool) -> None:
    assert begins_with(shown, ("Hier spricht eine KI.", "This is an AI.")) is holds


async def test_where_nobody_answers_everything_else_is_skipped() -> None:
    for course in (PhoneCourse(PhoneLine(NOBODY, "token"), None), WebCourse(WebLine(NOBODY), None)):
        stages = await course.run()
        assert stages[0].verdict == "failed"
        assert NOBODY in stages[0].detail
        assert {stage.verdict for stage in stages[1:]} == {"skipped"}


async def test_a_twin_that_cannot_start_is_a_failed_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TWIN_HOME", raising=False)
    monkeypatch.setenv("TWIN_VOICE__ENGINE", "elevenlabs")
    monkeypatch.delenv("ELEVENLABS_API_KEY", raising=False)
    result = await probe(None, None)
    assert [(stage.name, stage.verdict) for stage in result.stages] == [("ready", "failed")]
    assert "ELEVENLABS_API_KEY" in result.stages[0].detail
