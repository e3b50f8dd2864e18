"""What somebody mentioned that should not be lost: names, numbers, addresses, days and times, wishes.

Rules over the words of a recogniser, English and German: it may give no capitals and no punctuation, and spell
numbers out. Rather one too many than one missed.
"""

from __future__ import annotations

import re


def _listed(words: str) -> list[str]:
    return words.split()


_WORD = r"[^\W\d_][\w'’-]*"
_NO_NAME = frozenset(
    _listed("""a an the about not just calling trying looking wondering interested here there from for in at on
    with it is sorry afraid happy sure fine good okay ok well so very really also again back still only your my our
    their his her going ringing phoning urgent important that this what who why how when where yes no and or but if
    er um nicht nur ein eine der die das es ich wegen noch mal hier da so sehr auch gerade von vom aus bei mit zu
    und oder sicher froh interessiert""")
)
_NAME = re.compile(
    rf"\b(?:my name(?: is|'s)|the name(?: is|'s)|i am called|you can call me|mein name(?: ist|:)|ich hei(?:ß|ss)e|"
    rf"hier (?:ist|spricht)|(?:this is|it's|i'm|i am|ich bin)"
    rf"(?= {_WORD}(?: {_WORD})? (?:speaking|calling|here|from|von|vom|aus)\b))[\s,:]+"
    rf"(?P<name>{_WORD}(?:[ ]{_WORD}){{0,2}})",
    re.IGNORECASE,
)
_CAPITAL = r"[A-ZÄÖÜ][\w'’-]+"
_THIS_IS = re.compile(
    # In German nouns have capitals too ("ich bin Architekt"): there it takes two.
    rf"\b(?:(?:[Tt]his is|[Ii]'m|[Ii] am) (?P<name>{_CAPITAL}(?: {_CAPITAL}){{0,2}})|"
    rf"[Ii]ch bin (?P<german>{_CAPITAL} {_CAPITAL}))"
)
_ASKED_NAME = re.compile(
    r"\b(?:your name|who(?:'s| is| am i)? .{0,20}(?:calling|speaking)|who may i say|with whom|"
    r"(?:ihr|dein) name|(?:ihren|deinen) namen|wer (?:spricht|ruft)|mit wem)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:yes|oh|um|uh|well|sure|please|ja|also|gern|it's|it is|this is|i'm|i am|that's|das ist|"
    r"ich bin)[\s,]+)*",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(r"\s+(?:speaking|calling|here|from|von|vom|aus|and|und|am apparat)\b.*$", re.IGNORECASE)
_DIGITS = re.compile(r"\+?\d(?:[\s()/.–-]{0,2}\d){4,}")
_SPOKEN_DIGIT = (
    r"(?:plus|double|triple|zero|oh|one|two|three|four|five|six|seven|eight|nine|"
    r"null|eins|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun|\d)"
)
_SPELT = {
    word: str(digit)
    for words in (
        "zero one two three four five six seven eight nine",
        "null eins zwei drei vier fünf sechs sieben acht neun",
    )
    for digit, word in enumerate(_listed(words))
}
_SPELT |= {"oh": "0", "zwo": "2"}
_SPOKEN_NUMBER = re.compile(rf"\b{_SPOKEN_DIGIT}(?:[\s,-]+{_SPOKEN_DIGIT}){{5,}}\b", re.IGNORECASE)
_AT, _DOT = frozenset(_listed("at ät klammeraffe")), frozenset(_listed("dot punkt"))
_WHEN = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|"
    r"january|february|march|april|june|july|august|september|october|november|december|"
    r"januar|februar|märz|mai|juni|juli|oktober|dezember|today|tomorrow|tonight|yesterday|"
    r"next (?:week|month|year)|"
    r"heute|morgen|übermorgen|gestern|nächste[nrs]? (?:woche|monat|jahr)|o'clock|uhr|noon|midday|mittags?|"
    r"\d{1,2}[:.]\d{2}|\d{1,2}(?:st|nd|rd|th)|\d{1,2}\.\s?\d{1,2}\.|"
    r"(?:at|by|um|bis) (?:half past )?(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|"
    r"ten|eleven|twelve|"
    r"eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf))\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:i(?:'d| would) like|i (?:want|need|wish|hope)|we(?:'d| would) like|we (?:want|need)|"
    r"(?:could|can|would) (?:you|he|she|they)|please|(?:tell|ask|let) (?:him|her|them)|(?:it )?is urgent|"
    r"by the end of|call (?:me )?back|"
    r"ich (?:möchte|will|brauche|hätte|wünsche|wollte|würde)|wir (?:möchten|wollen|brauchen|hätten)|bitte|"
    r"(?:können|könnten) sie|kannst du|könntest du|richten sie|sag(?:en)? (?:sie )?(?:ihm|ihr|ihnen)|dringend|"
    r"zurückrufen)\b",
    re.IGNORECASE,
)


def names(said: str, before: str = "") -> list[str]:
    """Names that somebody gave as their own. `before`: the words of the other side just before, which may have
    asked for one."""
    found = [_trimmed(match["name"]) for match in _NAME.finditer(said)]
    found += [_trimmed(match["name"] or match["german"]) for match in _THIS_IS.finditer(said)]
    if not any(found) and _ASKED_NAME.search(before) and len(said.split()) <= 6:
        found = [_trimmed(_LEAD.sub("", said.strip()))]
    return list(dict.fromkeys(name for name in found if name))


def numbers(said: str) -> list[str]:
    """Telephone, account and order numbers, as they were said."""
    found = [match[0].strip() for pattern in (_DIGITS, _SPOKEN_NUMBER) for match in pattern.finditer(said)]
    return list(dict.fromkeys(found))


def addresses(said: str) -> list[str]:
    """E-mail addresses, written or spoken: `anna@example.com`, "anna dot berg at example dot com"."""
    # Word by word: a pattern for this takes quadratic time on what a caller can type.
    words = [word.strip(".,;:!?()<>\"'") for word in said.split()]
    found = [word for word in words if 0 < word.find("@") < len(word) - 1 and "." in word.partition("@")[2]]
    for at, word in enumerate(words):
        if word.lower() in _AT and at and at + 2 < len(words) and words[at + 2].lower() in _DOT:
            first, last = at - 1, at + 1
            while first >= 2 and words[first - 1].lower() in _DOT:
                first -= 2
            while last + 2 < len(words) and words[last + 1].lower() in _DOT:
                last += 2
            found.append(" ".join(words[first : last + 1]))
    return list(dict.fromkeys(found))


def says_when(said: str) -> bool:
    """Whether a day or a time is in it."""
    return _WHEN.search(said) is not None


def wishes(said: str) -> bool:
    """Whether somebody wants something."""
    return _WISH.search(said) is not None


def personal(said: str, before: str = "") -> bool:
    """Whether it tells who somebody is or how to reach them."""
    return bool(names(said, before) or numbers(said) or addresses(said))


def _trimmed(name: str) -> str:
    """The name without the words around it; empty when it is none."""
    words = _AFTER_NAME.sub("", name).strip(" .,!?;:").split()
    while words and words[-1].lower() in _NO_NAME:
        words.pop()
    if (
        not words
        or len(words) > 4
        or words[0].lower() in _NO_NAME
        or any(any(c.isdigit() for c in w) for w in words)
    ):
        return ""
    return " ".join(word if word[:1].isupper() else word.capitalize() for word in words)


def digits(said: str) -> str:
    """All digits in the words, also those that are spelt out, one after the other."""
    return "".join(
        word if word.isdigit() else _SPELT.get(word.lower(), "") for word in re.findall(r"\d|[^\W\d_]+", said)
    )
