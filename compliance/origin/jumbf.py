"""The parts of a C2PA manifest that its signature does not cover: they must be what every signer leaves there.

c2pa checks what is signed. Around that lie the lengths and names of boxes and the padding of the signature, a
thousand bytes in which something could be changed or hidden; this finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

_C2PA = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq"
"""The end of every type that C2PA gives to its boxes; four letters stand before it."""
_STORE = b"jumdc2pa" + _C2PA
_STORE_AT = 12
"""Before it lie the length and kind of the store, and the length of its description."""
_IN_MP4 = bytes(4) + b"manifest\x00" + bytes(8)
"""What stands before the store in its box of an MP4: a version, a purpose, and no further boxes."""
_NAMES = {
    b"c2pa": re.compile(rb"\x03c2pa\x00"),
    b"c2ma": re.compile(rb"\x03[^\x00]+\x00"),
    b"c2as": re.compile(rb"\x03c2pa\.assertions\x00"),
    b"c2cl": re.compile(rb"\x03c2pa\.claim(\.v2)?\x00"),
    b"c2cs": re.compile(rb"\x03c2pa\.signature\x00"),
}
"""What follows the type in a description: that there is a name (3), and the name."""
_PAD = re.compile(rb"(?s)cpad(?:Y(..)|X(.))")
_BLANK = re.compile(rb"\x00{64,}")
"""So much of nothing is padding, and padding under another name is not."""
_UNUSED = 0xE0
"""Bits of a description's flags that mean nothing."""
_UNDEFINED = b"\xf7"
"""CBOR, where a signer writes null for the claim that it signed."""
_HEAD = 8
_DEPTH = 8
_OF_BOXES = 2
"""The store holds manifests, and those hold boxes; what else stood there would be read by nobody."""


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    body: bytes


class _Odd(Exception):
    """Something is not as a signer leaves it."""


def has_store(data: bytes | mmap) -> bool:
    """Whether a manifest store begins somewhere in a file's bytes, whole or not."""
    return data.find(_STORE) >= 0


def store_of(data: bytes | mmap) -> bytes | None:
    """The manifest store within a file's bytes; None when there is none, or it is not wrapped as it should be."""
    start = data.find(_STORE) - _STORE_AT
    if start < 0:
        return None
    if data[4:8] == b"ftyp" and data[start - len(_IN_MP4) : start] != _IN_MP4:
        return None
    end = start + int.from_bytes(data[start : start + 4], "big")
    return data[start:end] if end <= len(data) else None


def is_untouched(store: bytes) -> bool:
    """Whether the boxes fill each other exactly, have their proper names, and the padding is blank."""
    try:
        (outer,) = _boxes(store)
        _check(outer, 0)
    except (_Odd, ValueError):
        return False
    return True


def _check(box: _Box, depth: int) -> None:
    if box.kind != b"jumb":
        return
    if depth > _DEPTH:
        raise _Odd
    description, *content = _boxes(box.body)
    if description.kind != b"jumd" or len(description.body) < 17 or description.body[16] & _UNUSED:
        raise _Odd
    kind = description.body[:4]
    name = _NAMES.get(kind) if description.body[4:16] == _C2PA else None
    if name is not None and not name.fullmatch(description.body[16:]):
        raise _Odd
    if depth < _OF_BOXES and any(part.kind != b"jumb" for part in content):
        raise _Odd
    if kind == b"c2cs":
        _check_padding(content)
    for part in content:
        _check(part, depth + 1)


def _check_padding(content: list[_Box]) -> None:
    """The signature is one box of CBOR, in which `pad` makes up the size that was set aside before signing."""
    if [box.kind for box in content] != [b"cbor"]:
        raise _Odd
    body = content[0].body
    pads = [
        (found.end(), found.end() + int.from_bytes(found[1] or found[2], "big")) for found in _PAD.finditer(body)
    ]
    if any(any(body[begin:end]) or body[end : end + 1] == _UNDEFINED for begin, end in pads):
        raise _Odd
    for blank in _BLANK.finditer(body):
        if not any(begin <= blank.start() and blank.end() <= end for begin, end in pads):
            raise _Odd


def _boxes(data: bytes) -> Iterator[_Box]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length < _HEAD or at + length > len(data):
            raise _Odd
        yield _Box(data[at + 4 : at + _HEAD], data[at + _HEAD : at + length])
        at += length
