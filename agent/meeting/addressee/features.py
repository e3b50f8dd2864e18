"""What speaks for and against the twin being meant, as named numbers; `weights.json` says how much each counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.meeting.addressee.names import common
from agent.meeting.addressee.reading import Reader, Reading
from agent.meeting.addressee.said import Heard, Scene
from agent.meeting.addressee.tokens import tokens

_AT_ONCE_S = 8.0
"""So soon after the twin's words an utterance may be a reply to them."""
_RECENT_S = 30.0
"""So long a conversation with the twin may go on after other words."""
_GOES_ON_S = 4.0
"""So soon after their own words somebody goes on with them."""
_SHORT_WORDS = 3
_LONG_WORDS = 25

_AMONG_MANY = ("everybody", "somebody", "we", "we_asks")
_ECHO_LETTERS = 4
_SURE = 4.0
_ALONE = 2.5
"""How much a plain utterance of the one person here counts."""
_ASIDE = frozenset(("stranger", "aloud", "mumble", "went_on_aside"))
_SHORT_QUESTION = 6

Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class Situation:
    """What went before, seen from an utterance."""

    after_twin: bool
    """The twin spoke last, just now."""
    twin_asked: bool
    """... and asked something."""
    partner: bool
    """The speaker is the one whom the twin spoke with last, not long ago."""
    answered: bool
    """The twin has spoken not long ago, somebody else since."""
    awaited: bool
    """The twin asked this very person."""
    goes_on: Reading | None
    """The speaker's own words just before, where these go on with them."""
    other: Reading | None
    """The words of the person who spoke last, where it was another person."""
    named_me: bool
    """... who called the speaker by name."""
    echo: bool
    """The speaker takes up a word of the twin's, just after it."""
    twin_passed: bool
    """What the twin said was no answer: it did not know, or took a note."""
    twin_share: float
    """How much of the talk of the last minute or two the twin's was; 1 is half of it."""


def situation(heard: Heard, scene: Scene, reader: Reader) -> Situation:
    """Read what went before."""
    before = [each for each in scene.before if each.start_s <= heard.start_s]
    last = before[-1] if before else None
    gap = heard.start_s - last.end_s if last else _RECENT_S
    after_twin = last is not None and not last.who and gap <= _AT_ONCE_S
    partner, answered = _with_twin(heard, before)
    goes_on = other = None
    named_me = False
    if last is not None and last.who == heard.who and gap <= _GOES_ON_S:
        goes_on = read(last, scene, reader)
    elif last is not None and last.who:
        other = read(last, scene, reader) if gap <= _RECENT_S else None
        named_me = other is not None and calls(last, scene, reader, heard.name)
    return Situation(
        after_twin=after_twin,
        twin_asked=after_twin and last is not None and last.text.rstrip().endswith("?"),
        partner=partner,
        answered=answered,
        awaited=bool(scene.asked) and scene.asked == heard.who,
        goes_on=goes_on,
        other=other,
        named_me=named_me,
        echo=after_twin and last is not None and _echoes(heard.text, last.text),
        twin_passed=after_twin and last is not None and "passes" in read(last, scene, reader).cues,
        twin_share=_share(before),
    )


def read(heard: Heard, scene: Scene, reader: Reader) -> Reading:
    """An utterance as its speaker's words to everybody else here."""
    everybody = tuple(dict.fromkeys((*scene.people, *(each.name for each in scene.before if each.who))))
    return reader.read(heard.text, tuple(name for name in everybody if name != heard.name), scene.owner_here)


def calls(heard: Heard, scene: Scene, reader: Reader, name: str) -> bool:
    """Whether these words call the person of that name."""
    own = reader.read(heard.text, (name,), scene.owner_here)
    return any(part.whose == "other" and part.role != "spoken_of" for part in own.parts)


