"""Reading a photo that somebody handed in: anything at all, so within bounds and with an answer that helps."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from avatar.errors import UnfitPicture

MAX_BYTES: Final = 40_000_000
MAX_PIXELS: Final = 80_000_000
"""Beyond what any phone's camera makes; told from the header, before anything is decoded."""
MIN_SIDE_PX: Final = 96
MOST_ASPECT: Final = 6.0
"""A longer picture is a strip, of which nothing is left once it is as small as it is looked at."""
_WORKING_SIDE_PX: Final = 1600
"""A larger photo is made smaller; a face in it has more pixels than any picture of ours even so."""
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
_HEIC: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_TURNED: Final = 4
"""EXIF orientations above this swap width and height."""

_OTHER_FORMAT: Final = "hand in a JPEG or PNG file"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo, upright, in sRGB."""

    rgb: npt.NDArray[np.uint8]
    """Shape (height, width, 3)."""
    alpha: npt.NDArray[np.uint8] | None
    """Shape (height, width), where the picture was cut out already."""

    def before(self, backdrop: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The photo, before a backdrop of its size where it is transparent."""
        if self.alpha is None:
            return self.rgb
        share = self.alpha[..., None].astype(np.float32) / 255
        return np.rint(backdrop + (self.rgb.astype(np.float32) - backdrop) * share).astype(np.uint8)


def load(data: bytes) -> Photo:
    """Read a photo's file. Of an animated one it is the first picture. Raises `UnfitPicture`."""
    if len(data) > MAX_BYTES:
        raise UnfitPicture(f"the file has {len(data) / 1e6:.0f} MB: hand in one below {MAX_BYTES // 1_000_000} MB")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        raise UnfitPicture("HEIC pictures cannot be read here: export it as JPEG (or set the camera to that)")
    if data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"avis"):
        raise UnfitPicture("this is a video: hand it in as a clip, or take a photo out of it")
    try:
        with warnings.catch_warnings():
            # Pillow's warnings are about what is bounded here, and about files' oddities.
            warnings.simplefilter("ignore")
            return _decode(data)
    except UnfitPicture:
        raise
    except Image.DecompressionBombError:
        raise UnfitPicture(
            f"the picture has more than {MAX_PIXELS // 1_000_000} megapixels: make it smaller"
        ) from None
    except UnidentifiedImageError:
        raise UnfitPicture(f"this is not a picture, or of an unknown kind: {_OTHER_FORMAT}") from None
    except Exception as error:  # noqa: BLE001 - a broken file makes Pillow's readers raise anything
        raise UnfitPicture(f"the file is broken ({type(error).__name__}): {_OTHER_FORMAT}") from None


def _decode(data: bytes) -> Photo:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise UnfitPicture(
                f"the picture has {width * height / 1e6:.0f} megapixels: make it smaller than "
                f"{MAX_PIXELS // 1_000_000}"
            )
        if min(width, height) < MIN_SIDE_PX:
            raise UnfitPicture(f"the picture has only {width}x{height} pixels: take one of 512x512 or more")
        if max(width, height) > MOST_ASPECT * min(width, height):
            raise UnfitPicture(f"the picture is a strip of {width}x{height} pixels: cut it to head and shoulders")
        if image.format in ("JPEG", "MPO"):
            image.draft(image.mode, (_WORKING_SIDE_PX, _WORKING_SIDE_PX))
        whole = _eight_bits(image)
        whole.thumbnail((_WORKING_SIDE_PX, _WORKING_SIDE_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)
        upright = ImageOps.exif_transpose(whole)
    rgba = np.asarray(upright)
    if rgba.shape[2] == 3:
        return Photo(np.ascontiguousarray(rgba), None)
    return Photo(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]))


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture as RGB, or as RGBA where some of it is transparent, with its EXIF data."""
    exif, profile = image.getexif(), image.info.get("icc_profile")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _grey(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        whole = image.convert("RGBA")
        low, _ = whole.getchannel("A").getextrema()
        if not isinstance(low, (int, float)) or low >= 250:
            whole = whole.convert("RGB")
    else:
        whole = _in_srgb(image, profile)
    whole.info.pop("exif", None)
    whole.getexif().update({274: exif.get(274, 1)})
    return whole


def _grey(image: Image.Image) -> Image.Image:
    """Grey of more than eight bits; values are scaled to what is there, since the files do not say their range."""
    values = np.asarray(image, np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    top = 65535.0 if image.mode.startswith("I") and values.max(initial=0) > 255 else max(1.0, float(values.max()))
    return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8))


def _in_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """By its colour profile, which a phone's wide colours and a printer's four need to look right."""
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            # A broken profile is no reason to refuse a picture that shows well enough without.
            return image.convert("RGB")
    return image.convert("RGB")


def plain(data: bytes) -> bytes:
    """The photo as it is used and kept: upright, of at most 1600 pixels a side, without what the camera noted.

    A JPEG file, or a PNG where it is cut out. Raises `UnfitPicture` as `load` does.
    """
    photo, out = load(data), io.BytesIO()
    if photo.alpha is None:
        Image.fromarray(photo.rgb).save(out, "JPEG", quality=95, subsampling=0)
    else:
        Image.fromarray(np.dstack((photo.rgb, photo.alpha))).save(out, "PNG")
    return out.getvalue()
