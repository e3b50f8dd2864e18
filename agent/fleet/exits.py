"""Processes of rooms whose exit codes are read once.

A process of the fork server leaves its exit code in a pipe, once. `Popen.poll` of CPython reads it without a lock:
of two threads that ask at the same moment the second finds the pipe at its end, and takes the process for one that
was killed, with 255. livekit-agents waits for each process in a thread, and whenever another one is started
`multiprocessing` asks all of them: a room that came to its end just then was told as failed.
"""

from __future__ import annotations

import os
import threading
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.popen_forkserver import Popen
from multiprocessing.process import BaseProcess
from typing import Any


class _Popen(Popen):
    def __init__(self, process: BaseProcess) -> None:
        self._asking = threading.Lock()
        super().__init__(process)

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if flag != os.WNOHANG:
            wait([self.sentinel])
        with self._asking:
            return super().poll(os.WNOHANG)


class Process(ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802  the name that `BaseProcess.start` calls
        return _Popen(process_obj)


class Forks(ForkServerContext):
    """`multiprocessing.get_context("forkserver")`, with `Process` as above."""

    Process = Process


def read_exits_once(server: Any) -> None:
    """For a livekit-agents' `AgentServer` that has not begun; where it uses no fork server, nothing is changed."""
    if isinstance(server._mp_ctx, ForkServerContext):
        server._mp_ctx = Forks()
