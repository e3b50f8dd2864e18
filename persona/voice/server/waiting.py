"""Who speaks next: a bounded queue, fair between clients. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

J = TypeVar("J")


class Full(Exception):
    """There is no place, and nobody who should make room."""


class Waiting(Generic[J]):
    """Clients take turns, each with its oldest job.

    When it is full, a client with fewer waiting jobs takes the place of the newest job of the greediest one. So
    one client may use all places while it is alone, and cannot keep others out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: OrderedDict[str, deque[J]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def add(self, client: str, job: J) -> J | None:
        """Take a job in. Returns the one that lost its place for it, if any. Raises `Full`."""
        dropped = None
        if len(self) >= self._most:
            greediest = max(self._lines, key=lambda name: len(self._lines[name]), default=client)
            own = len(self._lines.get(client, ()))
            if own + 1 >= len(self._lines.get(greediest, ())):
                raise Full
            dropped = self._lines[greediest].pop()
        self._lines.setdefault(client, deque()).append(job)
        return dropped

    def take(self) -> J | None:
        """The next job; its client goes to the end of the line."""
        if not self._lines:
            return None
        client, line = self._lines.popitem(last=False)
        job = line.popleft()
        if line:
            self._lines[client] = line
        return job

    def remove(self, job: J) -> bool:
        """Take a job out, because its client is gone. False when it does not wait."""
        for client, line in self._lines.items():
            if job in line:
                line.remove(job)
                if not line:
                    del self._lines[client]
                return True
        return False

    def jobs(self) -> list[J]:
        """All that wait."""
        return [job for line in self._lines.values() for job in line]

    def clear(self) -> list[J]:
        """Take all out."""
        jobs = self.jobs()
        self._lines.clear()
        return jobs
