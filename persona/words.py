"""English words as the ranking sees them: normalised, stemmed lightly, common synonyms folded together.

Light on purpose: a stem only has to be the same for the question and for the owner's text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def _listed(words: str) -> list[str]:
    return words.split()


_CONTRACTIONS = (
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'(s|re|m|ll|ve|d)\b"), " "),
)
_PHRASES = (
    (re.compile(r"\bhow (much|expensive)( money)?\b"), " price "),
    (re.compile(r"\b(opening|office|business|working) (hours|times)\b"), " opentime "),
    (re.compile(r"\bwhat (time|day|days)\b|\bhow (late|early|soon)\b"), " when "),
    (re.compile(r"\b(what|which) (street|town|city|place)\b"), " where "),
    (re.compile(r"\bhow long\b"), " howlong "),
    (re.compile(r"\bhow old\b"), " howold "),
    (re.compile(r"\bhow (many|far|big|tall)\b"), " how "),
    (re.compile(r"\be[- ]?mail( address)?\b"), " email "),
    (re.compile(r"\b(cell|mobile)( ?phone)?( number)?\b"), " mobile "),
    (re.compile(r"\b(tele)?phone( number)?\b"), " phone "),
    (re.compile(r"\bcar park\b"), " park "),
    (re.compile(r"\b(bank|public) (holiday|holidays)\b"), " holiday "),
    (re.compile(r"\b(train|railway) station\b"), " station "),
    (re.compile(r"\b(wi ?fi|wireless)\b"), " wifi "),
    (re.compile(r"\b(artificial intelligence|ai)\b"), " robot "),
    (re.compile(r"\bright now\b|\bgood (bye|morning|day|evening|afternoon)\b"), " "),
)
_SYNONYMS = {
    "price": "cost charge fee rate priced fees charges costs rates expensive costing",
    "open": "opening opened opens",
    "close": "closing closed shut shuts closes",
    "address": "located location situated",
    "phone": "telephone",
    "appointment": "appointments",
    "holiday": "holidays vacation vacations",
    "car": "cars",
    "prize": "prizes award awards awarded",
    "house": "houses home homes",
    "building": "buildings",
    "repair": "renovate renovation restore restoration repairs renovating restoring",
    "stairs": "steps stair",
    "lift": "elevator lifts",
    "timber": "wood wooden",
    "office": "studio firm company practice offices bureau",
    "job": "profession occupation living career",
    "found": "founded founding founder established",
    "student": "students intern interns internship internships apprentice trainee",
    "famous": "renowned",
    "pay": "payment payments paying paid pays",
    "visit": "visits visiting visitor visitors",
    "weekend": "weekends",
    "study": "studied studies university school college degree",
    "client": "clients customer customers",
    "work": "working works worked",
    "book": "arrange",
    "accept": "accepting accepts taking",
    "email": "mail emails",
    "sunday": "sundays",
    "saturday": "saturdays",
    "friday": "fridays",
    "talk": "speak speaking spoke talking",
    "sick": "ill unwell illness",
    "earn": "earns earning income salary wage",
}
_FOLDED = {word: head for head, words in _SYNONYMS.items() for word in words.split()}
_NUMBERS = dict(
    zip(
        map(str, range(13)),
        _listed("zero one two three four five six seven eight nine ten eleven twelve"),
        strict=True,
    )
)

STOP = frozenset(
    _listed("""a an the is are am was were be been being of to in on at for from by with as into over about do
    does did done doing have has had having will would shall should can could may might must you your yours i my
    me mine we us our it its he him his she her hers they them their this that these those there here what which
    and or but so if then than not no yes please tell know like want need get got give say says said let us just
    also well um uh er hm oh ah hello hi hey okay ok right really actually maybe some any anything something
    somebody someone anybody anyone one ones very much many more most other thing things kind sort going go goes
    come comes coming think thinks thought thank thanks sorry out up off away anywhere somewhere along next use
    using used provide offer currently today because through again only even still ever never always often
    usually quite too bit nice good great possible put""")
)
"""Words that say nothing about the subject."""

ASKING = frozenset(_listed("when where who why how howlong howold"))
"""Words that say what is wanted, but not of what; they count for less."""


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation but the apostrophe, single spaces."""
    text = unicodedata.normalize("NFKD", text.replace("’", "'").lower())
    text = "".join(ch for ch in text if not unicodedata.combining(ch))
    return " ".join(re.sub(r"[^\w']+", " ", text).split())


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word without its commonest endings, after synonyms."""
    word = _NUMBERS.get(word, word)
    if word in _FOLDED:
        return _FOLDED[word]
    if word in _SYNONYMS:
        return word
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    if word in _FOLDED or word in _SYNONYMS:
        return _FOLDED.get(word, word)
    for ending, rest in (("ation", ""), ("ing", ""), ("ed", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + rest
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return _FOLDED.get(word, word)


def terms(text: str) -> list[str]:
    """The words of `text` that matter, as stems, in order; a word may come twice."""
    text = plain(text)
    for pattern, replacement in (*_CONTRACTIONS, *_PHRASES):
        text = pattern.sub(replacement, text)
    return [stem(word) for word in text.replace("'", " ").split() if word not in STOP and len(word) > 1]
