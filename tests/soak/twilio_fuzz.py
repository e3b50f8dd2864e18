"""Thousands of messages that Twilio would never send, at the phone channel, while an honest call goes on.

    python -m tests.soak.twilio_fuzz --count 10000

Every attack is a connection of its own: sometimes with a token that is good, so that the conversation is attacked
and not only the door. It fails (exit 1) when the honest call is disturbed, when the server logs more lines than
`MAX_LINES` or any traceback, when its memory grows by more than `MAX_GROWTH_MIB`, or when anything is left over.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import logging
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed

from channels.spoken import Spoken
from channels.twilio import mulaw
from channels.twilio.routes import router
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from tests.doubles.host import TestHost, tone
from tests.doubles.twilio import PhoneCall, TwilioRestDouble, serving

AUTH_TOKEN = "an auth token of the soak"
MAX_LINES = 200
"""Of all log lines; the channel's own limit is 20 a minute for refusals, and one line per call that was begun."""
MAX_GROWTH_MIB = 150
"""Ten-megabyte messages pass through the server's buffers; what must not happen is that they add up."""
HUGE = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Attack:
    """One connection: whether it begins like an honest call, and what follows."""

    honest_start: bool
    frames: tuple[str | bytes, ...]


def attacks(seed: int, count: int) -> Iterator[Attack]:
    """Connections that hold at least `count` messages together; the same for the same seed."""
    chance = random.Random(seed)
    sent = 0
    while sent < count:
        frames = tuple(_frame(chance) for _ in range(chance.choice([1, 1, 1, 1, 2, 2, 5, 20, 60])))
        sent += len(frames)
        yield Attack(chance.random() < 0.5, frames)


def _frame(chance: random.Random) -> str | bytes:
    return chance.choice(_KINDS)(chance)


