"""The `twin` command as a person runs it: a process of its own, in an empty user's home."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


def variables(home: Path, **more: str) -> dict[str, str]:
    """An environment without any of ours or any key, whose user's home is `home`."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT), **more}


def twin(arguments: Sequence[str], home: Path, **more: str) -> Result:
    """Run it to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", *arguments],
        env=variables(home, **more),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Serving:
    """`twin serve`, from its first line to its end."""

    process: subprocess.Popen[str]
    block: str = ""
    address: str = ""
    err: str = field(default="", init=False)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        _, self.err = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode


@contextmanager
def serving(home: Path, *arguments: str, **more: str) -> Iterator[Serving]:
    """A twin that serves on a free port; never left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "serve", "--port", "0", *arguments],
        env=variables(home, PYTHONUNBUFFERED="1", TWIN_SPEECH__FETCH="false", **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        block = ""
        for line in process.stdout:
            block += line
            if line.strip().startswith("home"):
                break
        found = re.search(r"http://[^ ]+:\d+", block)
        yield Serving(process, block, found[0] if found else "")
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
