"""What is hidden in a text from somebody who gave no reason to see it.

Without a redactor everything is hidden: what nobody has looked through is not shown.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import phonenumbers

from compliance.console.desk import Redactor
from compliance.entries import ParticipantEntry, TurnEntry
from compliance.redaction import Line

REMEMBERED = 500
"""A player asks for a call's sound in many pieces, each silent where the text is masked, and redacting a call
takes a second: the places of what is hidden are remembered for so many texts (not the texts themselves). The
oldest is dropped for a new one, and found again when asked for."""
EVERYTHING = "everything"
_NAME = "name"
_LETTERS = 26
_OPEN = "AI"
_WORD = re.compile(r"[^\W_]+")
_PHONE = re.compile(r"\+[0-9]{6,}")


@dataclass(frozen=True, slots=True)
class Mask:
    """A hidden part of a text."""

    kind: str
    start: int
    end: int


class Masks:
    """Finds what to hide, and remembers where it was."""

    def __init__(self, redactor: Redactor | None, owner_name: str = "") -> None:
        """The owner's name is no secret on these pages, which name them anyway."""
        self._redactor = redactor
        self._open = frozenset(_WORD.findall(f"{owner_name} {_OPEN}".casefold()))
        self._remembered: OrderedDict[bytes, tuple[tuple[Mask, ...], ...]] = OrderedDict()

    @property
    def there(self) -> bool:
        """False when nothing looks for secrets, and so all is hidden."""
        return self._redactor is not None

    async def of_turns(
        self, turns: Iterable[TurnEntry], *, language: str, known: Sequence[str] = ()
    ) -> dict[int, tuple[Mask, ...]]:
        """The hidden parts of each turn of a call, by its sequence. A number said over several turns is one."""
        listed = list(turns)
        found = await self._of([Line(turn.who, turn.text) for turn in listed], language, known)
        return {turn.sequence: masks for turn, masks in zip(listed, found, strict=True)}

    async def text(self, text: str, *, language: str = "", known: Sequence[str] = ()) -> str:
        """The text with `[kind]` in place of what is hidden."""
        return (await self.texts([text], language=language, known=known))[0]

    async def texts(self, texts: Sequence[str], *, language: str = "", known: Sequence[str] = ()) -> list[str]:
        """The same for several at once, each by itself."""
        # Each is a line of somebody else's, so that no number is put together out of two of them.
        found = await self._of([Line(str(at), text) for at, text in enumerate(texts)], language, known)
        return [with_masks(text, masks) for text, masks in zip(texts, found, strict=True)]

    async def _of(
        self, lines: Sequence[Line], language: str, known: Sequence[str]
    ) -> tuple[tuple[Mask, ...], ...]:
        if self._redactor is None:
            return tuple((Mask(EVERYTHING, 0, len(line.text)),) if line.text else () for line in lines)
        if not lines:
            return ()
        key = _digest([language, *known, "", *(part for line in lines for part in (line.who, line.text))])
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return self._remembered[key]
        redacted = await self._redactor.lines_redacted(lines, language, known)
        found = tuple(
            tuple(
                Mask(span.kind, span.start, span.end)
                for span in each.spans
                if span.kind != _NAME or not self._is_open(line.text[span.start : span.end])
            )
            for line, each in zip(lines, redacted, strict=True)
        )
        self._remembered[key] = found
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    def _is_open(self, name: str) -> bool:
        """Whether every word of it is the owner's, or says what the twin is."""
        return self._open.issuperset(_WORD.findall(name.casefold()))


def _digest(parts: Iterable[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        raw = part.encode("utf-8", "replace")
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.digest()


def with_masks(text: str, masks: Iterable[Mask]) -> str:
    """The text with `[kind]` in place of each masked part."""
    shown, at = "", 0
    for mask in masks:
        if mask.end > at:
            shown += text[at : max(at, mask.start)] + f"[{mask.kind.replace('_', ' ')}]"
            at = mask.end
    return shown + text[at:]


def _country(number: str) -> str:
    try:
        return str(phonenumbers.parse(number).country_code)
    except phonenumbers.NumberParseException:
        return ""


def names(people: Iterable[ParticipantEntry], *, unmasked: bool) -> dict[str, str]:
    """How a page names the participants of a meeting, by identity: as they named themselves, or by a letter."""
    shown: dict[str, str] = {}
    for number, person in enumerate(people):
        letter = chr(ord("A") + number) if number < _LETTERS else str(number + 1)
        shown[person.identity] = (person.name or person.identity) if unmasked else f"Person {letter}"
    return shown


def of_people(people: Iterable[ParticipantEntry]) -> tuple[str, ...]:
    """What identifies the participants of a meeting, to be looked for in what was said."""
    return tuple(dict.fromkeys(part for person in people for part in (person.identity, person.name) if part))


def caller(subject: str | None, *, digits: int = 0) -> str:
    """Whom a page names without saying who it is: a number keeps its beginning and so many last digits."""
    if not subject:
        return "Unknown caller"
    if _PHONE.fullmatch(subject):
        country = f"+{_country(subject)}"
        return f"{country} ••• {subject[-digits:]}" if digits else f"{country} •••"
    return "Somebody by e-mail address" if "@" in subject else "A participant by name"
