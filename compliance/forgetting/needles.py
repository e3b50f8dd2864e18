"""What a person looks like in bytes: every form in which their words, number or address may have been left.

A plain search finds only a plain copy. What survives an erasure in practice is a log line in base64, a JSON
cache, a UTF-16 export, a number with spaces in it or spelled out by a recogniser.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import phonenumbers

from compliance.forgetting.scan import Needles, pieces
from compliance.forgetting.vocabulary import is_ours

MOST = 250_000
"""Byte strings looked for at once; of a person who said more, evenly chosen ones are, and the receipt says so."""
_NAME_BYTES = 6
"""A shorter identity (bob) is found in any large file by chance."""
_GRAM_WORDS = 3
_GRAM_BYTES = 14
"""A shorter run of words (`is it a`) is in everybody's mouth and proves nothing."""
_TELLING_WORD = 6
"""At least one word of a run is so long, or holds a digit."""
_NUMBER_DIGITS = 8
_WORD = re.compile(r"[^\W_]+(?:['’.@-][^\W_]+)*")

_DIGITS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "de": ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
    "fr": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
}
_SAID_TOO = {"en": {"0": "oh"}, "de": {"2": "zwo"}}
_AT = {"en": ("at",), "de": ("at", "ät"), "fr": ("arobase", "at")}
_DOT = {"en": "dot", "de": "punkt", "fr": "point"}
_DASH = {"en": "dash", "de": "minus", "fr": "tiret"}
_UNDERSCORE = {"en": "underscore", "de": "unterstrich", "fr": "underscore"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be gone, before it is turned into byte strings."""

    names: tuple[str, ...] = ()
    """How the person is known: a number, an address, an identity. Looked for in every form, however short."""
    said: tuple[str, ...] = ()
    """What they said or left: looked for in pieces, in runs of three words, and encoded."""
    heard: tuple[str, ...] = ()
    """What was said to them. Not looked for in the owner's own files, where the twin has it from."""
    sound: tuple[bytes, ...] = ()
    """Samples of recordings, which a plain audio file holds as they are."""
    raw: tuple[bytes, ...] = ()
    """Sealed values as they were stored."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The byte strings to look for, and what finding one of them means."""

    needles: Needles
    """Names and words, readable in some form."""
    sealed: Needles
    """Values as they were stored, closed: unreadable once the key is destroyed."""
    names: frozenset[bytes]
    """The person's name, number or address, in every form."""
    strong: frozenset[bytes]
    """Those, and the person's own words: they have no business in any file."""

    def named(self, hits: Mapping[bytes, int]) -> bool:
        """Whether the person is named in what these were found in. Words alone do not make a thing theirs: others
        say the same, and must not lose anything by it."""
        return not self.names.isdisjoint(hits)

    def said(self, hits: Mapping[bytes, int]) -> bool:
        """Whether the person's own words or name are in what these were found in."""
        return not self.strong.isdisjoint(hits)

    def shown(self, file: str) -> str:
        """A file's name as a receipt or an error may have it: not one that says whom it is about."""
        hits = self.needles.hits_in(file.encode("utf-8", "replace"))
        return "a file named after the person" if hits else file


def seek(wanted: Wanted) -> Sought:
    """Turn what must be gone into byte strings. Slow for a person who said much: seconds for a million words."""
    names = {
        form
        for name in wanted.names
        for text in name_forms(name)
        for form in encoded(text)
        if len(form) >= _NAME_BYTES
    }
    said = [text for text in wanted.said if not is_ours(text)]
    heard = [text for text in wanted.heard if not is_ours(text)]
    theirs = [form for text in said for form in encoded(text)] + list(wanted.sound)
    others = [form for text in heard for form in encoded(text)]
    others += [form for text in (*said, *heard) for gram in grams(text) for form in _narrow_and_wide(gram)]
    return Sought(
        needles=Needles((*theirs, *others), always=names, most=MOST),
        sealed=Needles(wanted.raw, most=MOST),
        names=frozenset(names),
        strong=frozenset(names) | {piece for form in theirs for piece in pieces(form)},
    )


def encoded(text: str) -> Iterator[bytes]:
    """A text as files hold it: UTF-8, UTF-16, base64 at each of three alignments, in a URL, in JSON."""
    plain = text.encode("utf-8", "replace")
    yield plain
    yield text.encode("utf-16-le", "replace")
    yield from base64_forms(plain)
    for form in (quote(text, safe="", errors="replace"), quote_plus(text, errors="replace")):
        if form != text:
            yield form.encode()
    in_json = json.dumps(text)[1:-1]
    if in_json != text:
        yield in_json.encode()


def base64_forms(plain: bytes) -> Iterator[bytes]:
    """What `plain` becomes inside a longer base64 text, wherever in it it begins; the outer characters, which
    depend on the neighbours, are left out."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + plain)
        # A character carries six bits: those that also hold bits of a neighbour are not ours alone.
        first = -(-before * 8 // 6)
        last = (before + len(plain)) * 8 // 6
        if (form := coded[first:last]) and len(form) >= 8:
            yield form
            if (in_url := form.replace(b"+", b"-").replace(b"/", b"_")) != form:
                yield in_url


def grams(text: str) -> Iterator[str]:
    """Runs of three words that tell somebody apart, as they were written and in small letters."""
    words = _WORD.findall(text)
    for at in range(len(words) - _GRAM_WORDS + 1):
        run = words[at : at + _GRAM_WORDS]
        if not any(len(word) >= _TELLING_WORD or any(c.isdigit() for c in word) for word in run):
            continue
        gram = " ".join(run)
        if len(gram.encode("utf-8", "replace")) >= _GRAM_BYTES:
            yield gram
            if (small := gram.lower()) != gram:
                yield small


def name_forms(name: str) -> Iterator[str]:
    """The ways in which a number or an address is written and spoken; anything else as it is."""
    yield name
    if name.startswith("+") and name[1:].isdigit():
        yield from number_forms(name)
    elif "@" in name:
        yield from address_forms(name)


def number_forms(number: str) -> tuple[str, ...]:
    """A number in E.164 as people and programs write it, and as it is read out in English, German and French.

    Short forms that are in every file (fewer than eight digits) are left out.
    """
    digits = number[1:]
    written = {number, digits, "00" + digits}
    spoken = {"plus " + form for form in _read_out(digits)} | set(_read_out("00" + digits))
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return tuple(sorted(written | spoken))
    formats = phonenumbers.PhoneNumberFormat
    for style in (formats.INTERNATIONAL, formats.NATIONAL, formats.RFC3966):
        form = phonenumbers.format_number(parsed, style).removeprefix("tel:")
        written |= {
            form,
            *(re.sub(r"[ ()\-/]+", mark, form).strip(mark or None) for mark in ("", " ", "-", ".", "/")),
        }
        if form.startswith("+"):
            written.add("00" + form[1:])
    national = re.sub(r"[^0-9]", "", phonenumbers.format_number(parsed, formats.NATIONAL))
    for form in (national, phonenumbers.national_significant_number(parsed)):
        spoken.update(_read_out(form))
    long = {form for form in written if sum(c.isdigit() for c in form) >= _NUMBER_DIGITS}
    return tuple(sorted(long | {number} | spoken))


def address_forms(address: str) -> tuple[str, ...]:
    """An e-mail address as it is written, in capitals too, and as it is read out in three languages."""
    forms = {address, address.upper(), address.title()}
    local, _, domain = address.partition("@")
    for language, ats in _AT.items():
        for at in ats:
            forms.add(f"{_said(local, language)} {at} {_said(domain, language)}")
    return tuple(sorted(forms))


def _said(part: str, language: str) -> str:
    for mark, words in ((".", _DOT), ("-", _DASH), ("_", _UNDERSCORE)):
        part = part.replace(mark, f" {words[language]} ")
    return " ".join(part.split())


def _read_out(digits: str) -> Iterator[str]:
    for language, names in _DIGITS.items():
        words = [names[int(digit)] for digit in digits]
        yield " ".join(words)
        other = [_SAID_TOO.get(language, {}).get(digit, names[int(digit)]) for digit in digits]
        if other != words:
            yield " ".join(other)


def _narrow_and_wide(text: str) -> Iterable[bytes]:
    return text.encode("utf-8", "replace"), text.encode("utf-16-le", "replace")
