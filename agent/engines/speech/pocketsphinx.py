"""PocketSphinx: streaming recognition of English with the model of its own wheel, so it works with nothing.

Far weaker than Whisper, above all on the telephone, whose band its model does not know; it is what listens
until a better model is there. Decoding runs in child processes, several calls in each.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Callable

from agent.engines.base import Card, EngineConfig, Hypothesis, Speech
from agent.engines.child import Child
from agent.engines.speech.buffer import PRE_ROLL_S
from agent.engines.speech.latest import Latest
from agent.engines.speech.utterance import Utterance
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

CARD = Card(
    kind="speech",
    name="pocketsphinx",
    about="built-in English recognition; works offline at once, understands little on the telephone",
    factory="agent.engines.speech.pocketsphinx:create",
    modules=("pocketsphinx",),
    licence="BSD-2-Clause, model included",
)

CALLS_PER_CHILD = 3
"""A call takes about 0.15 of a core at 16 kHz and 0.3 on the telephone, and 90 MB."""
JOB_TIMEOUT_S = 5.0
MAX_BACKLOG_S = 5.0
"""Audio that waits to be decoded; beyond it the oldest is dropped, for late words answer nobody."""
STEP_S = 0.1
"""Audio is handed over in pieces of at least this, to spare both processes 50 messages a second."""
MAX_STEP_S = 0.5
"""And of at most this, so that a job's time is known also when much waits, and no call waits long for others."""


def create(config: EngineConfig) -> Speech:
    """The engine; `options["processes"]` is how many child processes it may start."""
    return PocketSphinx(config)


def _check_language(language: str) -> None:
    if language.lower().split("-")[0] != "en":
        raise EngineMissing(
            f'pocketsphinx understands English only, not "{language}": set [speech] engine = "whisper"'
        )


