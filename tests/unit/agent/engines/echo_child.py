"""A child process for the tests of `agent.engines.child`: it echoes, counts, sleeps, dies and misbehaves."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from agent.engines.child import Job, Message, serve
from compliance.errors import EngineMissing

_cancelled: list[int] = []


def setup() -> Mapping[str, Any]:
    if "missing" in sys.argv:
        raise EngineMissing("echo is not installed: run `make run`")
    if "slow" in sys.argv:
        time.sleep(30)
    return {"voices": 3}


def handle(job: Job) -> Iterator[Message]:
    if job.op == "echo":
        print("this must not reach the protocol")
        yield Message({"pid": os.getpid(), **job.fields}, job.payload)
    elif job.op == "count":
        for number in range(job.fields["to"]):
            yield Message({"number": number})
    elif job.op == "until_cancelled":
        yield Message({"begun": True})
        while not job.cancelled:
            time.sleep(0.005)
        _cancelled.append(job.number)
    elif job.op == "cancelled":
        yield Message({"jobs": len(_cancelled)})
    elif job.op == "secret":
        raise ValueError("what the person said")
    elif job.op == "die":
        os._exit(7)
    elif job.op == "sleep":
        time.sleep(30)


if __name__ == "__main__":
    serve(handle, setup=setup)
