"""PocketSphinx in a process of its own: its decoding holds the interpreter lock.

Jobs: `open` (session, rate_hz), `feed` (session, end) with int16 mono, `close` (session). A feed is answered
with the text of the utterance so far; `end` ends the utterance, and the next feed begins a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.engines.child import Job, Message, serve
from compliance.errors import EngineFailed, EngineMissing

WIDE_HZ = 16000
NARROW_CMN = "54.35,14.30,-1.65,28.96,-3.50,-0.93,13.61,-10.59,11.07,1.18,-1.56,11.86,-0.85"
"""Cepstral means of widened telephone speech (three voices); the model's own are those of a headset, and a
decoder that starts from them mistakes the first sentence of every call."""
MAX_IDLE_DECODERS = 1
"""Of each band, kept for the next call: 0.2 s to make, 90 MB to keep."""


def _decoder(narrow: bool) -> Any:
    from pocketsphinx import Decoder

    options = {"cmninit": NARROW_CMN} if narrow else {}
    return Decoder(loglevel="FATAL", samprate=WIDE_HZ, **options)


class _Session:
    def __init__(self, rate_hz: int, decoder: Any) -> None:
        from agent.engines.speech.narrowband import Widened

        self.narrow = rate_hz < WIDE_HZ * 3 / 4
        self.decoder = decoder
        self._widened = Widened(rate_hz) if self.narrow else None
        self._resampler: Any = None
        if self._widened is None and rate_hz != WIDE_HZ:
            import soxr

            self._resampler = soxr.ResampleStream(rate_hz, WIDE_HZ, 1, dtype="int16")
        self._in_utterance = False

    def _wide(self, pcm: bytes) -> bytes:
        if self._widened is not None:
            return self._widened.process(pcm)
        if self._resampler is None:
            return pcm
        import numpy as np

        return bytes(self._resampler.resample_chunk(np.frombuffer(pcm, np.int16)).tobytes())

    def feed(self, pcm: bytes, *, end: bool) -> str:
        wide = self._wide(pcm)
        if not self._in_utterance:
            self.decoder.start_utt()
            self._in_utterance = True
        if wide:
            self.decoder.process_raw(wide, False, False)
        if end:
            self.stop()
        hypothesis = self.decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""

    def stop(self) -> None:
        if self._in_utterance:
            self.decoder.end_utt()
            self._in_utterance = False


class _Sessions:
    def __init__(self) -> None:
        self._open: dict[int, _Session] = {}
        self._idle: dict[bool, list[Any]] = {False: [], True: []}

    def setup(self) -> Mapping[str, Any]:
        try:
            self._idle[False].append(_decoder(narrow=False))
        except ImportError:
            raise EngineMissing(
                "pocketsphinx has no build for this Python or system: choose another speech engine"
            ) from None
        return {}

    def handle(self, job: Job) -> Iterator[Message]:
        number = job.fields["session"]
        if job.op == "open":
            rate_hz = job.fields["rate_hz"]
            narrow = rate_hz < WIDE_HZ * 3 / 4
            idle = self._idle[narrow]
            self._open[number] = _Session(rate_hz, idle.pop() if idle else _decoder(narrow))
        elif job.op == "close":
            self._close(number)
        elif number not in self._open:
            raise EngineFailed("pocketsphinx lost this call when its process restarted")
        else:
            yield Message({"text": self._open[number].feed(job.payload, end=job.fields["end"])})

    def _close(self, number: int) -> None:
        session = self._open.pop(number, None)
        if session is None:
            return
        session.stop()
        idle = self._idle[session.narrow]
        if len(idle) < MAX_IDLE_DECODERS:
            # What it learned of this voice's channel must not shape the next caller's first sentence.
            if session.narrow:
                session.decoder.set_cmn(NARROW_CMN)
            else:
                session.decoder.reinit_feat()
            idle.append(session.decoder)


def main() -> None:
    """Serve until the parent is gone."""
    sessions = _Sessions()
    serve(sessions.handle, setup=sessions.setup)


if __name__ == "__main__":
    main()