def features(
    heard: Heard, scene: Scene, reading: Reading, now: Situation, *, in_field: bool, order: str
) -> Features:
    """Those that are not 0."""
    own = _own(reading)
    # With one person alone there is no everybody: "do we have to" asks the twin.
    own |= {name: 1.0 for name in reading.cues if scene.people or name not in _AMONG_MANY}
    asks = reading.asks or ("choice" in own and "fragment" in own)
    among = "everybody" in own or called(reading, "other")
    context = {
        f"order_{order}": bool(order),
        "order": bool(order),
        "after_twin": now.after_twin,
        "twin_asked": now.twin_asked,
        "partner": now.partner,
        "answered": now.answered,
        "awaited": now.awaited,
        "named_me": now.named_me,
        "echo": now.echo,
        "twin_passed": now.twin_passed,
        "twin_passed+asks": now.twin_passed and reading.asks,
        "twin_passed+statement": now.twin_passed and not reading.asks and not reading.orders,
        "short_asks": reading.asks and len(reading.words) <= _SHORT_QUESTION,
        "follow_up": now.after_twin and asks and not among,
        "cold": not (now.after_twin or now.partner or now.answered),
        "thanks_twin": now.after_twin and "thanks" in reading.cues and not among,
        "called_up": scene.hand_raised and order == "speak" and not called(reading, "other"),
        "hand": scene.hand_raised,
        "alone": not scene.people,
        "typed": heard.typed,
        "in_field": in_field,
        "goes_on": now.goes_on is not None,
        "other_asked": now.other is not None and now.other.asks,
        "other_you": now.other is not None and now.other.you,
        "other_everybody": now.other is not None and "everybody" in now.other.cues,
        "other_floor": now.other is not None and "floor" in now.other.cues,
        "other_called_twin": now.other is not None and _calls_twin(now.other),
    }
    if "asks_twin" in own:
        # "can the twin tell us", "I would ask the twin to" is no talk about it.
        for name in ("about_twin", "hypothetical", "i_state"):
            own.pop(name, None)
    if now.goes_on is not None:
        context["went_on_twin"] = _calls_twin(now.goes_on)
        context["went_on_statement"] = not (now.goes_on.asks or now.goes_on.orders or now.goes_on.you)
        context["went_on_everybody"] = "everybody" in now.goes_on.cues
        context["went_on_aside"] = now.goes_on.stranger
        context["went_on_other"] = called(now.goes_on, "other") and not _calls_twin(now.goes_on)
    found = own | {name: 1.0 for name, holds in context.items() if holds}
    if not scene.people and not found.keys() & _ASIDE:
        found["alone_plain"] = _ALONE
    if "called_up" in found:
        # Rare and sure: it may weigh more than the fit's shrinking lets few examples weigh.
        found["called_up"] = _SURE
    if now.twin_share:
        found["twin_share"] = now.twin_share
        found |= {f"twin_share+{name}": now.twin_share for name in ("asks", "orders", "you") if name in found}
    return found | _together(found)


def _own(reading: Reading) -> Features:
    """What is in the words themselves."""
    count = len(reading.words)
    named = sum(part.mention.last - part.mention.first + 1 for part in reading.parts)
    found = {
        "asks": reading.asks,
        "orders": reading.orders,
        "you": reading.you,
        "listening": reading.listening,
        "short": count <= _SHORT_WORDS,
        "long": count >= _LONG_WORDS,
        "stranger": reading.stranger and not _calls_twin(reading),
        "statement": not (reading.asks or reading.orders or reading.you or reading.listening),
        "bare_name": bool(reading.parts) and named == count,
    }
    own = {name: 1.0 for name, holds in found.items() if holds}
    last = ""
    for part in reading.parts:
        # The owner is not here, so that their name calls the twin.
        mine = part.whose != "other"
        if part.role == "called":
            last = "me" if mine else "other"
            own[f"call_{last}"] = 1.0
        if part.role == "maybe" and mine:
            own["maybe_me"] = 1.0
            if part.mention.last == count - 1 and part.mention.first:
                own["closing_me"] = 1.0
        own[f"{part.role}_{part.whose}"] = 1.0
        if mine and part.mention.sure < 1:
            own["misheard"] = own[f"misheard_{part.role}"] = 1.0
    if last:
        own[f"last_call_{last}"] = 1.0
    return own


