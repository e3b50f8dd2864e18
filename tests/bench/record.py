"""What recording costs: the tap in the call per 20 ms, the thread per call, and the file per second of sound."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
import wave
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from compliance.origin.authority import open_authority
from compliance.provenance import Claim, Provenance, verify
from compliance.records import Recordings
from compliance.sound.chunks import ChunkFile, ChunkWriter
from compliance.sound.tape import Tape
from compliance.vault import Vault
from tests.bench import report

TICKS = 50 * 60
CALLS = 20
SIGNED_S = 600
OTHER_CLOCK = 1.0001
"""The caller's clock is 100 ppm off, so that its sound has to be resampled."""


@dataclass(frozen=True, slots=True)
class Line:
    """A kind of call."""

    name: str
    clock_hz: int
    caller_hz: int


LINES = (Line("phone", 8_000, 8_000), Line("browser", 48_000, 16_000))


async def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with Vault(Path(folder)) as vault:
            vault.begin_call("CA1", channel="bench")
            taps = [await _tap(vault, Path(folder) / f"tap-{line.name}", line) for line in LINES]
            threads = [_thread(vault, Path(folder) / f"thread-{line.name}", line) for line in LINES]
            chunks = [_chunks(vault, Path(folder), line) for line in LINES]
        signing = _signing(Path(folder))
    report.show("Recording: the tap, per 20 ms of one call (microseconds)", taps)
    report.show("Recording: the thread, per second of one call", threads)
    report.show("Recording: chunks sealed, written and read", chunks)
    report.show(f"C2PA: a WAV of {SIGNED_S // 60} minutes", [signing])
    return {"tap": taps, "thread": threads, "chunks": chunks, "c2pa": signing}


async def _tap(vault: Vault, folder: Path, line: Line) -> dict[str, Any]:
    """Both sides of one tick, with the real thread behind it."""
    tick, heard = line.clock_hz // 50, line.caller_hz // 50
    twin, caller = _sound(tick), _sound(heard)
    times = []
    async with Recordings(vault, folder) as recordings:
        recording = recordings.start("CA1", clock_hz=line.clock_hz, caller_hz=line.caller_hz, position=0)
        for number in range(TICKS):
            begun = time.perf_counter_ns()
            recording.twin(twin, number * tick)
            recording.caller(caller, (number + 1) * tick)
            times.append((time.perf_counter_ns() - begun) / 1_000)
            if number % 50 == 49:
                await asyncio.sleep(0.01)
        begun = time.perf_counter_ns()
        recording.stop()
        await recording.settled()
        stopped_ms = (time.perf_counter_ns() - begun) / 1e6
        begun = time.perf_counter_ns()
        await recordings.delete(recording.id)
        deleted_ms = (time.perf_counter_ns() - begun) / 1e6
    return {
        "line": line.name,
        **report.summary(times),
        "dropped": recording.dropped,
        "stop_to_closed_file_ms": round(stopped_ms, 1),
        "delete_ms": round(deleted_ms, 1),
    }


def _thread(vault: Vault, folder: Path, line: Line) -> dict[str, Any]:
    """Laying, sealing and writing, in one thread and turn by turn as the deck does it."""
    folder.mkdir()
    tick, heard = line.clock_hz // 50, line.caller_hz // 50
    twin, caller = _sound(tick), _sound(heard)
    rate_hz = 8_000 if line.clock_hz == 8_000 else 16_000
    tapes = [
        Tape(
            folder / f"{number}.rec",
            lambda number=number: vault.sealer(f"recording:bench-{line.name}-{number}"),  # type: ignore[misc]
            clock_hz=line.clock_hz,
            caller_hz=line.caller_hz,
            rate_hz=rate_hz,
            position=0,
        )
        for number in range(CALLS)
    ]
    seconds = 20
    begun = time.process_time()
    for turn in range(seconds * 10):
        for tape in tapes:
            for number in range(turn * 5, turn * 5 + 5):
                tape.put("twin", twin, number * tick)
                tape.put("caller", caller, int((number + 1) * tick * OTHER_CLOCK))
            tape.turn()
    spent_ms = (time.process_time() - begun) * 1_000 / (seconds * CALLS)
    for tape in tapes:
        tape.end()
        tape.turn()
    return {
        "line": line.name,
        "cpu_ms": round(spent_ms, 2),
        "share_of_a_core_%": round(spent_ms / 10, 2),
        "calls_per_core": int(1_000 / spent_ms),
    }


def _chunks(vault: Vault, folder: Path, line: Line) -> dict[str, Any]:
    rate_hz = 8_000 if line.clock_hz == 8_000 else 16_000
    sealer = vault.sealer(f"recording:chunks-{line.name}")
    path = folder / f"chunks-{line.name}.rec"
    writer = ChunkWriter(path, sealer, rate_hz)
    samples = np.frombuffer(_sound(rate_hz // 2), np.int16)
    count = 4_000
    begun = time.perf_counter()
    for number in range(count):
        writer.write("twin" if number % 2 else "caller", number // 2 * len(samples), samples)
    writer.finish()
    written_s = time.perf_counter() - begun
    begun = time.perf_counter()
    file = ChunkFile(path)
    index_ms = (time.perf_counter() - begun) * 1_000
    begun = time.perf_counter()
    for start in range(0, file.frames, rate_hz * 10):
        file.read(sealer, "caller", start, rate_hz * 10)
        file.read(sealer, "twin", start, rate_hz * 10)
    read_s = time.perf_counter() - begun
    megabytes = count * len(samples) * 2 / 1e6
    return {
        "line": line.name,
        "chunk_us": round(written_s * 1e6 / count, 1),
        "write_MB/s": round(megabytes / written_s),
        "read_MB/s": round(megabytes / read_s),
        "index_ms": round(index_ms, 1),
        "kB_per_call_second": round(path.stat().st_size / (file.frames / rate_hz) / 1_000, 1),
    }


def _signing(folder: Path) -> dict[str, Any]:
    path = folder / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        for _ in range(SIGNED_S):
            file.writeframes(_sound(32_000))
    provenance = Provenance(open_authority(folder, None, name="Bench", now=datetime.now(UTC)))
    size = path.stat().st_size
    begun = time.perf_counter()
    provenance.sign(path, path, Claim("bench", "Bench", datetime.now(UTC), token="00c0ffee"))
    signed_ms = (time.perf_counter() - begun) * 1_000
    begun = time.perf_counter()
    valid = verify(path).valid
    return {
        "MB": round(size / 1e6, 1),
        "sign_ms": round(signed_ms, 1),
        "verify_ms": round((time.perf_counter() - begun) * 1_000, 1),
        "added_bytes": path.stat().st_size - size,
        "valid": valid,
        "peak_rss_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024),
    }


def _sound(frames: int) -> bytes:
    return np.random.default_rng(1).integers(-9_000, 9_000, frames).astype(np.int16).tobytes()


if __name__ == "__main__":
    report.save("record", asyncio.run(measure()))
