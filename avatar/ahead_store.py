"""Pictures that were drawn ahead of time, in the order in which they will be shown. Pure and bounded."""

from __future__ import annotations

from bisect import bisect_left

from avatar.picture import Picture


class Store:
    """By the sample they show, counted in indices that only grow."""

    def __init__(self, *, limit: int, nearest: int) -> None:
        """At most `limit` pictures; `nearest` samples are the most that a picture may be beside its sample."""
        self._limit = max(1, limit)
        self._nearest = nearest
        self._indices: list[int] = []
        self._pictures: list[Picture] = []

    def __len__(self) -> int:
        return len(self._indices)

    def keep(self, index: int, picture: Picture) -> int:
        """Returns how many had to go for it: those that are shown last, for what comes next cannot wait."""
        at = bisect_left(self._indices, index)
        if at < len(self._indices) and self._indices[at] == index:
            self._pictures[at] = picture
            return 0
        self._indices.insert(at, index)
        self._pictures.insert(at, picture)
        if len(self._indices) <= self._limit:
            return 0
        self._indices.pop()
        self._pictures.pop()
        return 1

    def nearest(self, index: int) -> Picture | None:
        """The picture for this sample; None where there is none near enough."""
        at = bisect_left(self._indices, index)
        around = [i for i in (at - 1, at) if 0 <= i < len(self._indices)]
        best = min(around, key=lambda i: abs(self._indices[i] - index), default=None)
        if best is None or abs(self._indices[best] - index) > self._nearest:
            return None
        return self._pictures[best]

    def covers(self, begin: int, end: int) -> bool:
        """Whether every sample from `begin` up to before `end` has a picture."""
        reached = begin
        for index in self._indices[bisect_left(self._indices, begin - self._nearest) :]:
            if reached >= end or index - self._nearest > reached:
                break
            reached = index + self._nearest
        return reached >= end

    def forget(self, index: int) -> None:
        """Those before it are not needed any more."""
        gone = bisect_left(self._indices, index)
        del self._indices[:gone]
        del self._pictures[:gone]

    def clear(self) -> None:
        """Those are not needed, either."""
        self._indices.clear()
        self._pictures.clear()
