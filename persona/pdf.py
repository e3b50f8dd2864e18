"""The text of a PDF file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pypdf import PdfReader

from compliance.errors import PersonaError

LIMIT_BYTES = 64 * 1024 * 1024
LIMIT_PAGES = 2_000
LIMIT_CHARS = 8 * 1024 * 1024
"""Of text in one file: a small file may unpack to a very large one."""


def read_pdf(path: Path) -> str:
    """The text of all pages, with an empty line between two. Raises `PersonaError` when there is none to have."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise PersonaError(f"{path}: larger than {LIMIT_BYTES // 2**20} MB; split it or shorten it")
        with _quiet(), path.open("rb") as file:
            text = "\n\n".join(_pages(PdfReader(file), path))
    except PersonaError:
        raise
    except OSError as error:
        raise PersonaError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    except RecursionError:
        raise _broken(path) from None
    except Exception as error:
        # On broken files pypdf raises anything, from KeyError to the errors of zlib.
        raise _broken(path) from error
    if not text.strip():
        raise PersonaError(f"{path}: there is no text in it, perhaps a scan; put the text into a .md or .txt file")
    return text


def _pages(reader: PdfReader, path: Path) -> Iterator[str]:
    if reader.is_encrypted:
        raise PersonaError(f"{path}: protected with a password; save it without one")
    if len(reader.pages) > LIMIT_PAGES:
        raise PersonaError(f"{path}: more than {LIMIT_PAGES} pages; split it")
    chars = 0
    for page in reader.pages:
        text = page.extract_text()
        chars += len(text)
        if chars > LIMIT_CHARS:
            raise PersonaError(f"{path}: more than {LIMIT_CHARS // 2**20} million letters; split it")
        # A hyphen at the end of a line is the typesetter's; the ranking would never find the halves.
        yield text.replace("-\n", "").replace("\u00ad", "")


def _broken(path: Path) -> PersonaError:
    return PersonaError(f"{path}: not a PDF that can be read; save it as PDF again, or as .txt")


@contextmanager
def _quiet() -> Iterator[None]:
    """pypdf warns of every small fault of a file, with words from the file, and goes on."""
    logger = logging.getLogger("pypdf")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
