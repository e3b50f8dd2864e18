"""Taking a message, over several turns.

There is no hidden state. Where the conversation stands is read from what the caller has *heard*: the twin's last
words end with a question of this file, or they do not. So it stays right when the twin was interrupted before
its question, when a model spoke in between, and when the process was restarted.

    nothing or an offer --"tell him that ..."--> read back --yes--> name? --> number? --> taken
    offer --yes--> what should I tell him? --text--> read back --no--> what should I tell him?
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from persona import manners
from persona.caller import Caller
from persona.profile import Profile
from persona.prompt import Turn
from persona.words import plain, terms


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """A message for the owner, in the caller's words."""

    text: str
    caller_name: str = ""
    """As the caller gave it, or as the twin knew it; may be empty."""
    caller_number: str = ""
    """As the caller gave it, or as the line showed it; may be empty."""
    confirmed: bool = False
    """True when the caller said yes to what was read back; otherwise the call ended before."""


TURN_CHARS = 2000
"""How much of a turn is read, two minutes of speech: a typed page must not keep the other calls waiting."""
ANYTHING_ELSE = "All right. Is there anything else?"


class Ask(Enum):
    """What the twin says next about the message."""

    NOTHING = auto()
    """The turn is not about a message."""
    TEXT = auto()
    READ_BACK = auto()
    NAME = auto()
    NUMBER = auto()
    DONE = auto()
    DROPPED = auto()
    OFFER = auto()
    """The twin said that it can take a message; never asked for by the desk itself."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is on the message desk after a turn of the caller."""

    text: str = ""
    name: str = ""
    number: str = ""
    confirmed: bool = False
    ask: Ask = Ask.NOTHING
    pending: Ask = Ask.NOTHING
    """What the caller left open by asking something else; it is asked again after the answer."""
    taken: tuple[MessageTaken, ...] = ()
    """Messages that are complete, oldest first."""

    def all(self) -> tuple[MessageTaken, ...]:
        """Also the message that is not complete yet."""
        return (*self.taken, self.message()) if self.text else self.taken

    def message(self) -> MessageTaken:
        return MessageTaken(self.text, self.name, self.number, self.confirmed)


def words(ask: Ask, desk: Desk, profile: Profile) -> str:
    """What the twin says for `ask`. The phases below are recognised by these words."""
    match ask:
        case Ask.TEXT:
            return f"What should I tell {profile.short}?"
        case Ask.READ_BACK:
            return f"Your message for {profile.short} is: {desk.text}. Is that right?"
        case Ask.NAME:
            return "Who may I say is calling?"
        case Ask.NUMBER:
            return f"What number can {profile.they} reach you on?"
        case Ask.DONE:
            return f"Thank you. I'll pass it on to {profile.short}."
        case Ask.DROPPED:
            return ANYTHING_ELSE
        case Ask.OFFER | Ask.NOTHING:
            return ""


