"""Other people's words in a prompt: as data that cannot be taken for anything else.

A caller's name, what a caller told, a document and a calendar entry are written by others, and may hold whole
prompts. Each is shown on one line, in quotation marks that nothing inside can close, without the marks that models
and their servers give a meaning: line ends, brackets, tags, and the tokens that begin a message.
"""

from __future__ import annotations

import re
import unicodedata

_MARKS = str.maketrans(
    {
        **dict.fromkeys('"“”„‟«»＂', "'"),
        **dict.fromkeys("<＜", "‹"),
        **dict.fromkeys(">＞", "›"),
        **dict.fromkeys("[{［｛", "("),
        **dict.fromkeys("]}］｝", ")"),
        **dict.fromkeys("|｜\\", "/"),
        "`": "'",
        "#": "",
    }
)
_TOKENS = re.compile(
    r"<\|[^<>]{0,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<\uff5c[^<>]{0,40}\uff5c>",
    re.IGNORECASE,
)
"""What chat templates put between messages. Some servers read it as such wherever it stands."""


def quoted(text: str, *, limit_chars: int = 2000) -> str:
    """`text` as one line of data in double quotation marks; there are no others inside."""
    return f'"{clipped(plain_line(text), limit_chars)}"'


def plain_line(text: str) -> str:
    """`text` on one line without control characters, invisible ones, and marks that may mean something."""
    text = unicodedata.normalize("NFC", text)
    # Format characters (Cf) are invisible: text direction, joiners, and the tags in which text can be hidden.
    kept = "".join(
        " " if category in ("Cc", "Zl", "Zp", "Zs") else char
        for char in text
        if (category := unicodedata.category(char)) not in ("Cf", "Cs", "Co", "Cn")
    )
    return " ".join(kept.translate(_MARKS).split())


def spoken(text: str) -> str:
    """A caller's turn as a message of its own: without the tokens that would end it."""
    while (stripped := _TOKENS.sub(" ", text)) != text:
        # Taking one away may put another together.
        text = stripped
    return text


def clipped(text: str, limit_chars: int) -> str:
    """`text`, or as many whole words of it as fit, with a mark where it was cut."""
    if len(text) <= limit_chars:
        return text
    head = text[: max(0, limit_chars - 1)]
    return f"{head.rsplit(' ', 1)[0] if ' ' in head else head}…"
