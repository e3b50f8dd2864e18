"""Clips for tests: a photo that is moved about as if filmed by hand."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np

from tests.unit.avatar.portrait.people import Rgb, collins


def moved(at_s: float, rgb: Rgb | None = None) -> Rgb:
    """The photo at a time: swaying, turning and coming nearer by a little."""
    rgb = collins() if rgb is None else rgb
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D(
        (width / 2, height / 2), 3 * np.sin(1.7 * at_s), 1.06 + 0.03 * np.sin(1.1 * at_s)
    )
    matrix[:, 2] += (6 * np.sin(1.3 * at_s), 3 * np.sin(2.3 * at_s))
    return np.asarray(cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def filmed(pictures: list[Rgb], rate_hz: int = 25, kind: str = "mp4") -> bytes:
    """The pictures as a file."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream("libx264" if kind == "mp4" else "libvpx", rate=rate_hz)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "16"} if kind == "mp4" else {"deadline": "realtime"}
        for rgb in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()
