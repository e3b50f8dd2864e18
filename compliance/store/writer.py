"""One thread that does all the work on the database, in the order it was asked for.

The event loop never waits for it: records are queued (bounded), and questions are answered by a future. Work
is gathered into one transaction until the queue is empty or the batch has lasted `batch_s`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from compliance.entries import Counters
from compliance.errors import TwinError, VaultError
from compliance.store.connect import describe, may_pass

log = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_S = 0.5
_LOSS_SHOWN_S = 60.0
"""How long a lost record keeps the store unhealthy."""
_BEHIND = 0.8
"""The share of the queue that may be full before the store is unhealthy."""


@dataclass(slots=True, eq=False)
class _Job:
    run: Callable[..., Any]
    future: Future[Any] | None = None
    """None for a record: nobody waits, so it is kept and tried again when the database cannot take it now."""
    alone: bool = False
    """Runs outside a transaction, without a connection."""


class Writer:
    """The thread, its queue and its health."""

    def __init__(
        self, begin: Callable[[], AbstractContextManager[Connection]], *, limit: int, batch_s: float
    ) -> None:
        self._begin = begin
        self._limit = limit
        self._batch_s = batch_s
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._taken = 0
        self._thread = threading.Thread(target=self._main, name="vault-writer", daemon=True)
        self._closing = False
        self._abandon = False
        self._stopped: str | None = None
        self._held: str | None = None
        self._lost_at = -_LOSS_SHOWN_S
        self._lost_why = ""
        self._lost_since_flush = 0
        self._recorded = self._refused = self._failed = self._orphaned = self._written = self._commits = 0

    def start(self) -> None:
        """Start the thread; it is a daemon, so that a forgotten `close` cannot keep the process alive."""
        self._thread.start()

    def record(self, run: Callable[[Connection], bool]) -> None:
        """Queue a write and return at once. Raises `VaultError` when the queue is full or closed.

        `run` returns False when what it belongs to is not stored (any more). It may be called more than
        once, each time in a new transaction, and must not keep state.
        """
        with self._wake:
            self._check_open()
            if len(self._jobs) + self._taken >= self._limit:
                self._refused += 1
                raise VaultError(f"The store cannot keep up: {self._limit} records wait to be written.")
            self._recorded += 1
            self._jobs.append(_Job(run))
            self._wake.notify()

    def ask(self, run: Callable[[Connection], T]) -> Future[T]:
        """Queue work whose result is wanted; the future is resolved after the commit."""
        return self._submit(_Job(run, Future()))

    def ask_alone(self, run: Callable[[], T]) -> Future[T]:
        """Queue work that is not one transaction (opening, VACUUM); nothing else runs meanwhile."""
        return self._submit(_Job(run, Future(), alone=True))

    def flush(self) -> Future[None]:
        """Resolved when all that was queued before is committed.

        It fails with `VaultError` when one of the records since the last flush could not be written.
        """
        return self.ask_alone(self._check_losses)

    def stop(self, limit_s: float) -> int:
        """Write what is queued, within the limit, and end the thread; returns how many records were not.

        Blocks; call it off the event loop.
        """
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread.ident is not None:
            self._thread.join(limit_s)
        with self._wake:
            self._abandon = True
            self._wake.notify_all()
        if self._thread.ident is not None:
            self._thread.join(_RETRY_S)
        with self._wake:
            left = sum(1 for job in self._jobs if job.future is None)
            return left + (self._taken if self._thread.is_alive() else 0)

    def health(self) -> str | None:
        """None when all is well, else the reason in one line."""
        if self._stopped:
            return self._stopped
        if self._held:
            return f"the store cannot write now ({self._held}); {self.counters().queued} records are waiting"
        if time.monotonic() - self._lost_at < _LOSS_SHOWN_S:
            return f"the store could not write a record ({self._lost_why})"
        if len(self._jobs) > self._limit * _BEHIND:
            return f"the store is falling behind: {len(self._jobs)} records are waiting"
        return None

    def counters(self) -> Counters:
        """The numbers until now."""
        with self._wake:
            return Counters(
                recorded=self._recorded,
                refused=self._refused,
                failed=self._failed,
                orphaned=self._orphaned,
                written=self._written,
                commits=self._commits,
                queued=len(self._jobs) + self._taken,
            )

    def _submit(self, job: _Job) -> Future[Any]:
        assert job.future is not None
        with self._wake:
            self._check_open()
            self._jobs.append(job)
            self._wake.notify()
        return job.future

    def _check_open(self) -> None:
        if self._stopped or self._closing or self._thread.ident is None:
            raise VaultError(self._stopped or "The store is not open.")

    def _check_losses(self) -> None:
        lost, self._lost_since_flush = self._lost_since_flush, 0
        if lost:
            raise VaultError(f"{lost} records could not be written ({self._lost_why}).")

    def _main(self) -> None:
        try:
            while job := self._wait():
                if job.alone:
                    self._run_alone(job)
                else:
                    self._run_batch([job])
        except BaseException as error:  # noqa: BLE001 - whatever ends the thread, nobody may wait for ever
            log.critical("the store's writer ended", extra={"reason": describe(error)})
            self._stopped = f"The store's writer ended ({describe(error)}); restart the twin."
        finally:
            with self._wake:
                self._stopped = self._stopped or "The store is closed."
                waiting = [job for job in self._jobs if job.future]
            for job in waiting:
                _fail(job, VaultError(self._stopped))

    def _wait(self) -> _Job | None:
        """The next job, waiting for it; None when the work is over."""
        with self._wake:
            while not self._abandon:
                if job := self._pop():
                    return job
                if self._closing:
                    break
                self._wake.wait()
            return None

    def _next_in_batch(self) -> _Job | None:
        with self._wake:
            if self._abandon or (self._jobs and self._jobs[0].alone):
                return None
            return self._pop()

    def _pop(self) -> _Job | None:
        while self._jobs:
            job = self._jobs.popleft()
            if job.future is None or job.future.set_running_or_notify_cancel():
                self._taken += 1
                return job
        return None

    def _run_alone(self, job: _Job) -> None:
        try:
            result = job.run()
        except Exception as error:  # noqa: BLE001 - handed to the one who waits for it
            self._settle([(job, error)], failed=True)
        else:
            self._settle([(job, result)])

    def _run_batch(self, batch: list[_Job]) -> None:
        deadline = time.monotonic() + self._batch_s
        results: list[tuple[_Job, object]] = []
        try:
            with self._begin() as connection:
                results.append((batch[0], batch[0].run(connection)))
                while time.monotonic() < deadline and (job := self._next_in_batch()):
                    batch.append(job)
                    results.append((job, job.run(connection)))
        except Exception as error:  # noqa: BLE001 - told to those who wait, kept or counted for the others
            self._run_one_by_one(batch, error)
        else:
            self._commits += 1
            if self._held is not None:
                log.warning("the store can write again", extra={"reason": self._held})
                self._held = None
            self._settle(results)

    def _run_one_by_one(self, batch: list[_Job], error: Exception) -> None:
        """After a failed batch: one bad record must not take its neighbours with it."""
        if may_pass(error):
            self._hold(batch, error)
        elif len(batch) == 1:
            self._lose(batch[0], error)
        else:
            for index, job in enumerate(batch):
                try:
                    with self._begin() as connection:
                        result = job.run(connection)
                except Exception as alone:  # noqa: BLE001 - told, kept or counted, as above
                    if may_pass(alone):
                        self._hold(batch[index:], alone)
                        return
                    self._lose(job, alone)
                else:
                    self._commits += 1
                    self._settle([(job, result)])

    def _hold(self, batch: list[_Job], error: Exception) -> None:
        """Keep the records for later, tell those who wait, and pause."""
        reason = describe(error)
        if self._held is None:
            log.error("the store cannot write; records are kept in memory", extra={"reason": reason})
        with self._wake:
            self._held = reason
            self._taken -= len(batch)
            jobs = (*batch, *self._jobs)
            waiting = [job for job in jobs if job.future]
            self._jobs = deque(job for job in jobs if job.future is None)
        for job in waiting:
            _fail(job, VaultError(f"The store cannot be used now: {reason}."))
        with self._wake:
            self._wake.wait_for(lambda: self._abandon, _RETRY_S)

    def _lose(self, job: _Job, error: Exception) -> None:
        if job.future is None:
            self._failed += 1
            self._lost_since_flush += 1
            self._lost_at = time.monotonic()
            self._lost_why = describe(error)
            log.error("a record could not be written", extra={"reason": self._lost_why})
        self._settle([(job, error)], failed=True)

    def _settle(self, results: list[tuple[_Job, object]], *, failed: bool = False) -> None:
        stored = [bool(result) for job, result in results if job.future is None and not failed]
        orphaned = stored.count(False)
        if orphaned:
            log.warning("records of a call that is not stored were dropped", extra={"records": orphaned})
        with self._wake:
            self._taken -= len(results)
            self._written += len(stored) - orphaned
            self._orphaned += orphaned
        for job, result in results:
            if job.future is None:
                continue
            if failed and isinstance(result, BaseException):
                _fail(job, result)
            else:
                job.future.set_result(result)


def _fail(job: _Job, error: BaseException) -> None:
    if job.future and (job.future.running() or job.future.set_running_or_notify_cancel()):
        if not isinstance(error, TwinError):
            cause, error = error, VaultError(f"The store failed: {describe(error)}.")
            error.__cause__ = cause
        job.future.set_exception(error)
