"""What a reviewer sees of a transcript: identifiers and names covered, however they were said.

    redactor = Redactor()
    redacted = await redactor.redacted("it's plus four nine three oh one two three four five", "en")
    redacted.text  # "it's [phone]"

Two searches are laid over each other: our own over what was spoken (`spoken_forms`), and Presidio's recognisers
with check digits over the text with its spoken numbers written. Neither uses the network or a model of language.
It covers rather too much than too little, and is no anonymisation: what people tell in plain words stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from compliance.language.identifiers import Kind, Span, birth_dates, ibans, numbers, secrets
from compliance.language.mail_addresses import emails, sites
from compliance.language.names import names, spelled
from compliance.language.places import addresses
from compliance.language.spoken_forms import AS_WRITTEN, Atom, atoms

_PRIORITY: tuple[Kind, ...] = (
    "iban", "card", "email", "url", "ip", "birth_date", "phone", "address", "number", "secret", "name",
)  # fmt: skip
_PRESIDIO: dict[str, Kind] = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "MAC_ADDRESS": "ip",
    "URL": "url",
    "CRYPTO": "number",
}
_SURE = 0.9
_LOWEST_SCORE = 0.5
_EMAIL = r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,5}[\w-]{2,63}\b"
_URL = r"(?i)\b(?:https?://|www\.)[^\s()<>\"']{2,500}(?<![.,;:!?])"
_SITE = (
    r"(?i)(?<![\w.@-])(?:[\w-]{1,63}\.){1,4}"
    r"(?:com|org|net|info|biz|io|dev|app|ai|eu|de|at|ch|fr|be|uk|it|es|pt|nl|us|ca|jp|cn|ie|lu|li)\b(?![.\w-]*@)"
)
_LONGEST = 20_000
_WAITING = 64


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with what points to people covered."""

    text: str
    """Each covered part is its kind in brackets, as `[phone]`."""
    spans: tuple[Span, ...]
    """What was covered, by its place in the text as it was; in order, none overlapping."""


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of a call, for `Redactor.redact_lines`."""

    who: str
    text: str


class Redactor:
    """Covers identifiers and names. Loading takes a second or two, at the first use; threads may share it."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting = asyncio.Semaphore(_WAITING)

    def redact(self, text: str, language: str, known: Iterable[str] = ()) -> Redacted:
        """Cover what points to people in `text`; `known` are names and numbers of the call's own people.

        Blocks for about ten milliseconds for each 160 characters.
        """
        spans = merged(find(text, language.partition("-")[0].lower(), known))
        return Redacted(masked(text, spans), spans)

    def redact_lines(
        self, lines: Sequence[Line], language: str, known: Iterable[str] = ()
    ) -> tuple[Redacted, ...]:
        """The same for the turns of a call, where one number is often said in several turns.

        Each side's turns are also read as one text: "four two four two", "yes", "four two four two" is found.
        """
        known = tuple(known)
        found = [list(self.redact(line.text, language, known).spans) for line in lines]
        for who in dict.fromkeys(line.who for line in lines):
            mine = [i for i, line in enumerate(lines) if line.who == who]
            _across([lines[i].text for i in mine], [found[i] for i in mine], language)
        done = (merged(spans) for spans in found)
        return tuple(Redacted(masked(line.text, spans), spans) for line, spans in zip(lines, done, strict=True))

    async def redacted(self, text: str, language: str, known: Iterable[str] = ()) -> Redacted:
        """`redact` on a thread of its own, one at a time; callers beyond the limit wait."""
        return (await self.lines_redacted((Line("", text),), language, known))[0]

    async def lines_redacted(
        self, lines: Sequence[Line], language: str, known: Iterable[str] = ()
    ) -> tuple[Redacted, ...]:
        """`redact_lines` on a thread of its own, one at a time; callers beyond the limit wait."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="redaction")
        async with self._waiting:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self.redact_lines, lines, language, tuple(known))

    def close(self) -> None:
        """Let go of the thread."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def find(text: str, language: str, known: Iterable[str] = ()) -> list[Span]:
    """Everything that points to people in the text, overlapping and in no order."""
    known = tuple(known)
    spans: list[Span] = []
    for start in range(0, len(text), _LONGEST):
        part = text[start : start + _LONGEST + 400]
        cut = atoms(part, language)
        here = [
            *_in_atoms(part, cut, language),
            *names(part, language, known),
            *spelled(cut),
            *_checked(part, cut),
        ]
        here += _known_numbers(cut, known)
        spans += [Span(span.kind, span.start + start, span.end + start) for span in here]
    return spans


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that overlap made one of the more telling kind."""
    done: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if done and span.start < done[-1].end:
            kind = min(done[-1].kind, span.kind, key=_PRIORITY.index)
            done[-1] = Span(kind, done[-1].start, max(done[-1].end, span.end))
        else:
            done.append(span)
    return tuple(done)


def masked(text: str, spans: Sequence[Span]) -> str:
    """The text with each span (in order, none overlapping) replaced by its kind in brackets."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join((*parts, text[at:]))


