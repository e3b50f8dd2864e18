"""A recording as samples, read from a file: bounded, with one clear line for what is unfit.

What a file is is told by its first bytes, and it is opened as that and nothing else: a name says little, and
formats that refer to other files or addresses (playlists) are never opened.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import soxr
from numpy.typing import NDArray

from compliance.errors import PersonaError

Samples = NDArray[np.float32]

MAX_BYTES = 256 * 2**20
MAX_S = 1_200
"""Of one file, which at 48 kHz is 230 MB in memory."""
MIN_S = 0.5
SILENT_DBFS = -60.0
"""A recording whose loudest sample is below this holds nothing but the noise of its microphone."""
FORMATS = "WAV, FLAC, MP3, OGG, M4A or WebM"
_MIN_RATE_HZ, _MAX_RATE_HZ = 8_000, 192_000
_TOLERANCE_S = 0.25
_HEAD_BYTES = 16


class UnfitSound(PersonaError):
    """A recording that cannot be used; the message names it and says what to do."""

    code: ClassVar[str] = "unfit_sound"


@dataclass(frozen=True, slots=True)
class Sound:
    """One voice's recording."""

    samples: Samples
    """Mono, between -1 and 1."""
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    def at(self, rate_hz: int) -> Sound:
        """The same at another rate."""
        if rate_hz == self.rate_hz:
            return self
        return Sound(soxr.resample(self.samples, self.rate_hz, rate_hz).astype(np.float32), rate_hz)

    def pcm(self) -> bytes:
        """As int16 mono."""
        return (np.clip(self.samples, -1.0, 1.0) * 32_767).round().astype("<i2").tobytes()

    def wav(self) -> bytes:
        """As a WAV file, int16 mono."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            file.writeframes(self.pcm())
        return buffer.getvalue()


def from_pcm(pcm: bytes, rate_hz: int) -> Sound:
    """int16 mono as a sound."""
    return Sound((np.frombuffer(pcm, "<i2") / 32_768).astype(np.float32), rate_hz)


def joined(sounds: list[Sound], rate_hz: int) -> Sound:
    """One after the other, all at `rate_hz`."""
    parts = [sound.at(rate_hz).samples for sound in sounds]
    return Sound(np.concatenate(parts) if parts else np.zeros(0, np.float32), rate_hz)


def read(path: Path) -> Sound:
    """A file's sound; of several channels the loudest one. Blocks for the disk and the decoder.

    Raises `UnfitSound`: one line that names the file and says what to do.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnfitSound(f"{path}: larger than {MAX_BYTES // 2**20} MB; cut it into shorter recordings")
        with path.open("rb") as file:
            sound = decode(file, str(path), size)
    except FileNotFoundError:
        raise UnfitSound(f"{path}: there is no such file") from None
    except OSError as error:
        raise UnfitSound(f"{path}: cannot be read ({error.strerror or type(error).__name__})") from None
    check_not_silent(sound, str(path))
    return sound


def check_not_silent(sound: Sound, name: str) -> None:
    """Raises `UnfitSound` for a recording that is too short to be anything, or holds no sound."""
    if sound.seconds < MIN_S:
        raise UnfitSound(f"{name}: only {sound.seconds:.1f} s long; record at least some sentences")
    if float(np.abs(sound.samples).max()) < 10 ** (SILENT_DBFS / 20):
        raise UnfitSound(f"{name}: it is silent; check that the right microphone is chosen and not muted")


def decode(file: BinaryIO, name: str, size: int) -> Sound:
    """The sound of an open file of `size` bytes. Raises `UnfitSound`."""
    import av

    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if not head:
        raise UnfitSound(f"{name}: it is empty; record it again")
    form = _format(head)
    if form is None:
        raise UnfitSound(f"{name}: not a recording that can be read; give a {FORMATS} file")
    if form == "wav":
        _check_whole_wav(file, name, size)
    try:
        with av.open(file, format=form) as container:
            if not container.streams.audio:
                raise UnfitSound(f"{name}: it has no sound; give a recording with a voice")
            stream = container.streams.audio[0]
            if not _MIN_RATE_HZ <= stream.rate <= _MAX_RATE_HZ:
                raise UnfitSound(f"{name}: its rate is {stream.rate} Hz; record at 24000 or 48000 Hz")
            rate_hz, stated_s = int(stream.rate), _stated_s(stream)
            planes = _loudest(list(_planes(container, stream, name)))
    except (av.FFmpegError, ValueError, EOFError) as error:
        # The decoder's own words name its insides.
        raise UnfitSound(f"{name}: it is damaged ({type(error).__name__}); copy or record it again") from None
    if stated_s is not None and len(planes) / rate_hz < stated_s - max(_TOLERANCE_S, 0.02 * stated_s):
        raise UnfitSound(_breaks_off(name))
    return Sound(planes, rate_hz)


def _planes(container: Any, stream: Any, name: str) -> Iterator[Samples]:
    """Pieces as (channels, samples)."""
    import av

    resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    most, count = MAX_S * stream.rate, 0
    for frame in container.decode(stream):
        for piece in resampler.resample(frame):
            count += piece.samples
            if count > most:
                raise UnfitSound(f"{name}: longer than {MAX_S // 60} minutes; cut it into shorter recordings")
            yield piece.to_ndarray().astype(np.float32)


def _loudest(pieces: list[Samples]) -> Samples:
    """Of several microphones one: mixed they would echo, and hide that one of them clips."""
    if not pieces:
        return np.zeros(0, np.float32)
    planes = np.nan_to_num(np.concatenate(pieces, axis=1))
    return np.ascontiguousarray(planes[int(np.square(planes).sum(axis=1).argmax())])


def _stated_s(stream: Any) -> float | None:
    """How long the file says it is, where it says so."""
    if not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * stream.time_base)


def _format(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    # MPEG audio begins with 11 set bits, AAC without a container with 12.
    if head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    starts = {b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"\x1aE\xdf\xa3": "matroska"}
    return next((form for start, form in starts.items() if head.startswith(start)), None)


def _check_whole_wav(file: BinaryIO, name: str, size: int) -> None:
    """A WAV says how many bytes follow; the decoder takes what there is without a word."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        kind, length = header[:4], int.from_bytes(header[4:], "little")
        if kind == b"data":
            # A program that streams writes 0 or the largest number, for it does not know yet.
            if 0 < length < 0xFFFF_FF00 and file.tell() + length > size + 1:
                raise UnfitSound(_breaks_off(name))
            break
        file.seek(length + length % 2, 1)
    file.seek(0)


def _breaks_off(name: str) -> str:
    return f"{name}: it breaks off before its end; copy it again, whole"