_PAIRS = tuple(
    (one, other)
    for one, others in {
        "after_twin": "asks orders you call_other everybody listening thanks more repeat answer we him short "
        "long partner about_twin spoken_of_owner in_field machine_you i_state aloud mumble "
        "opinion spoken_of_other statement please fragment stranger for_owner pass_on choice "
        "we_asks settles",
        "settles": "partner answered short listening",
        "closing_me": "asks orders you him about_twin",
        "aloud": "asks cold answered",
        "machine_you": "asks partner answered cold you",
        "cold": "orders in_field statement you",
        "goes_on": "asks orders statement please aloud short",
        "follow_up": "in_field partner short_asks new_topic who_asks you twin_passed echo him we_asks fragment "
        "everybody",
        "short_asks": "partner after_twin",
        "new_topic": "asks after_twin",
        "who_asks": "in_field after_twin",
        "echo": "partner asks fragment choice statement",
        "fragment": "short choice",
        "partner": "choice we_asks asks orders you more thanks repeat everybody him answer statement please "
        "fragment stranger",
        "wish_owner": "asks statement orders everybody after_twin him",
        "answered": "in_field short_asks fragment more who_asks we_asks asks you him orders everybody statement",
        "twin_asked": "answer partner short asks statement",
        "awaited": "statement call_other asks answer aloud short",
        "alone": "aloud listening mumble asks orders thanks call_other about_twin we quoting him statement "
        "stranger you partner after_twin greeting",
        "hand": "order_speak short call_me listening named_me you",
        "call_me": "we_asks asks orders you quoting hypothetical thanks greeting owner_speaks_of for_owner "
        "everybody about_twin statement we call_other",
        "maybe_me": "asks orders you owner_speaks_of about_twin long statement",
        "misheard_called": "asks orders you quoting",
        "of_owner": "asks orders everybody somebody we statement him",
        "for_them": "asks after_twin statement we",
        "spoken_of_owner": "somebody asks orders you pass_on for_owner hypothetical everybody we statement",
        "spoken_of_twin": "asks orders you hypothetical everybody we quoting statement",
        "asks_twin": "asks quoting",
        "asks": "we_asks you everybody in_field we other_you somebody him named_me other_floor",
        "you": "other_you other_asked named_me orders opinion",
        "in_field": "everybody asks you",
        "call_other": "asks you orders",
        "typed": "asks you everybody",
        "other_called_twin": "asks you listening short",
        "order": "after_twin hand alone call_me short call_other",
        "went_on_twin": "asks you orders",
    }.items()
    for other in others.split()
)


def _together(found: Features) -> Features:
    return {f"{one}+{other}": 1.0 for one, other in _PAIRS if one in found and other in found}


def _with_twin(heard: Heard, before: Sequence[Heard]) -> tuple[bool, bool]:
    """Whether this speaker is the twin's partner, and whether others spoke since the twin did."""
    for at in range(len(before) - 1, -1, -1):
        if heard.start_s - before[at].end_s > _RECENT_S:
            break
        if before[at].who:
            continue
        asked = next((each.who for each in reversed(before[:at]) if each.who), "")
        since = {each.who for each in before[at + 1 :]}
        return asked == heard.who and not since - {heard.who}, bool(since - {heard.who})
    return False, False


def _echoes(text: str, said: str) -> bool:
    mine, its = ({each.word for each in tokens(each)} for each in (text, said))
    return any(len(word) >= _ECHO_LETTERS and not common(word) for word in mine & its)


def _share(before: Sequence[Heard]) -> float:
    return min(1.0, 2 * sum(not each.who for each in before) / len(before)) if len(before) > 1 else 0.0


def called(reading: Reading, whose: str) -> bool:
    """Whether somebody is called in these words, or may be."""
    return any(part.whose == whose and part.role != "spoken_of" for part in reading.parts)


def _calls_twin(reading: Reading) -> bool:
    return called(reading, "twin") or called(reading, "owner")
