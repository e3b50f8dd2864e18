"""What reaches stderr: our static messages with their fields, and nothing that anybody said."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent import logs

SAID = "my password is tangerine"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Log lines of this test alone."""
    root = logging.getLogger()
    level = root.level
    written = io.StringIO()
    yield written
    for handler in tuple(root.handlers):
        if getattr(handler, "of_the_twin", False):
            root.removeHandler(handler)
    root.setLevel(level)
    for name in logs.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_for_people_has_the_fields(stream: io.StringIO) -> None:
    logs.setup({}, stream)
    logging.getLogger("agent.run").info("call over", extra={"call": "c1", "reason": "silence"})
    assert stream.getvalue().endswith(" info call over call=c1 reason=silence\n")


def test_a_line_for_machines_is_json(stream: io.StringIO) -> None:
    logs.setup({"TWIN_LOG": "json"}, stream)
    logging.getLogger("channels.web").warning("refused", extra={"kind": "origin", "count": 3})
    line = json.loads(stream.getvalue())
    assert line["message"] == "refused"
    assert (line["level"], line["logger"], line["kind"], line["count"]) == ("warning", "channels.web", "origin", 3)


def test_a_field_cannot_forge_a_second_line(stream: io.StringIO) -> None:
    logs.setup({}, stream)
    logging.getLogger("agent").info("refused", extra={"why": "x\n12:00:00 info call over"})
    assert stream.getvalue().count("\n") == 1


def test_what_an_exception_says_stays_out_unless_debugging(stream: io.StringIO) -> None:
    for variables in ({}, {"TWIN_LOG": "json"}):
        logs.setup(variables, stream)
        try:
            raise ValueError(SAID)
        except ValueError:
            logging.getLogger("asyncio").exception("task failed")
    assert stream.getvalue().count("ValueError") == 2
    assert SAID not in stream.getvalue()
    logs.setup({"TWIN_DEBUG": "1"}, stream)
    try:
        raise ValueError(SAID)
    except ValueError:
        logging.getLogger("asyncio").exception("task failed")
    assert SAID in stream.getvalue()


@pytest.mark.parametrize("name", ["uvicorn.error", "httpx", "aiortc", "websockets.client", "twilio.http_client"])
def test_of_the_libraries_only_warnings_are_heard(name: str, stream: io.StringIO) -> None:
    logs.setup({}, stream)
    logging.getLogger(name).info("GET /?from=+15550100")
    assert stream.getvalue() == ""
    logging.getLogger(name).warning("broken")
    assert "broken" in stream.getvalue()


def test_setting_up_twice_does_not_write_twice(stream: io.StringIO) -> None:
    logs.setup({}, stream)
    logs.setup({}, stream)
    logging.getLogger("agent").warning("once")
    assert stream.getvalue().count("once") == 1


PIPECAT_TALKS = f"""
import asyncio, sys
{{first}}
from agent import logs
logs.setup({{{{}}}})
{{second}}
from pipecat.frames.frames import TextFrame
from pipecat.processors import logger as talkative
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from loguru import logger
logger.error("{SAID}")
talkative.logger.debug("{SAID}")
talkative.logger.warning("{SAID}")
frame_logger = talkative.FrameLogger()
async def main():
    try:
        await frame_logger.process_frame(TextFrame("{SAID}"), FrameDirection.DOWNSTREAM)
    except Exception:
        pass
    logger.exception("{SAID}")
asyncio.run(main())
print("done")
"""


@pytest.mark.parametrize(("first", "second"), [("import pipecat", ""), ("", "import pipecat")])
def test_nothing_of_pipecat_reaches_any_output(first: str, second: str) -> None:
    code = PIPECAT_TALKS.format(first=first, second=second)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n"
    assert SAID not in done.stderr
    if not first:
        assert done.stderr == ""