_READ_BACK = re.compile(r"\byour message for .{1,60}? is\b")
_READ_OUT = "is that right"
_PHASES = (
    (Ask.NAME, re.compile(r"\bwho may i say\b|\b(may|can) i (have|ask( for)?) your name\b")),
    (Ask.NUMBER, re.compile(r"\bwhat number can\b|\b(number|way) .{0,30}\breach you\b")),
    (Ask.TEXT, re.compile(r"\bwhat (should|shall|can|would you like me to) .{0,20}\b(tell|say|pass)\b")),
    (Ask.OFFER, re.compile(r"\b(take|leave|pass on) (a|your) message\b")),
)
_DIRECT = re.compile(
    r"\b(?:(?:please |could you |can you |would you |just )*(?:tell|let|inform) (?:{who})(?: know)?(?: please)?"
    r"(?: that| please)*|(?:a |the )?message (?:for|to) (?:{who})(?: is that| is| that|:)|pass on that|"
    r"(?:please )?give (?:{who}) (?:a|the) message(?: that)?|(?P<ask>ask (?:{who})))[\s,:]+(?P<text>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_WISH = re.compile(r"\b(leave|take|give|pass on|got|have) (him |her |them |down )?(a|the) message\b")
_I_AM = re.compile(
    r"^(?:(?:yes|oh|um|uh|well|sure|please)[\s,]+)*(?:tell (?:him|her|them) )?(?:my name is|my name's|this is|"
    r"it's|it is|i am|i'm|the name is|you can say)?\s*(?P<name>.*?)(?:\s+(?:speaking|here|calling))?[\s.!,]*$",
    re.IGNORECASE,
)
_GIVEN_NAME = re.compile(
    r"\b(?:my name is|my name's)\s+(?P<name>[^\W\d_][\w'-]*(?: [^\W\d_][\w'-]*)?)", re.IGNORECASE
)
_DIGITS = {"zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
_DIGITS |= {"six": "6", "seven": "7", "eight": "8", "nine": "9"}


def follow(turns: Sequence[Turn], profile: Profile, caller: Caller) -> Desk:
    """The desk after the last turn of the caller, from the conversation alone."""
    desk = Desk(name=caller.name, number=caller.number)
    before = ""
    turns = [replace(turn, text=turn.text[:TURN_CHARS]) for turn in turns]
    for turn in turns:
        if turn.who == "twin":
            before = f"{before} {turn.text}"
            continue
        desk = _step(desk, _phase(before), turn.text, profile, caller)
        before = ""
    return desk


def messages(turns: Sequence[Turn], profile: Profile, caller: Caller) -> tuple[MessageTaken, ...]:
    """All messages of a call, for the store; the last one unconfirmed when the caller hung up before."""
    return follow(turns, profile, caller).all()


def direct(text: str, profile: Profile) -> tuple[str, str] | None:
    """What stands before a message given outright ("please tell him that ..."), and the message."""
    found = _direct(profile).search(text)
    if not found:
        return None
    message = found["text"].strip()
    if found["ask"]:
        message = re.sub(r"^to\s+", "please ", message)
    if len(plain(message).split()) < 2:
        return None
    return text[: found.start()].strip(), message.rstrip(" .!?,;")


def _direct(profile: Profile) -> re.Pattern[str]:
    names = {profile.name, profile.short, profile.name.split()[-1], f"mr {profile.name.split()[-1]}"}
    who = "|".join(["him", "her", "them", *sorted(map(re.escape, names), key=len, reverse=True)])
    return re.compile(_DIRECT.pattern.replace("{who}", who), _DIRECT.flags)


def _phase(before: str) -> Ask:
    """What the twin's last words asked for."""
    said = plain(before)
    reading = _READ_BACK.search(said)
    if reading:
        # The message itself may contain the words of another phase; only what follows it counts.
        _, _, said = said[reading.end() :].rpartition(_READ_OUT) if _READ_OUT in said else ("", "", "")
    found = [(match.end(), ask) for ask, pattern in _PHASES for match in pattern.finditer(said)]
    if found:
        return max(found, key=lambda item: item[0])[1]
    return Ask.READ_BACK if reading else Ask.NOTHING


def given_name(said: str) -> str:
    """The name in "my name is ..."; empty when there is none."""
    found = _GIVEN_NAME.search(said)
    return found["name"].title() if found else ""


def _step(desk: Desk, phase: Ask, said: str, profile: Profile, caller: Caller) -> Desk:
    desk = replace(desk, name=desk.name or given_name(said), ask=Ask.NOTHING, pending=Ask.NOTHING)
    if manners.asks_to_repeat(said):
        return desk
    outright = direct(said, profile)
    if outright:
        return _draft(desk, outright[1])
    match phase:
        case Ask.TEXT:
            return _text(desk, said)
        case Ask.READ_BACK if desk.text:
            return _checked(desk, said, caller)
        case Ask.NAME if desk.text:
            return _named(desk, said, caller)
        case Ask.NUMBER if desk.text:
            return _numbered(desk, said, caller)
    if _WISH.search(plain(said)):
        return replace(desk, ask=Ask.TEXT)
    if phase is Ask.OFFER and len(said.split()) <= 5:
        if manners.says_no(said):
            return replace(desk, ask=Ask.DROPPED)
        if manners.says_yes(said):
            return replace(desk, ask=Ask.TEXT)
    return desk


def _draft(desk: Desk, text: str) -> Desk:
    text = re.sub(
        r"^(that|please tell (him|her|them))\s+", "", " ".join(text.split())[:TURN_CHARS], flags=re.IGNORECASE
    )
    return replace(desk, text=text.rstrip(" .!?,;"), confirmed=False, ask=Ask.READ_BACK)


def _text(desk: Desk, said: str) -> Desk:
    if manners.says_no(said) and len(said.split()) <= 4:
        return replace(desk, text="", ask=Ask.DROPPED)
    return _draft(desk, said) if plain(said) else replace(desk, ask=Ask.TEXT)


def _checked(desk: Desk, said: str, caller: Caller) -> Desk:
    if manners.says_no(said):
        rest = re.sub(r"(?i)^\W*(no|nope|not|wrong|that's (not right|wrong))\b[\s,.!]*", "", said).strip()
        if len(terms(rest)) < 2:
            return replace(desk, ask=Ask.TEXT)
        # "No, on Tuesday" corrects a part; dropping the whole would lose what the caller did not repeat.
        partly = len(terms(rest)) < len(terms(desk.text))
        return _draft(desk, f"{desk.text}, correction: {rest}" if partly else rest)
    if manners.says_yes(said):
        return _next(replace(desk, confirmed=True), caller)
    if plain(said).startswith(("and ", "also ", "add ")):
        return _draft(desk, f"{desk.text}, {said.strip()}")
    if manners.is_question(said) or manners.heard("bye", said):
        return replace(desk, pending=Ask.READ_BACK)
    return replace(desk, ask=Ask.READ_BACK)


def _named(desk: Desk, said: str, caller: Caller) -> Desk:
    if _elsewhere(said):
        return replace(desk, pending=Ask.NAME)
    found = _I_AM.match(said.strip())
    name = "" if manners.says_no(said) or found is None else found["name"].strip(" .,!?")
    if not desk.name and 0 < len(name.split()) <= 6:
        desk = replace(desk, name=name if any(ch.isupper() for ch in name) else name.title())
    return _finish(desk, caller) if desk.number else replace(desk, ask=Ask.NUMBER)


def _numbered(desk: Desk, said: str, caller: Caller) -> Desk:
    if _elsewhere(said):
        return replace(desk, pending=Ask.NUMBER)
    number = spoken_number(said)
    return _finish(replace(desk, number=number) if number else desk, caller)


def _elsewhere(said: str) -> bool:
    """The caller asks something or leaves instead of giving a name or a number."""
    return manners.heard("bye", said) or (manners.is_question(said) and len(said.split()) > 3)


def _next(desk: Desk, caller: Caller) -> Desk:
    if not desk.name:
        return replace(desk, ask=Ask.NAME)
    return replace(desk, ask=Ask.NUMBER) if not desk.number else _finish(desk, caller)


def _finish(desk: Desk, caller: Caller) -> Desk:
    taken = (*desk.taken, desk.message())
    return Desk(name=desk.name or caller.name, number=desk.number or caller.number, ask=Ask.DONE, taken=taken)


def spoken_number(said: str) -> str:
    """The telephone number in what was said, in digits; empty when there are fewer than four."""
    digits: list[str] = []
    times = 1
    for word in plain(said).split():
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        digit = word if word.isdigit() else _DIGITS.get(word, "")
        digits.append(digit * times if len(digit) == 1 else digit)
        times = 1
    number = "".join(digits)
    return ("+" if said.lstrip().startswith("+") else "") + number if len(number) >= 4 else ""
