"""The networks that find a face, taken from a wheel that carries them and kept in a folder.

    python -m avatar.portrait.models FOLDER

They are MediaPipe's (Apache-2.0). Its newest wheels carry none, and the one that does is never installed: pip
downloads it, four files are taken out of it and checked, and the rest is thrown away.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar.errors import FaceMissing

Progress = Callable[[int, int | None], None]
"""Told bytes that are here and bytes there will be, the latter if known."""

RELEASE: Final = "mediapipe==0.10.21"
FOLDER: Final = "mediapipe-0.10.21"
_INSIDE: Final = "mediapipe/modules"
_LIMIT_S: Final = 900.0
"""35 MB take this long over the slowest line that is worth waiting for."""
_RAW_SINCE: Final = (24, 1)
"""The first pip that can tell a program how far it is."""


@dataclass(frozen=True, slots=True)
class Network:
    """One file of the wheel."""

    path: str
    """Below `mediapipe/modules`."""
    size: int
    """Bytes."""
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


NEAR: Final = Network(
    "face_detection/face_detection_short_range.tflite",
    229_714,
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
)
FAR: Final = Network(
    "face_detection/face_detection_full_range_sparse.tflite",
    676_746,
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
)
MESH: Final = Network(
    "face_landmark/face_landmark_with_attention.tflite",
    2_495_106,
    "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
)
PERSON: Final = Network(
    "selfie_segmentation/selfie_segmentation.tflite",
    249_505,
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
)
NETWORKS: Final = (NEAR, FAR, MESH, PERSON)


def locate(cache: Path) -> Path | None:
    """The folder with all networks, if they are here in full."""
    folder = cache / FOLDER
    whole = all(_size(folder / network.name) == network.size for network in NETWORKS)
    return folder if whole else None


def read(cache: Path, network: Network) -> bytes:
    """One network, checked. Raises `FaceMissing` where it is not here, or is not what it should be."""
    path = cache / FOLDER / network.name
    if _size(path) != network.size:
        raise FaceMissing(f"the networks that find a face are not here: python -m avatar.portrait.models {cache}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != network.sha256:
        raise FaceMissing(f"{path} was changed: delete it, then: python -m avatar.portrait.models {cache}")
    return content


def fetch(cache: Path, progress: Progress | None = None) -> Path:
    """Download the networks unless they are here, and return their folder.

    Takes the seconds that 35 MB take. Raises `FaceMissing` when they cannot be had; the next time it begins anew.
    Several processes may do it at once.
    """
    if (here := locate(cache)) is not None:
        return here
    folder = cache / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
        _download(Path(scratch), progress or _unheard)
        unpack(next(Path(scratch).glob("*.whl")), folder)
    return folder


def unpack(wheel: Path, folder: Path) -> None:
    """Take the networks out of the wheel. Raises `FaceMissing` for a wheel that has others."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for network in NETWORKS:
                with archive.open(f"{_INSIDE}/{network.path}") as member:
                    content = member.read(network.size + 1)
                if hashlib.sha256(content).hexdigest() != network.sha256:
                    raise FaceMissing(f"{wheel.name} is not the file it should be: {network.name} differs")
                part = folder / f".{network.name}.{os.getpid()}"
                part.write_bytes(content)
                part.replace(folder / network.name)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise FaceMissing(f"{wheel.name} cannot be unpacked ({type(error).__name__}): try again") from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _unheard(done: int, total: int | None) -> None:
    pass


def _command(target: Path) -> list[str]:
    """What downloads the wheel; for any machine the same file, since only data is taken from it."""
    try:
        pip = tuple(int(part) for part in importlib.metadata.version("pip").split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
        raise FaceMissing(
            f"the networks that find a face come by pip: {sys.executable} -m ensurepip, then try again"
        ) from None
    return [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "--no-cache-dir",
        "--only-binary=:all:", "--platform", "manylinux_2_28_x86_64", "--python-version", "311",
        "--implementation", "cp", "--progress-bar", "raw" if pip >= _RAW_SINCE else "off",
        "--dest", str(target), RELEASE,
    ]  # fmt: skip


def _download(target: Path, progress: Progress) -> None:
    process = subprocess.Popen(
        _command(target), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    limit = threading.Timer(_LIMIT_S, process.kill)
    limit.daemon = True
    limit.start()
    last = ""
    try:
        for line in process.stdout or ():
            if match := re.match(r"\s*Progress (\d+) of (\d+)", line):
                progress(int(match[1]), int(match[2]) or None)
            elif line.startswith("ERROR"):
                last = line.strip()
    finally:
        if process.poll() is None and sys.exc_info()[0] is not None:
            process.kill()
        process.wait()
        limit.cancel()
        limit.join()
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode != 0:
        raise FaceMissing(
            f"{RELEASE} cannot be downloaded: check the internet connection and try again ({last or 'pip failed'})"
        )


def _main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m avatar.portrait.models FOLDER")
    width = min(40, shutil.get_terminal_size().columns - 20)

    def show(done: int, total: int | None) -> None:
        bar = "#" * round(width * done / total) if total else ""
        sys.stdout.write(f"\r{bar:<{width}} {done / 1e6:.0f} MB ")
        sys.stdout.flush()

    try:
        where = fetch(Path(sys.argv[1]), show)
    except FaceMissing as error:
        raise SystemExit(str(error)) from None
    sys.stdout.write(f"\n{where}\n")


if __name__ == "__main__":
    _main()
