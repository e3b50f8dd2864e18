"""The long counts: `make soak`, or `python -m tests.soak`. Each is a sample of `make test`, made long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


@dataclass(frozen=True, slots=True)
class Count:
    what: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


COUNTS = (
    Count(
        "10,000 fuzzed and out-of-order messages at the phone's socket, another call undisturbed",
        [sys.executable, "-m", "tests.soak.twilio_fuzz", "--count", "10000"],
    ),
    Count(
        "10,000 calls at the outlet: no sample but the disclosure before it was heard; 60 random walks",
        [*PYTEST, "tests/unit/channels/test_outlet.py"],
        {"TWIN_SOAK_CALLS": "10000", "TWIN_SOAK_WALKS": "60"},
    ),
    Count(
        "8 simulated hours of two-channel recording at clocks up to 200 ppm apart: no drift",
        [sys.executable, "-m", "tests.soak.drift", "--hours", "8"],
    ),
    Count(
        "10,000 changes of a ledger's files: all found",
        [sys.executable, "-m", "tests.soak.ledger", "--count", "10000"],
    ),
    Count(
        "one of 1,000 callers erased, on SQLite and PostgreSQL; kills at every step; 100 restored backups",
        [sys.executable, "-m", "tests.soak.erase"],
    ),
    Count(
        "20,000 generated turns with planted identifiers and names, redacted: recall and precision",
        [sys.executable, "-m", "tests.soak.redaction", "--count", "20000"],
    ),
    Count(
        "600,000 adversarial answers to a question of consent: none is taken for a yes",
        [*PYTEST, "tests/unit/compliance/language/test_answers.py"],
        {"TWIN_SOAK_ANSWERS": "200000"},
    ),
    Count(
        "5,000 random conversations for the turn-taking policy",
        [*PYTEST, "tests/unit/agent/turns/test_policy.py"],
        {"TWIN_SOAK_WALKS": "5000"},
    ),
    Count(
        "the watermark: 4 million wrong keys, most in 10 h of unmarked speech; as many tokens; 3,700 clips",
        [sys.executable, "-m", "tests.soak.watermark"],
    ),
    Count(
        "10,000 interruptions of a talking face, and 8 simulated hours: shut in 60 ms, in time again, no drift",
        [sys.executable, "-m", "tests.soak.face", "--count", "10000", "--hours", "8"],
    ),
    Count(
        "10,000 interruptions of a talking face, on its pictures: none of an old epoch, shut within 80 ms",
        [sys.executable, "-m", "tests.soak.face_pictures", "--count", "10000"],
    ),
    Count(
        "50 LiveKit rooms that the twin leaves: threads and memory flat; 50 that the server ends: a thread each",
        [sys.executable, "-m", "tests.soak.rooms", "--count", "50"],
    ),
    Count(
        "50 LiveKit rooms on one `twin worker`, half of them ended by the server: no process and no memory more",
        [sys.executable, "-m", "tests.soak.fleet_rooms", "--count", "50"],
    ),
)


def main() -> int:
    failed = 0
    for count in COUNTS:
        print(f"\n{count.what}", flush=True)
        begun = time.monotonic()
        code = subprocess.run(count.command, env={**os.environ, **count.environment}, check=False).returncode
        failed += code != 0
        print(f"{'FAILED' if code else 'held'} after {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
