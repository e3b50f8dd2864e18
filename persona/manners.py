"""What people say on the telephone that is no question about the owner: greetings, thanks, "are you a robot?".

Patterns are searched in plain words (lower case, no punctuation), because a recogniser gives no more than that.
"""

from __future__ import annotations

import re

from persona.words import plain

_PATTERNS = {
    "machine": r"\b(are|am|is) (you|i|this|it)\b.*\b(robot|machine|computer|bot|ai|a i|artificial|recording|"
    r"program|software|chatbot|voicemail|answering machine)\b",
    "human": r"\b(are|am|is) (you|i|this|it)\b.*\b(human|human being|(real|actual|living) person|a person|a man|"
    r"a woman|real$|alive$)|\bpretend\b.*\b(human|person|alive)\b|\byou re (human|real)\b",
    "who": r"\bwho am i (talking|speaking)\b|\b(i am|i m|am i) (talking|speaking) (to|with)$|"
    r"\bwho (is|s|are) (this|you|there|speaking|on the (line|phone))\b|"
    r"\bwho do i (talk|speak)\b|\bwhat (is|s) your name\b|\bwhat are you\b|\bwho am i (on|with|to)\b|"
    r"\bintroduce yourself\b|\bwhat are you called\b",
    "how": r"\bhow (are|re) you\b|\bhow do you do\b|\bhow (is|s) it going\b",
    "hear": r"\b(can|do) you hear me\b|\bare you (still )?there\b|\bis (anybody|anyone|somebody) there$",
    "wait": r"\b(hold on|just a (moment|second|minute)|one (moment|second)|wait a (moment|second|minute)|"
    r"hang on)\b",
    "thanks": r"\b(thank you|thanks|cheers|much appreciated)\b",
    "bye": r"\b(good ?bye|bye|good by|see you( later)?|so long|good night|farewell|have a (nice|good) day)\b|"
    r"\bthat (is|s|was) all\b",
    "hello": r"^(hello|hi|hey|good (morning|afternoon|evening|day))\b",
}
_MANNERS = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
_REPEAT = re.compile(
    r"^((i am |i m |i )?(sorry|pardon)( me)?( what)?|excuse me|what|huh|come again|once more|again( please)?|"
    r"what did you say|what was that|what do you mean)$|"
    r"\b(say (that|it) again|repeat (that|it|please|what)|(please|can you|could you) repeat|pardon( me)?$|"
    r"did(n t| not) (catch|hear|understand|get) (that|you|it|what)|i beg your pardon|what did you (just )?say)"
)
_YES = re.compile(
    r"^(oh |um |uh |well |and )?(yes|yeah|yep|yup|sure|correct|right|exactly|please|fine|ok|okay|perfect|"
    r"absolutely|of course|go ahead|that s (right|correct|fine|it)|that is (right|correct|fine|it)|it is|i would|"
    r"i d like that|please do|mm hmm|uh huh|good|great)\b"
)
_NO = re.compile(
    r"^(oh |um |uh |well )?(no|nope|nah|not|wrong|never mind|don t|do not|forget it|cancel|nothing)\b|"
    r"\b(that s|that is|this is) (not|wrong)\b|\bnever mind\b|\bforget (it|that)\b"
)
_QUESTION = re.compile(
    r"^((and|so|but|okay|ok|well|um|uh|yes|also|then|hello|hi|please|sorry|excuse me|i wonder|tell me) )*"
    r"(when|where|who|what|why|how|which|whose|whats|wheres|is|are|do|does|did|can|could|would|will|may|should|has|"
    r"have|was|were|give|show|explain|am)\b|\b(tell me|i(d| would) like to know|i want to know|do you know|"
    r"i need to know|i(d| would) like|i want)\b"
)
_EVERYTHING = re.compile(
    r"\b((tell|talk to|speak to) (me|us)|everything|all|more|something|what can you tell me|what do you know)"
    r"\b.*?\babout\b(?P<subject>.*)"
)
_SENTENCE = re.compile(r"(?<=[.?!;])(?<!mr\.)(?<!mrs\.)(?<!dr\.)\s+", re.IGNORECASE)
_NEXT_QUESTION = re.compile(
    r"(?:,\s*|\s+)(?:and|also|plus|or)\s+(?:also\s+)?(?=(?:when|where|who|what|why|how|which|do|does|is|are|can|could|"
    r"will|would|has|have|did)\b)|(?<=\w)\s+(?=(?:how much|how long|where is|where are|when is|when are|what is|"
    r"what are|who is|do you)\b)",
    re.IGNORECASE,
)


def heard(manner: str, text: str) -> bool:
    """True when `text` has the manner: machine, human, who, how, hear, wait, thanks, bye or hello."""
    return _MANNERS[manner].search(plain(text).replace("'", " ")) is not None


def asks_to_repeat(text: str) -> bool:
    """ "Pardon?", "could you say that again"."""
    return _REPEAT.search(plain(text).replace("'", " ")) is not None


def says_yes(text: str) -> bool:
    """An agreement, perhaps with more after it."""
    words = plain(text).replace("'", " ")
    return _YES.search(words) is not None and not says_no(text)


def says_no(text: str) -> bool:
    """A refusal or a correction, perhaps with more after it."""
    return _NO.search(plain(text).replace("'", " ")) is not None


def is_question(text: str) -> bool:
    """Asks or demands something, as far as the words tell."""
    return "?" in text or _QUESTION.search(plain(text).replace("'", " ")) is not None


def overview_of(text: str) -> str | None:
    """What is to be told about, when the caller asks for a survey ("tell me everything about ...")."""
    found = _EVERYTHING.search(plain(text).replace("'", " "))
    return found["subject"].strip() if found else None


def without_greeting(text: str) -> str:
    """What is left when greetings and thanks are taken away."""
    left = re.sub(r"(?i)^\s*(hello|hi|hey|good (morning|afternoon|evening|day))( there)?\b[\s,.!]*", "", text)
    return re.sub(r"(?i)\b(thank you|thanks)( very much| so much| a lot)?\b[\s,.!]*", "", left).strip()


def questions(text: str) -> list[str]:
    """The turn in parts that can be answered one after the other.

    Recognisers give no punctuation, so a part also ends where the next question plainly begins; a part of fewer
    than two words that follows from such a guess is joined again.
    """
    parts: list[str] = []
    for sentence in _SENTENCE.split(text.strip()):
        start = 0
        for found in _NEXT_QUESTION.finditer(sentence):
            if len(sentence[start : found.start()].split()) >= 3 and len(sentence[found.end() :].split()) >= 3:
                parts.append(sentence[start : found.start()])
                start = found.end()
        parts.append(sentence[start:])
    return [part.strip() for part in parts if part.strip()]
