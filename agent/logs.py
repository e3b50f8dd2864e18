"""Log lines on stderr: a static message and its fields, as text for people or as JSON lines for machines.

Libraries log what people say: Pipecat writes transcripts, answers and prompts through loguru, HTTP clients write
addresses. So nothing of Pipecat's reaches any output, and of the others only warnings do. What an exception says
may quote data too: its type is logged, and its traceback only with `TWIN_DEBUG=1`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

OURS = ("agent", "channels", "persona", "avatar", "compliance")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def setup(environment: Mapping[str, str], stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send the process's log lines to `stream` (stderr). `TWIN_LOG=json` makes them JSON. May be called again."""
    debug = environment.get("TWIN_DEBUG", "") not in ("", "0")
    formatter = Json(debug) if environment.get("TWIN_LOG", "").lower() == "json" else Text(debug)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in tuple(root.handlers):
        if getattr(old, "of_the_twin", False):
            root.removeHandler(old)
    handler.of_the_twin = True  # type: ignore[attr-defined]  # tells it from handlers that tests or tools added
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    # It would log the addresses it asks, and in Twilio's a person's number.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    _silence_loguru()


def _silence_loguru() -> None:
    # Through the environment, so that child processes, which may import Pipecat too, are as silent as this one,
    # and so that `twin --help` need not import loguru to silence it.
    os.environ["LOGURU_AUTOINIT"] = "False"
    loguru = sys.modules.get("loguru")
    if loguru is not None:
        loguru.logger.remove()


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class _Formatter(logging.Formatter):
    def __init__(self, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def _error(self, record: logging.LogRecord) -> tuple[str, str]:
        """The type of the exception, and its traceback where that may be shown."""
        if not record.exc_info or record.exc_info[0] is None:
            return "", ""
        shown = "".join(traceback.format_exception(*record.exc_info)) if self._debug else ""
        return record.exc_info[0].__name__, shown


class Text(_Formatter):
    """`12:00:00 warning refused kind=unsigned`, in the time of the place."""

    def format(self, record: logging.LogRecord) -> str:
        kind, shown = self._error(record)
        values = fields(record) | ({"exception": kind} if kind else {})
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        pairs = "".join(f" {name}={_one_line(value)}" for name, value in values.items())
        line = f"{at} {record.levelname.lower()} {_one_line(record.getMessage())}{pairs}"
        return f"{line}\n{shown}".rstrip()


class Json(_Formatter):
    """One JSON object per line: time (UTC), level, logger, message, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        kind, shown = self._error(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        if kind:
            line["exception"] = kind
        if shown:
            line["traceback"] = shown
        return json.dumps(line, ensure_ascii=False, default=str)


def _one_line(value: object) -> str:
    """A field cannot forge a second line."""
    return str(value).replace("\r", " ").replace("\n", " ")
