from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from avatar.errors import FaceMissing
from avatar.portrait import models
from avatar.portrait.models import MESH, NETWORKS, fetch, locate, read, unpack
from tests.faces import faces_cache


def test_a_network_that_is_not_here_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    assert locate(tmp_path) is None
    with pytest.raises(FaceMissing, match=r"python -m avatar.portrait.models"):
        read(tmp_path, MESH)


def test_a_network_that_was_changed_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / models.FOLDER
    folder.mkdir()
    for network in NETWORKS:
        (folder / network.name).write_bytes(bytes(network.size))
    assert locate(tmp_path) == folder
    with pytest.raises(FaceMissing, match="was changed: delete it"):
        read(tmp_path, MESH)


def test_what_is_here_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = faces_cache()
    monkeypatch.setattr(models, "_download", lambda *_: pytest.fail("downloaded again"))
    assert fetch(cache) == locate(cache)
    assert [len(read(cache, network)) for network in NETWORKS] == [network.size for network in NETWORKS]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no wheel"])
def test_a_broken_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    wheel = tmp_path / "mediapipe.whl"
    wheel.write_bytes(content)
    with pytest.raises(FaceMissing, match="cannot be unpacked"):
        unpack(wheel, tmp_path)


def test_a_wheel_with_other_networks_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wheel = tmp_path / "mediapipe.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for network in NETWORKS:
            archive.writestr(f"mediapipe/modules/{network.path}", b"something else")
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(FaceMissing, match="differs"):
        unpack(wheel, folder)
    assert list(folder.iterdir()) == []


def test_a_failed_download_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = "print('ERROR: no such thing'); raise SystemExit(1)"
    monkeypatch.setattr(models, "_command", lambda _: [sys.executable, "-c", fails])
    with pytest.raises(FaceMissing, match=r"check the internet connection.*no such thing"):
        fetch(tmp_path)
    assert locate(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == [models.FOLDER]


def test_progress_is_told_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = "print('Progress 0 of 40'); print('Progress 40 of 40')"
    monkeypatch.setattr(models, "_command", lambda _: [sys.executable, "-c", says])
    told: list[tuple[int, int | None]] = []
    models._download(tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(0, 40), (40, 40)]