class PocketSphinx:
    """The engine: one child process, and more as calls come."""

    name = "pocketsphinx"

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        processes = int(config.options.get("processes", 0)) or max(1, min(4, (os.cpu_count() or 2) // 2))
        self._children = [
            Child("agent.engines.speech.pocketsphinx_child", name=f"pocketsphinx {number}", ready_timeout_s=15.0)
            for number in range(processes)
        ]
        self._calls: dict[Child, set[SphinxHearing]] = {child: set() for child in self._children}
        self._sessions = itertools.count(1)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the children that are up."""
        return tuple(child.pid for child in self._children if child.pid is not None)

    async def start(self) -> None:
        _check_language(self._config.language)
        await self._children[0].start()

    async def open(self, *, rate_hz: int, language: str) -> SphinxHearing:
        _check_language(language or self._config.language)
        child = min(self._children, key=lambda child: len(self._calls[child]))
        calls = self._calls[child]
        if len(calls) >= CALLS_PER_CHILD:
            raise EngineFailed(f"pocketsphinx is at its capacity of {len(self._children) * len(calls)} calls")
        hearing = SphinxHearing(child, next(self._sessions), rate_hz)
        calls.add(hearing)
        hearing.on_close = calls.discard
        try:
            await child.start()
            await hearing.begin()
        except BaseException:  # also when it is cancelled: its place must not stay taken
            calls.discard(hearing)
            raise
        return hearing

    async def close(self) -> None:
        calls = [hearing for calls in self._calls.values() for hearing in calls]
        await asyncio.gather(*(hearing.close() for hearing in calls))
        await asyncio.gather(*(child.close() for child in self._children))


End = asyncio.Future[str]


class SphinxHearing:
    """One person. A pause ends an utterance; the utterances of a turn are joined by `finish`."""

    def __init__(self, child: Child, session: int, rate_hz: int) -> None:
        self.on_close: Callable[[SphinxHearing], None] | None = None
        self._child = child
        self._session = session
        self._rate_hz = rate_hz
        self._latest = Latest()
        self._pre_roll: deque[bytes] = deque()
        self._pre_roll_bytes = 0
        self._speaking = False
        self._utterance = Utterance(rate_hz)
        self._outbox: deque[bytes | End] = deque()
        self._outbox_bytes = 0
        self._ends: list[End] = []  # of this turn's utterances, in order
        self._waiting = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    @property
    def backlog_s(self) -> float:
        """The audio that waits to be decoded."""
        return self._outbox_bytes / 2 / self._rate_hz

    async def begin(self) -> None:
        """Get a decoder."""
        await self._child.request("open", timeout_s=15.0, session=self._session, rate_hz=self._rate_hz)
        self._pump = asyncio.create_task(self._decode(), name="pocketsphinx decode")

    def feed(self, pcm: bytes) -> None:
        if self._latest.failure is not None:
            return
        if self._speaking:
            self._put(pcm)
            return
        # Silence costs as much to decode as speech, and most of a call the caller listens.
        self._pre_roll.append(pcm)
        self._pre_roll_bytes += len(pcm)
        while self._pre_roll_bytes > PRE_ROLL_S * 2 * self._rate_hz:
            self._pre_roll_bytes -= len(self._pre_roll.popleft())

    def _put(self, pcm: bytes) -> None:
        self._outbox.append(pcm)
        self._outbox_bytes += len(pcm)
        while self._outbox_bytes > MAX_BACKLOG_S * 2 * self._rate_hz:
            self._drop_oldest()
        if self._utterance.take(pcm):
            # Its last pass reads the whole utterance again, a twentieth of its length; over a minute without a
            # pause (music, a noisy line) the answer would be seconds late, and at last the job too long.
            self._end_utterance()
        elif self._outbox_bytes >= STEP_S * 2 * self._rate_hz:
            self._waiting.set()

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._outbox):
            if isinstance(item, bytes):
                del self._outbox[index]
                self._outbox_bytes -= len(item)
                return

    def onset(self) -> None:
        if not self._speaking:
            self._speaking = True
            self._utterance.begin()
            while self._pre_roll:
                self._put(self._pre_roll.popleft())
            self._pre_roll_bytes = 0

    def offset(self) -> None:
        if self._speaking and self._latest.failure is None:
            self._speaking = False
            self._end_utterance()

    def _end_utterance(self) -> None:
        self._utterance.begin()
        end: End = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        self._outbox.append(end)
        self._waiting.set()

    async def finish(self) -> str:
        self._latest.check()
        self.offset()
        ends, self._ends = self._ends, []
        texts = [await asyncio.shield(end) for end in ends]
        self._latest.check()
        return " ".join(filter(None, texts))

    def hypotheses(self) -> AsyncIterator[Hypothesis]:
        return self._latest.read()

    async def close(self) -> None:
        self._latest.close()
        self._fail(EngineFailed("pocketsphinx: the call is over"))
        pump, self._pump = self._pump, None
        if pump is None:
            return
        pump.cancel()
        await asyncio.wait({pump}, timeout=0.5)
        try:
            await self._child.request("close", timeout_s=1.0, session=self._session)
        except EngineError as error:
            logger.info("pocketsphinx session not closed", extra={"code": error.code})
        if self.on_close is not None:
            self.on_close(self)

    async def _decode(self) -> None:
        try:
            while True:
                await self._waiting.wait()
                self._waiting.clear()
                while self._outbox:
                    await self._step(*self._take())
        except (EngineFailed, EngineTimeout) as error:
            self._latest.fail(error)
            self._fail(error)

    def _take(self) -> tuple[bytes, End | None]:
        """What waits, up to the end of an utterance and `MAX_STEP_S`."""
        pcm = bytearray()
        while self._outbox and len(pcm) < MAX_STEP_S * 2 * self._rate_hz:
            item = self._outbox.popleft()
            if not isinstance(item, bytes):
                return bytes(pcm), item
            pcm += item
            self._outbox_bytes -= len(item)
        return bytes(pcm), None

    async def _step(self, pcm: bytes, end: End | None) -> None:
        try:
            reply = await self._child.request(
                "feed", pcm, timeout_s=JOB_TIMEOUT_S, session=self._session, end=end is not None
            )
        except (EngineFailed, EngineTimeout) as error:
            self._settle(end, error)
            raise
        text = _decent(reply.fields["text"])
        if end is not None and not end.done():
            end.set_result(text)
        stable = [done.result() for done in self._ends if done.done() and not done.exception()]
        whole = stable if end is not None else [*stable, text]
        self._latest.put(Hypothesis(" ".join(filter(None, whole)), len(" ".join(stable).split())))

    def _fail(self, error: EngineError) -> None:
        for item in self._outbox:
            if not isinstance(item, bytes):
                self._settle(item, error)
        self._outbox.clear()
        self._outbox_bytes = 0

    def _settle(self, end: End | None, error: EngineError) -> None:
        if end is not None and not end.done():
            end.set_exception(type(error)(error.message))
            end.exception()  # retrieved: nobody may be waiting, and asyncio would complain


_SWEARING = re.compile(
    r"\b(?:(?:mother)?fuck\w*|(?:bull)?shit\w{0,2}|bitch(?:es)?|bastards?|assholes?|cunts?|sluts?|whores?)\b\s?"
)


def _decent(text: str) -> str:
    """Without swear words: its model of English reaches for them where it hears badly, and a missing word is
    better than an insult that was never said."""
    return _SWEARING.sub("", text).strip()
