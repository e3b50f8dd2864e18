"""However many ask, a process that ended well has ended well."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from agent.fleet.exits import Forks, read_exits_once

PROCESSES = 40


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_ends_while_others_are_asked_about_is_told_as_it_ended(code: int) -> None:
    forks = Forks()
    over = threading.Event()

    def ask() -> None:
        # What the start of a process does.
        while not over.is_set():
            multiprocessing.active_children()

    asking = threading.Thread(target=ask, name="asking")
    asking.start()
    told: Counter[int | None] = Counter()
    try:
        for _ in range(PROCESSES):
            process = forks.Process(target=os._exit, args=(code,))
            process.start()
            joining = threading.Thread(target=process.join, name="joining")
            joining.start()
            joining.join()
            told[process.exitcode] += 1
            process.close()
    finally:
        over.set()
        asking.join()
    assert told == {code: PROCESSES}


def test_a_process_is_waited_for_no_longer_than_asked() -> None:
    process = Forks().Process(target=time.sleep, args=(60,))
    process.start()
    process.join(0.01)
    assert process.is_alive()
    process.terminate()
    process.join()
    assert process.exitcode == -signal.SIGTERM


def test_only_a_fork_server_is_replaced() -> None:
    server = SimpleNamespace(_mp_ctx=multiprocessing.get_context("forkserver"))
    read_exits_once(server)
    assert isinstance(server._mp_ctx, Forks)
    spawning = SimpleNamespace(_mp_ctx=multiprocessing.get_context("spawn"))
    read_exits_once(spawning)
    assert spawning._mp_ctx is multiprocessing.get_context("spawn")