def _in_atoms(text: str, cut: Sequence[Atom], language: str) -> Iterable[Span]:
    yield from numbers(cut, language)
    yield from ibans(cut)
    yield from secrets(cut)
    yield from emails(cut)
    yield from sites(cut)
    yield from birth_dates(text, cut)
    yield from addresses(text, cut)


def _known_numbers(cut: Sequence[Atom], known: Iterable[str]) -> Iterable[Span]:
    """The caller's own number, however little of a number it would be otherwise."""
    for name in known:
        digits = "".join(c for c in name if c.isdecimal())
        if len(digits) < 4:
            continue
        for first in (i for i, atom in enumerate(cut) if atom.kind == "digits"):
            row, last = "", first
            for i in range(first, min(first + 40, len(cut))):
                if cut[i].kind == "digits":
                    row, last = row + cut[i].value, i
                if (
                    len(row) >= 4
                    and digits.endswith(row.lstrip("0"))
                    and len(row.lstrip("0")) >= min(len(digits), 6)
                ):
                    yield Span("phone", cut[first].start, cut[last].end)


def _across(texts: Sequence[str], found: Sequence[list[Span]], language: str) -> None:
    """Add to each turn what is an identifier only together with the turns around it."""
    joined, starts = "", []
    for text in texts:
        starts.append(len(joined))
        # A number goes on after a comma, not after the full stop the recogniser sets at every turn's end.
        joined += text.rstrip(" .…").ljust(len(text)) + ", "
    for span in numbers(atoms(joined, language.partition("-")[0].lower()), language):
        for start, text, spans in zip(starts, texts, found, strict=True):
            first, last = max(span.start - start, 0), min(span.end - start, len(text.rstrip(" .…")))
            if first < last and (start > span.start or span.end > start + len(text)):
                spans.append(Span(span.kind, first, last))


def _checked(text: str, cut: Sequence[Atom]) -> Iterable[Span]:
    """What Presidio finds, with its check digits, in the text with spoken numbers written."""
    written, places = _written(text, cut)
    for result in _analyzer().analyze(written, language="en", score_threshold=_LOWEST_SCORE):
        yield Span(_PRESIDIO[result.entity_type], places[result.start][0], places[result.end - 1][1])


def _written(text: str, cut: Sequence[Atom]) -> tuple[str, list[tuple[int, int]]]:
    """The text with spoken digits as digits, and for each of its characters the place it came from."""
    out: list[str] = []
    places: list[tuple[int, int]] = []
    at, spoken_before = 0, False
    for atom in cut:
        spoken = atom.spoken and (atom.kind == "digits" or atom.value == "plus")
        if not (spoken and spoken_before):
            out.append(text[at : atom.start])
            places += [(i, i + 1) for i in range(at, atom.start)]
        if spoken:
            value = atom.value if atom.kind == "digits" else AS_WRITTEN["plus"]
            out.append(value)
            places += [(atom.start, atom.end)] * len(value)
        else:
            out.append(text[atom.start : atom.end])
            places += [(i, i + 1) for i in range(atom.start, atom.end)]
        at, spoken_before = atom.end, spoken
    out.append(text[at:])
    places += [(i, i + 1) for i in range(at, len(text))]
    return "".join(out), places


_loading = Lock()


def _analyzer() -> Any:
    with _loading:
        return _load_analyzer()


@cache
def _load_analyzer() -> Any:
    # Presidio brings spaCy (without models) and takes a second to import.
    from presidio_analyzer import AnalyzerEngine, Pattern, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        CryptoRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        UrlRecognizer,
    )

    class OfflineEmail(EmailRecognizer):
        """Without the check of the ending, for which tldextract would fetch a list from the network."""

        def validate_result(self, pattern_text: str) -> bool | None:
            return None

    # Presidio's own patterns for these two take time that grows with the square of a row of dots.
    email = OfflineEmail(patterns=[Pattern("address", _EMAIL, _SURE)])
    url = UrlRecognizer(patterns=[Pattern("address", _URL, _SURE), Pattern("site", _SITE, _SURE)])
    # It writes texts that do not validate into its log.
    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL + 1)
    recognizers = [CreditCardRecognizer(), CryptoRecognizer(), email, IbanRecognizer(), IpRecognizer(), url]
    engine = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
