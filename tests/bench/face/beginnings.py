"""From a file to a face that moves: how long it takes, and who is asked over the network for it.

`python -m tests.bench.face.beginnings NETWORKS` is the cold half, in a process of its own; it prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.face import people
from tests.bench.face.rows import Row
from tests.bench.report import quantile

GOAL_S = 1.0
_LIMIT_S = 120
_CONNECTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.exec")
"""What a process cannot get anything from elsewhere without, as Python's audit hooks call it."""


async def rows(networks: Path, times: int) -> list[Row]:
    warm = await asyncio.to_thread(_warm, networks, times)
    cold = [await asyncio.to_thread(_cold, networks) for _ in range(max(1, times // 3))]
    whole = [seconds for seconds, _ in cold]
    asked = [each for _, events in cold for each in events]
    middle, slowest = quantile(warm, 0.5), max(warm)
    return [
        Row(
            "photo to live face, 512x512",
            f"< {GOAL_S:g} s",
            f"{middle:.2f} s; slowest {slowest:.2f} s",
            f"{len(warm)} photos",
            slowest < GOAL_S,
        ),
        Row(
            "  the same in a new process, imports and networks with it",
            "",
            f"{quantile(whole, 0.5):.2f} s",
            f"{len(cold)} processes",
        ),
        Row(
            "downloads from a model hub",
            "0",
            f"{len(asked)}" + (f": {', '.join(sorted(set(asked)))}" if asked else ""),
            "every connection and process while a face is enrolled",
            not asked,
        ),
    ]


def _warm(networks: Path, times: int) -> list[float]:
    from avatar.portrait.make import Studio
    from avatar.render.swift import SwiftPuppet

    studio = Studio(networks)
    data = people.PHOTO.read_bytes()
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        rig = SwiftPuppet(studio.portrait(data, *people.SQUARE))
        _first_picture(rig)
        took.append(time.perf_counter() - began)
    # The first pays for what is loaded once in a process.
    return took[1:]


def _first_picture(rig: object) -> None:
    from avatar.controls import at_rest
    from avatar.render.swift import SwiftPuppet

    assert isinstance(rig, SwiftPuppet)
    rig.draw(at_rest(), rig.blank())


def _cold(networks: Path) -> tuple[float, list[str]]:
    """How long a new process took, and what it asked for outside."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.face.beginnings", str(networks)],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=True,
    )
    whole_s = time.perf_counter() - began
    asked: list[str] = json.loads(done.stdout.splitlines()[-1])
    return whole_s, asked


def enrolled(networks: Path) -> list[str]:
    """Look at the photo as `twin enroll face` does, and report every attempt to reach something outside."""
    asked: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CONNECTS:
            asked.append(event)

    sys.addaudithook(watch)
    from agent.enrol_face import look
    from agent.home import Home

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "cache").symlink_to(networks)
        look(Home(home), people.PHOTO, lambda what, done, total: None)
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path)
    print(json.dumps(enrolled(parser.parse_args().networks)))


if __name__ == "__main__":
    main()
