"""Numbers as words, by the tables of a language. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MOST_DIGITS = 15
"""A longer number is read digit by digit, as people do."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A name such as million: what one, many, and the ordinal of it are called."""

    one: str
    many: str
    ordinal: str


@dataclass(frozen=True, slots=True)
class Numerals:
    """How one language counts; the tables of its TOML file."""

    below_hundred: tuple[str, ...]
    """0 to 99."""
    hundreds: tuple[str, ...]
    """100 to 900 before more; the first is 100."""
    thousand: str
    """After a number, its blank included: " thousand"."""
    one_thousand: str
    scales: tuple[Scale, ...]
    """Million and up."""
    minus: str
    point: str
    hundreds_alone: tuple[str, ...] = ()
    """Where 100 to 900 are said otherwise with nothing after them (`cien`, `deux cents`)."""
    scale_digits: int = 3
    """Digits from one scale to the next; 6 where a thousand million has no name of its own."""
    hundreds_join: str = ""
    thousand_join: str = " "
    small_join: str = ""
    """After thousands or a scale, before less than a hundred (`one thousand and one`); else as above."""
    even_join: str = ""
    """The same before full hundreds (`mil e cem`)."""
    scale_join: str = " "
    rest_join: str = ""
    """After the last scale, where it is not the same as between scales."""
    before_thousand: tuple[tuple[str, str], ...] = ()
    """Endings that change before `thousand`: `uno` -> `ún`."""
    before_scale: tuple[tuple[str, str], ...] = ()
    elisions: tuple[tuple[str, str], ...] = ()
    """Last corrections anywhere in the words (`centootto` -> `centotto`)."""
    final: tuple[tuple[str, str], ...] = ()
    """Endings of the whole that change (`centotre` -> `centotré`)."""
    fraction: str = "digits"
    """How what follows the point is read: `digits`, or `number` where people say it as one."""


def cardinal(number: int, numerals: Numerals) -> str:
    """`-1,234` as words. Any size: a long one is read digit by digit."""
    if number < 0:
        return f"{numerals.minus} {cardinal(-number, numerals)}"
    if len(str(number)) > MOST_DIGITS:
        return digits(str(number), numerals)
    words = _scaled(number, numerals)
    for before, after in numerals.elisions:
        words = words.replace(before, after)
    return _changed(words, numerals.final)


def digits(text: str, numerals: Numerals) -> str:
    """Each digit by its name."""
    return " ".join(numerals.below_hundred[int(digit)] for digit in text if digit.isdecimal())


def decimal(whole: str, part: str, numerals: Numerals) -> str:
    """A decimal number from the digits before (with a sign, or not) and after its point."""
    negative, whole = whole.startswith(("-", "−")), whole.lstrip("-−")
    before = cardinal(int(whole or "0"), numerals)
    if numerals.fraction == "number" and len(part) <= 3 and not part.startswith("0"):
        after = cardinal(int(part), numerals)
    else:
        after = digits(part, numerals)
    sign = f"{numerals.minus} " if negative else ""
    return f"{sign}{before} {numerals.point} {after}"


def _scaled(number: int, numerals: Numerals) -> str:
    top, rest = divmod(number, 10**6)
    if not top:
        return _below_million(rest, numerals)
    words: list[str] = []
    step = 10**numerals.scale_digits
    for level in range(len(numerals.scales) - 1, -1, -1):
        count = top // step**level
        top %= step**level
        if not count:
            continue
        scale = numerals.scales[level]
        if count == 1:
            words.append(scale.one)
        else:
            words.append(f"{_changed(_below_million(count, numerals), numerals.before_scale)} {scale.many}")
    said = numerals.scale_join.join(words)
    if not rest:
        return said
    return (
        said + _joint(rest, numerals, numerals.rest_join or numerals.scale_join) + _below_million(rest, numerals)
    )


def _below_million(number: int, numerals: Numerals) -> str:
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_thousand(rest, numerals)
    if thousands == 1:
        said = numerals.one_thousand
    else:
        said = _changed(_below_thousand(thousands, numerals), numerals.before_thousand) + numerals.thousand
    if not rest:
        return said
    return said + _joint(rest, numerals, numerals.thousand_join) + _below_thousand(rest, numerals)


def _joint(rest: int, numerals: Numerals, plain: str) -> str:
    """What stands before the last part of a number."""
    if rest < 100 and numerals.small_join:
        return numerals.small_join
    if rest < 1000 and rest % 100 == 0 and numerals.even_join:
        return numerals.even_join
    return plain


def _below_thousand(number: int, numerals: Numerals) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return numerals.below_hundred[rest]
    if not rest:
        return (numerals.hundreds_alone or numerals.hundreds)[hundreds - 1]
    return numerals.hundreds[hundreds - 1] + numerals.hundreds_join + numerals.below_hundred[rest]


def _changed(words: str, endings: tuple[tuple[str, str], ...]) -> str:
    for before, after in endings:
        if words.endswith(before):
            return words[: len(words) - len(before)] + after
    return words
