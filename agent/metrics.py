"""The process in numbers, in Prometheus's text format. No personal data."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from agent.house import House

QUANTILES = (0.5, 0.95, 0.99)


def quantile(values: Iterable[float], q: float) -> float:
    """The smallest value that at least `q` of them do not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0.0


def render(house: House) -> str:
    counters = house.vault.counters()
    turns = [turn.total_ms for turn in house.timings]
    marked = house.marking.tally
    return "".join(
        [
            _one("twin_calls_live", "gauge", len(house.live)),
            _one("twin_calls_total", "counter", house.calls_total),
            _one("twin_ready", "gauge", 0 if house.health() else 1),
            _summary("twin_turn_milliseconds", turns),
            _summary("twin_loop_lag_milliseconds", house.lag.late_ms),
            _one("twin_faces_live", "gauge", house.faces.live),
            _one("twin_faces_refused_total", "counter", house.faces.refused),
            _one("twin_face_frames_total", "counter", house.faces.frames),
            _summary("twin_face_frame_milliseconds", house.faces.drawn_ms),
            _one("twin_marked_samples_total", "counter", marked.samples),
            _one("twin_marked_seconds_total", "counter", marked.sounded_s),
            _one("twin_marking_seconds_total", "counter", marked.worked_s),
            _one("twin_marking_closed_total", "counter", marked.closed),
            _one("twin_store_records_total", "counter", counters.recorded),
            _one("twin_store_refused_total", "counter", counters.refused),
            _one("twin_store_failed_total", "counter", counters.failed),
            _one("twin_store_queued", "gauge", counters.queued),
            *(_one(f"twin_phone_{name}_total", "counter", n) for name, n in sorted(house.phone.items())),
        ]
    )


def _one(name: str, kind: str, value: float) -> str:
    return f"# TYPE {name} {kind}\n{name} {value:.12g}\n"


def _summary(name: str, values: Collection[float]) -> str:
    lines = [f'{name}{{quantile="{q}"}} {quantile(values, q):.2f}' for q in QUANTILES]
    return "\n".join([f"# TYPE {name} summary", *lines, f"{name}_count {len(values)}"]) + "\n"
