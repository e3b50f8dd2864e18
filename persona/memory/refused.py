"""What is never remembered, whoever found it: secrets, orders to the twin, and claims about its owner."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from compliance.language.identifiers import ibans, numbers, secrets
from compliance.language.spoken_forms import atoms
from persona.memory.rules import LANGUAGES, rules_of

_SECRET_KINDS = frozenset(("card", "iban", "secret", "number"))
"""A long row of digits that is no telephone number may be any of them."""


def is_refused(text: str, owner: Sequence[str], *, language: str = "", about: str = "") -> bool:
    """True when `text` must not be remembered: it holds a secret, orders the twin about, or names its owner.

    Orders and words for secrets are looked for in every language, because a caller may change it. With a
    `language` digits are read as they are spoken in it.
    """
    if any(rules_of(each).orders.search(text) or rules_of(each).secrets.search(text) for each in LANGUAGES):
        return True
    folded = _fold(text)
    if any(re.search(rf"\b{re.escape(_fold(part))}\b", folded) for name in owner for part in name.split()):
        return True
    if not language:
        return False
    cut = atoms(text, language)
    spans = [*numbers(cut, language), *ibans(cut), *secrets(cut)]
    kinds = _SECRET_KINDS - {"number"} if about == "phone" else _SECRET_KINDS
    return any(span.kind in kinds for span in spans)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(ch for ch in decomposed if not unicodedata.combining(ch))