def _media(chance: random.Random, **changes: Any) -> dict[str, Any]:
    payload = base64.b64encode(chance.randbytes(160)).decode()
    media = {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": payload, **changes}
    sequence = str(chance.choice([0, 1, 2, 10, 999, -5, 10**12]))
    return {"event": "media", "sequenceNumber": sequence, "media": media, "streamSid": "MZfuzz"}


def _valid_media(chance: random.Random) -> str:
    return json.dumps(_media(chance))


def _other_stream(chance: random.Random) -> str:
    return json.dumps({**_media(chance), "streamSid": "MZ" + chance.randbytes(16).hex()})


def _junk_base64(chance: random.Random) -> str:
    return json.dumps(
        _media(chance, payload=chance.choice(["%%%", "A", "====", "\u0000", "AA==AA==", None, 7, {}]))
    )


def _truncated(chance: random.Random) -> str:
    text = json.dumps(_media(chance))
    return text[: chance.randrange(len(text))]


def _flipped(chance: random.Random) -> str:
    text = bytearray(json.dumps(_media(chance)).encode())
    for _ in range(chance.randrange(1, 6)):
        text[chance.randrange(len(text))] = chance.randrange(128)
    return text.decode("ascii")


def _unknown(chance: random.Random) -> str:
    return json.dumps({"event": chance.choice(["", "bark", "clear", "a" * 1000]), "streamSid": "MZfuzz"})


def _untyped(chance: random.Random) -> str:
    return chance.choice(["null", "[]", "{}", "1", '"x"', "NaN", '{"event":7}', '{"event":["media"]}', "[" * 5000])


def _start(chance: random.Random) -> str:
    start: dict[str, Any] = {
        "accountSid": "AC0",
        "callSid": "CA0",
        "streamSid": "MZfuzz",
        "tracks": chance.choice([["inbound"], ["outbound"], [], None]),
        "mediaFormat": chance.choice(
            [
                {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                {"encoding": "audio/opus", "sampleRate": 48000, "channels": 2},
                None,
            ]
        ),
        "customParameters": chance.choice([{"token": chance.randbytes(50).hex()}, {}, {"token": 5}, []]),
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": "MZfuzz"})


def _mark(chance: random.Random) -> str:
    name = chance.choice(["0", "1", "2", "99999", "", "x" * 200, "-1"])
    return json.dumps({"event": "mark", "streamSid": "MZfuzz", "mark": {"name": name}})


def _dtmf(chance: random.Random) -> str:
    digit = chance.choice(["1", "#", "Z", "12345", "", None])
    return json.dumps({"event": "dtmf", "streamSid": "MZfuzz", "dtmf": {"digit": digit}})


def _stop(chance: random.Random) -> str:
    return json.dumps({"event": "stop", "streamSid": chance.choice(["MZfuzz", "MZ0"]), "stop": {}})


def _connected(chance: random.Random) -> str:
    return '{"event":"connected","protocol":"Call","version":"1.0.0"}'


def _binary(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(0, 400))


def _large(chance: random.Random) -> str:
    size = HUGE if chance.random() < 0.05 else chance.randrange(60_000, 200_000)
    return json.dumps(_media(chance, payload="A" * size))


_KINDS = (
    *(_valid_media,) * 6,
    _other_stream,
    _junk_base64,
    _truncated,
    _flipped,
    *(_unknown,) * 3,
    _untyped,
    _start,
    *(_mark,) * 3,
    *(_dtmf,) * 2,
    _stop,
    _connected,
    _binary,
    _large,
)


async def attack(base_url: str, rest: TwilioRestDouble, what: Attack) -> int | None:
    """Carry out one attack; the code the server closed with, or None when it had to be closed from here."""
    phone = PhoneCall(base_url, auth_token=AUTH_TOKEN, posts_status=False)
    phone.stream_sid = "MZfuzz"
    await phone.ring()
    await phone.open()
    phone.start_reading()
    if what.honest_start:
        await phone.send(_connected(random.Random(0)))
        await phone.send(phone.start_message())
    for frame in what.frames:
        await phone.send(frame)
    with suppress(TimeoutError):
        await asyncio.wait_for(phone.over.wait(), 0.02)
    await phone.hang_up()
    return phone.close_code


class _Lines(logging.Handler):
    """Counts what is logged, and keeps anything that looks like a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines = 0
        self.tracebacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("httpx", "httpcore")):
            return
        self.lines += 1
        if record.exc_info or "Traceback" in record.getMessage():
            self.tracebacks.append(record.name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the soak saw; `complaints` is empty when all is well."""

    connections: int
    codes: Counter[int | None]
    lines: int
    growth_mib: float
    complaints: tuple[str, ...]


async def soak(*, count: int, seed: int = 1) -> Verdict:
    """Attack a served channel with `count` messages while one honest caller listens."""
    lines, codes = _Lines(), Counter[int | None]()
    logger = logging.getLogger("channels")
    level = logger.level
    logger.setLevel(logging.INFO)
    logging.getLogger().addHandler(lines)
    host = TestHost(disclosure_ms=200, capacity=1_000)
    complaints: list[str] = []
    before = _rss_mib()
    try:
        async with TwilioRestDouble() as rest:
            app = FastAPI()
            secrets = TwilioSecrets.from_environment({"TWILIO_AUTH_TOKEN": AUTH_TOKEN})
            app.include_router(router(host, TwilioSettings(api_base_url=rest.url), secrets))
            async with serving(app) as base_url:
                honest = PhoneCall(base_url, auth_token=AUTH_TOKEN, rest=rest)
                async with honest:
                    await honest.until(lambda: bool(host.conversations))
                    mine = host.conversations[0]
                    await honest.until(mine.disclosed_event.is_set)
                    for what in attacks(seed, count):
                        codes[await attack(base_url, rest, what)] += 1
                    speech = tone(8_000, milliseconds=500)
                    assert mine.call.outlet.say(Spoken(1, mine.call.clock.epoch, speech, last=True))
                    await honest.until(lambda: mulaw.encode(speech) in bytes(honest.far_end.played))
                    if honest.over.is_set() or mine.ended.is_set():
                        complaints.append("the honest call ended")
                await honest.until(lambda: host.live == 0 and not _tasks_left(), timeout_s=40)
    except (TimeoutError, ConnectionClosed, AssertionError) as error:
        complaints.append(f"the honest call was disturbed: {type(error).__name__}")
    finally:
        logging.getLogger().removeHandler(lines)
        logger.setLevel(level)
    growth = _rss_mib() - before
    begun = len(host.conversations)
    if lines.lines > MAX_LINES + begun:
        complaints.append(f"{lines.lines} log lines for {begun} calls")
    if lines.tracebacks:
        complaints.append(f"tracebacks from {sorted(set(lines.tracebacks))}")
    if growth > MAX_GROWTH_MIB:
        complaints.append(f"memory grew by {growth:.0f} MiB")
    return Verdict(sum(codes.values()), codes, lines.lines, growth, tuple(complaints))


def _tasks_left() -> list[str]:
    return [name for task in asyncio.all_tasks() if (name := task.get_name()).startswith("twilio-")]


def _rss_mib() -> float:
    """The process's peak so far; macOS counts it in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--count", type=int, default=10_000, help="messages to send")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    verdict = asyncio.run(soak(count=given.count, seed=given.seed))
    print(
        f"{given.count} messages on {verdict.connections} connections, closed with {dict(verdict.codes)}; "
        f"{verdict.lines} log lines, peak memory +{verdict.growth_mib:.0f} MiB"
    )
    for complaint in verdict.complaints:
        print(f"FAILED: {complaint}")
    return 1 if verdict.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
