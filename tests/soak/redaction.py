"""How much of what was planted in generated calls is covered, and how much else.

    python -m tests.soak.redaction --count 20000

Recall: the part of planted identifiers that is covered from the first character to the last, by kind and way.
Precision: the part of what was covered that touches something planted. The held-out templates decide; exit 1 below
the goals.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from compliance.redaction import Redactor
from tests.soak.redaction_calls import Said, calls

IDENTIFIERS = ("card", "iban", "phone", "email")
LEAST_IDENTIFIERS = 0.98
LEAST_NAMES = 0.90


@dataclass
class Score:
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    spans: int = 0
    right_spans: int = 0
    missed: list[tuple[str, str, str]] = field(default_factory=list)
    too_much: list[tuple[str, str, str]] = field(default_factory=list)

    def recall(self, *kinds: str) -> float:
        planted = sum(self.planted[kind] for kind in kinds)
        return sum(self.found[kind] for kind in kinds) / planted if planted else 1.0

    @property
    def precision(self) -> float:
        return self.right_spans / self.spans if self.spans else 1.0


def score(turns: Iterable[Said]) -> Score:
    """Redact each turn by itself and compare."""
    redactor, result = Redactor(), Score()
    for said in turns:
        spans = redactor.redact(said.text, said.language).spans
        # Spans that touch read as one for whoever looks at the page.
        hidden = {i for span in spans for i in range(span.start, span.end)}
        for planted in said.planted:
            ways = (planted.kind, f"{planted.kind} {planted.way}", f"{planted.kind} {said.language}")
            whole = all(i in hidden for i in range(planted.start, planted.end) if said.text[i].isalnum())
            result.planted.update(ways)
            if whole:
                result.found.update(ways)
            else:
                result.missed.append((said.language, said.text[planted.start : planted.end], said.text))
        for span in spans:
            right = any(span.start < p.end and p.start < span.end for p in said.planted)
            result.spans += 1
            result.right_spans += right
            if not right:
                result.too_much.append(
                    (said.language, f"{span.kind}: {said.text[span.start : span.end]}", said.text)
                )
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", type=int, default=0, help="misses and false alarms to print")
    asked = parser.parse_args()
    held = True
    for held_out in (False, True):
        result = score(calls(asked.seed, asked.count, held_out=held_out))
        identifiers, names = result.recall(*IDENTIFIERS), result.recall("name")
        print(f"{'held-out' if held_out else 'tuned'} templates, {asked.count} turns:")
        print(f"  recall identifiers {identifiers:.2%}, names {names:.2%}; precision {result.precision:.2%}")
        print("  " + ", ".join(f"{key} {result.found[key] / n:.1%}" for key, n in sorted(result.planted.items())))
        for language, what, text in [*result.missed[: asked.show], *result.too_much[: asked.show]]:
            print(f"    {language}  {what!r}  in  {text!r}")
        if held_out:
            held = identifiers >= LEAST_IDENTIFIERS and names >= LEAST_NAMES
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
