"""A recording as a file to hand out: WAV or M4A, signed. The only way in which recorded sound leaves the store."""

from __future__ import annotations

import asyncio
import os
import secrets
import wave
from pathlib import Path
from typing import BinaryIO

from compliance.errors import ProvenanceError
from compliance.origin.manifests import Manifests
from compliance.provenance import Claim, Provenance
from compliance.records import Recordings
from compliance.sound.playback import Channels

_BITS_PER_S = 64_000
"""Per channel: nothing of speech is lost at it."""
_BLOCK_FRAMES = 1 << 16


async def export(
    recordings: Recordings,
    recording_id: str,
    target: Path,
    claim: Claim,
    *,
    provenance: Provenance,
    manifests: Manifests | None = None,
    subject: str | None = None,
    channels: Channels = "both",
) -> None:
    """Write `target` (.wav or .m4a, by its name), for this user alone.

    With a watermark's token in `claim` the manifest is kept in `manifests` about `subject`. Raises `VaultError`
    and `ProvenanceError`; an unfinished file is not left behind.
    """
    suffix = target.suffix.lower()
    if suffix not in (".wav", ".m4a"):
        raise ProvenanceError(f"{target}: recordings are exported as .wav or .m4a files.")
    draft = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{suffix}")
    plain = draft.with_suffix(".wav.part")
    try:
        await _write(recordings, recording_id, plain, channels)
        if suffix == ".m4a":
            await asyncio.to_thread(encode_m4a, plain, draft)
        else:
            plain.replace(draft)
        manifest = await asyncio.to_thread(provenance.sign, draft, target, claim)
    except OSError as error:
        raise ProvenanceError(f"{target}: cannot be written ({error.strerror}).") from error
    finally:
        plain.unlink(missing_ok=True)
        draft.unlink(missing_ok=True)
    if manifests is not None and claim.token:
        await manifests.keep(claim.token, manifest, **({"subject": subject} if subject else {}))


def encode_m4a(source: Path, target: Path) -> None:
    """A WAV file as AAC in MP4. Blocks. Raises `ProvenanceError` when PyAV is missing or refuses."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise ProvenanceError("M4A needs PyAV: pip install av, or export a .wav.") from error
    try:
        with wave.open(str(source), "rb") as reader, av.open(str(target), "w", format="mp4") as container:
            layout = "stereo" if reader.getnchannels() == 2 else "mono"
            stream = container.add_stream("aac", rate=reader.getframerate(), layout=layout)
            stream.bit_rate = _BITS_PER_S * reader.getnchannels()
            at = 0
            while pcm := reader.readframes(_BLOCK_FRAMES):
                frame = av.AudioFrame(format="s16", layout=layout, samples=len(pcm) // (2 * reader.getnchannels()))
                frame.planes[0].update(pcm)
                frame.sample_rate = reader.getframerate()
                frame.pts = at
                at += frame.samples
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise ProvenanceError(f"The recording could not be encoded ({type(error).__name__}).") from error


async def _write(recordings: Recordings, recording_id: str, path: Path, channels: Channels) -> None:
    with await asyncio.to_thread(_private, path) as file:
        async for block in recordings.as_wav(recording_id, channels):
            await asyncio.to_thread(file.write, block)


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
