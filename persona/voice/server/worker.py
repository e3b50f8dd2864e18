"""The model's thread: loads and warms it, then steps the sentences that are being said in turn."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from compliance.errors import EngineError, TwinError
from persona.voice.server.counts import Counts
from persona.voice.server.engine import Refused, Samples, Sentence, SpeechModel, to_int16
from persona.voice.server.job import Job
from persona.voice.server.waiting import Full, Waiting

logger = logging.getLogger(__name__)

State = Literal["loading", "warming", "ready", "failed", "closed"]
T = TypeVar("T")
WARM_UP = {
    "en": "Good morning.",
    "de": "Guten Morgen.",
    "fr": "Bonjour.",
    "es": "Buenos días.",
    "it": "Buongiorno.",
}
FAILURES_TO_BREAK = 2
"""Sentences in a row that the model broke over; one alone may be the sentence's fault."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server takes on. Times in seconds."""

    waiting: int = 32
    """Jobs; one more is refused."""
    wait_s: float = 10.0
    """For the model's attention; a caller is gone by then."""
    step_s: float = 60.0
    """For one step of the model; longer means that it hangs."""
    unread_s: float = 30.0
    """Of sound that a client has not read."""
    stall_s: float = 10.0
    """For a client to read anything at all while sound waits for it."""


class Worker:
    """`submit` jobs from the event loop; all else happens on the thread."""

    def __init__(
        self,
        model: SpeechModel,
        *,
        limits: Limits,
        language: str = "en",
        broken: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`broken(why)` is called, on some thread, when only a new process can help."""
        self.limits = limits
        self.counts = Counts()
        self.state: State = "loading"
        self.why = ""
        self._model = model
        self._language = language
        self._broken = broken
        self._now = now
        self._news = threading.Condition()
        self._waiting: Waiting[Job] = Waiting(limits.waiting)
        self._chores: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._speaking: dict[Job, Iterator[Samples]] = {}
        self._step_began_s: float | None = None
        self._failures = 0
        self._closing = False
        self._warm_now = False
        self._thread = threading.Thread(target=self._run, name="voice model", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def close(self, limit_s: float = 2.0) -> None:
        """End every job and the thread; a model in the middle of a step is left behind."""
        with self._news:
            self._closing = True
            for job in (*self._waiting.clear(), *self._speaking):
                job.fail("closing")
            self._news.notify()
        self._thread.join(limit_s)
        self.state = "closed"

    @property
    def waiting(self) -> int:
        """Jobs the model has not begun."""
        return len(self._waiting)

    @property
    def speaking(self) -> int:
        """Jobs the model works on."""
        return len(self._speaking)

    @property
    def hangs(self) -> bool:
        """True when a step of the model takes longer than any should."""
        began_s = self._step_began_s
        return began_s is not None and self._now() - began_s > self.limits.step_s

    @property
    def rate_hz(self) -> int:
        """The model's."""
        return self._model.rate_hz

    @property
    def voices(self) -> tuple[str, ...]:
        """The names it can speak in; none before it is ready."""
        return self._model.voices() if self.state == "ready" else ()

    def submit(self, job: Job) -> None:
        """Put it in line. Raises `Full`."""
        with self._news:
            if self._closing:
                raise Full
            dropped = self._waiting.add(job.client, job)
            if dropped is not None:
                dropped.fail("busy", "it made room for another client")
            self._news.notify()

    def leave(self, job: Job) -> None:
        """Its client is gone: it loses its place, or stops at the model's next step."""
        with self._news:
            self._waiting.remove(job)
        job.leave()

    def do(self, chore: Callable[[], T]) -> Future[T]:
        """Have something done on the model's thread, between two steps."""
        future: Future[T] = Future()
        with self._news:
            self._chores.append((chore, future))
            self._news.notify()
        return future

    def learn(self, name: str, samples: Samples, rate_hz: int) -> Future[None]:
        """Take a voice from a sample."""

        def chore() -> None:
            self._model.learn(name, samples, rate_hz)
            self._warm()  # a model without a voice of its own could not be warmed before

        return self.do(chore)

    def forget(self, name: str) -> Future[None]:
        """Drop a voice."""
        return self.do(lambda: self._model.forget(name))

    def expire(self) -> None:
        """Drop the jobs that wait in vain; called now and then."""
        late_s = self._now() - self.limits.wait_s
        with self._news:
            for job in self._waiting.jobs():
                if job.asked_s < late_s:
                    self._waiting.remove(job)
                    job.fail("waited_too_long", "all of the model's time went to others")

    def _run(self) -> None:
        try:
            self._model.load()
            self.state = "warming"
            self._warm()
        except TwinError as error:
            self._fail(error.message)
        except Exception as error:  # whatever a library raises: this model is of no use
            logger.exception("the model does not load")
            self._fail(f"the model does not load ({type(error).__name__})")
        else:
            self.state = "ready"
            while self._turn():
                pass

    def _fail(self, why: str) -> None:
        self.why, self.state = why, "failed"
        self._broken(why)

    def _warm(self) -> None:
        """The begin of a sentence, so that the first caller does not wait for what happens only once."""
        voices = self._model.voices()
        if voices and not self._warm_now:
            self._warm_now = True
            stop = threading.Event()
            sentence = Sentence(WARM_UP.get(self._language, "A."), voice=voices[0], language=self._language)
            for _ in self._model.speak(sentence, stop):
                stop.set()  # the first piece went through all of the model

    def _turn(self) -> bool:
        """One chore or one step; False at the end."""
        for job in [job for job in self._speaking if job.over]:
            self._finish(job)
        with self._news:
            self._admit()
            while not (self._closing or self._chores or self._speaking):
                self._news.wait()
                self._admit()
            if self._closing:
                return False
            chore = self._chores.popleft() if self._chores else None
        self._step_began_s = self._now()
        try:
            if chore is not None:
                _done(*chore)
            else:
                self._step(min(self._speaking, key=lambda job: job.due_s))
        finally:
            self._step_began_s = None
        return True

    def _admit(self) -> None:
        while len(self._speaking) < self._model.at_once and (job := self._waiting.take()) is not None:
            if not job.over:
                self._speaking[job] = self._model.speak(job.sentence, job.stop)

    def _step(self, job: Job) -> None:
        began_s = self._now()
        try:
            samples = None if job.stop.is_set() else next(self._speaking[job], None)
        except Refused as error:
            job.fail("refused", error.message)
        except Exception as error:  # noqa: BLE001 - a model may raise anything; the client is told, the server counts it
            logger.warning("the model broke over a sentence", extra={"error": type(error).__name__})
            job.fail("failed", error.message if isinstance(error, EngineError) else "the model broke over it")
            self._failures += 1
            if self._failures >= FAILURES_TO_BREAK:
                self._broken(f"{self._failures} sentences failed in a row ({type(error).__name__})")
        else:
            if samples is None:
                job.end()
            else:
                self._failures = 0
                job.put(to_int16(samples), rate_hz=self._model.rate_hz, now_s=self._now())
        self.counts.model_s += self._now() - began_s

    def _finish(self, job: Job) -> None:
        with self._news:
            speech = self._speaking.pop(job)
        close = getattr(speech, "close", None)
        if close is not None:
            with suppress(Exception):  # however it ends, its job is over already
                close()


def _done(chore: Callable[[], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(chore())
    except BaseException as error:  # noqa: BLE001 - a thread's error is the waiter's error
        future.set_exception(error)
