"""The files of recordings: where each is, and the marks of deletions that are under way. All of it blocks."""

from __future__ import annotations

from pathlib import Path

from compliance.errors import VaultError
from compliance.sound.chunks import SUFFIX, ChunkFile, is_being_written, wipe
from compliance.sound.tape import Taped

GONE_SUFFIX = ".gone"


class Shelf:
    """One folder, which is made when the first file is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, recording_id: str) -> Path:
        """The file of a recording. Raises `VaultError` for what cannot be the id of one."""
        return self._named(recording_id, SUFFIX)

    def kept(self) -> list[str]:
        """Recordings that have a file which nobody writes."""
        return [name for name in self._ids(SUFFIX) if not self.in_use(name)]

    def gone(self) -> list[str]:
        """Recordings whose deletion was begun and not completed."""
        return self._ids(GONE_SUFFIX)

    def in_use(self, recording_id: str) -> bool:
        """Whether a living process writes it."""
        return is_being_written(self.path(recording_id))

    def left(self, recording_id: str) -> Taped:
        """What a process that died left of a recording."""
        try:
            file = ChunkFile(self.path(recording_id))
        except VaultError:
            return Taped("failed")
        return Taped("ended" if file.ended else "interrupted", file.frames, file.chunks)

    def mark_gone(self, recording_id: str) -> None:
        """From now on it is not there, and a process that starts completes its deletion."""
        self._rename(recording_id, SUFFIX, GONE_SUFFIX)

    def mark_kept(self, recording_id: str) -> None:
        """Take the mark back."""
        self._rename(recording_id, GONE_SUFFIX, SUFFIX)

    def wipe(self, recording_id: str) -> None:
        """Overwrite and remove what was marked. Raises `VaultError`."""
        try:
            wipe(self._named(recording_id, GONE_SUFFIX))
        except OSError as error:
            raise VaultError(f"A recording cannot be deleted ({error.strerror}).") from error

    def _rename(self, recording_id: str, old: str, new: str) -> None:
        try:
            self._named(recording_id, old).replace(self._named(recording_id, new))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise VaultError(f"A recording cannot be deleted ({error.strerror}).") from error

    def _named(self, recording_id: str, suffix: str) -> Path:
        # An id may come from an address somebody typed: it must not lead to another folder.
        if not recording_id.isalnum():
            raise VaultError("There is no such recording.")
        return self._folder / (recording_id + suffix)

    def _ids(self, suffix: str) -> list[str]:
        return sorted(path.stem for path in self._folder.glob(f"*{suffix}") if path.stem.isalnum())
