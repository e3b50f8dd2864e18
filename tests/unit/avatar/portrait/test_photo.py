from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from avatar.errors import UnfitPicture
from avatar.portrait.photo import MAX_BYTES, load, plain
from tests.unit.avatar.portrait.people import COLLINS, Rgb, collins, encoded, larger


def near(one: Rgb, two: Rgb) -> float:
    """The mean difference, 0 to 255."""
    return float(np.abs(one.astype(np.int16) - two).mean())


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF"])
def test_the_usual_kinds_are_read(kind: str) -> None:
    photo = load(encoded(collins(), kind))
    assert photo.alpha is None
    assert near(photo.rgb, collins()) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_camera_says(orientation: int) -> None:
    ways = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    upright = np.ascontiguousarray(collins()[:, 40:360])
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(ways[orientation](upright))
    photo = load(encoded(stored, "JPEG", exif=exif.tobytes(), quality=95))
    assert photo.rgb.shape == upright.shape
    assert near(photo.rgb, upright) < 4


def test_grey_palette_and_sixteen_bits_are_read() -> None:
    grey = Image.fromarray(collins()).convert("L")
    want = np.asarray(grey.convert("RGB"))
    assert near(load(saved(grey, "PNG")).rgb, want) < 1
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    assert near(load(saved(deep, "PNG")).rgb, want) < 1
    assert near(load(saved(deep, "TIFF")).rgb, want) < 1
    few = Image.fromarray(collins()).quantize(64)
    assert near(load(saved(few, "PNG")).rgb, np.asarray(few.convert("RGB"))) < 1
    one_bit = Image.fromarray(collins()).convert("1")
    assert set(np.unique(load(saved(one_bit, "PNG")).rgb)) == {0, 255}
    floating = Image.fromarray(np.asarray(grey, np.float32))
    assert load(saved(floating, "TIFF")).rgb.shape == (400, 400, 3)


def test_a_printers_colours_become_a_screens() -> None:
    cmyk = Image.fromarray(collins()).convert("CMYK")
    assert near(load(saved(cmyk, "JPEG", quality=95)).rgb, collins()) < 8


def test_a_colour_profile_is_honoured_and_a_broken_one_ignored() -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(load(encoded(collins(), "PNG", icc_profile=swapped)).rgb, collins()) < 2
    assert near(load(encoded(collins(), "PNG", icc_profile=b"no profile")).rgb, collins()) < 2


def test_a_cut_out_person_keeps_the_outline() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[:, 100:300] = 255
    photo = load(encoded(np.dstack((collins(), alpha))))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, alpha)
    alpha[:] = 255
    assert load(encoded(np.dstack((collins(), alpha)))).alpha is None


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.fromarray(collins()), Image.fromarray(255 - collins())]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert near(load(data).rgb, collins()) < 12


def test_a_large_photo_is_made_smaller() -> None:
    photo = load(encoded(larger(collins(), 8), "JPEG"))
    assert max(photo.rgb.shape) == 1600


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many pixels whose data ends at once."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_000, 30_000, 2_000_000_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(UnfitPicture):
        load(bomb(side, side))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a picture"),
        (b"hello, this is no picture at all", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (bytes(MAX_BYTES + 1), "40 MB"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "export it as JPEG"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), "a video"),
    ],
)
def test_what_is_no_photo_is_refused_with_advice(data: bytes, says: str) -> None:
    with pytest.raises(UnfitPicture, match=says):
        load(data)


def test_a_tiny_picture_is_refused() -> None:
    with pytest.raises(UnfitPicture, match="only 80x80 pixels"):
        load(encoded(larger(collins(), 0.2)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_broken_files_are_read_or_refused_but_never_more(kind: str) -> None:
    whole = COLLINS.read_bytes() if kind == "JPEG" else encoded(larger(collins(), 0.3), kind)
    rng = np.random.default_rng(5)
    for attempt in range(40):
        data = bytearray(whole)
        if attempt % 2:
            del data[int(rng.integers(1, len(data))) :]
        for _ in range(int(rng.integers(1, 12))):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        try:
            photo = load(bytes(data))
        except UnfitPicture:
            continue
        assert photo.rgb.dtype == np.uint8
        assert photo.rgb.shape[2] == 3


def test_what_is_kept_of_a_photo_is_upright_and_without_the_cameras_notes() -> None:
    exif = Image.Exif()
    exif[274], exif[271] = 6, "Camera"
    kept = plain(encoded(np.ascontiguousarray(np.rot90(collins())), "JPEG", exif=exif.tobytes(), quality=95))
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, dict(image.getexif())) == ("JPEG", {})
    assert near(load(kept).rgb, collins()) < 4
    clear = np.dstack((collins(), np.tile(np.arange(400) % 256, (400, 1)).astype(np.uint8)))
    alpha = load(plain(encoded(clear))).alpha
    assert alpha is not None
    assert np.array_equal(alpha, clear[..., 3])


@pytest.mark.parametrize("size", [(96, 200_000), (90_000, 100)])
def test_a_strip_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UnfitPicture, match="strip"):
        load(saved(Image.new("L", size), "PNG"))
