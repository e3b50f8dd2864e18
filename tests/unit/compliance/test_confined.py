"""A process that looks at what strangers send can compute, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from compliance.confined import NICENESS, surroundings

_BOUND = "from compliance.confined import Bounds, confine\nimport os, resource, socket\n"


def run(code: str, *, cpu_s: int = 20, memory_bytes: int = 1 << 30) -> subprocess.CompletedProcess[str]:
    bound = f"{_BOUND}confine(Bounds({cpu_s}, {memory_bytes}))\n"
    return subprocess.run(
        [sys.executable, "-P", "-s", "-c", bound + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=surroundings(os.pathsep.join(sys.path), os.environ),
    )


def refused(code: str) -> bool:
    return run(f"try:\n    {code}\nexcept OSError as error:\n    print('refused')").stdout == "refused\n"


def test_it_opens_no_file_and_no_connection_and_starts_no_program(tmp_path: Path) -> None:
    note = tmp_path / "note"
    note.write_text("private")
    assert refused(f"open({str(note)!r}).read()")
    assert refused(f"open({str(tmp_path / 'new')!r}, 'w')")
    assert refused("socket.socket()")
    assert refused("os.pipe()")


def test_it_writes_no_image_of_its_memory_and_no_file_that_is_open(tmp_path: Path) -> None:
    code = "print(resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE))"
    assert run(code).stdout == "(0, 0) (0, 0)\n"


def test_more_memory_than_given_is_an_error_in_it(tmp_path: Path) -> None:
    code = "try:\n    bytes(1 << 30)\nexcept MemoryError:\n    print('no')"
    assert run(code, memory_bytes=512 << 20).stdout == "no\n"


def test_more_time_than_given_ends_it() -> None:
    assert run("while True: pass", cpu_s=1).returncode < 0


def test_it_gives_way_to_calls() -> None:
    assert int(run("print(os.nice(0))").stdout) == min(19, os.nice(0) + NICENESS)


def test_no_secret_goes_into_it() -> None:
    given = {"PATH": "/bin", "OPENAI_API_KEY": "sk-1", "TWIN_STORE__URL": "postgresql://a:b@c/d", "LANG": "C"}
    assert surroundings("here", given) == {
        "PATH": "/bin",
        "LANG": "C",
        "PYTHONPATH": "here",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }
