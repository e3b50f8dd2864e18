"""IPA as espeak-ng's own phoneme names, and how it travels in a text. Pure."""

from __future__ import annotations

import unicodedata

PHONEMES_BEGIN, PHONEMES_END = "\ue000\ue000", "\ue001\ue001"
"""Around phonemes in a text for espeak. Private characters, which no text of people keeps (`speakable` takes them
out), and as long as what espeak has in their place, so that positions stay."""

# The longest is taken first. espeak names a phoneme by its letters in ASCII; most are the same in all languages.
_COMMON = {
    "tʃ": "tS", "dʒ": "dZ", "ts": "ts", "pf": "pF",
    "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "g": "g", "ɡ": "g", "f": "f", "v": "v", "θ": "T", "ð": "D",
    "s": "s", "z": "z", "ʃ": "S", "ʒ": "Z", "h": "h", "x": "x", "ç": "C", "m": "m", "n": "n", "ŋ": "N", "ɲ": "n^",
    "l": "l", "ʎ": "l^", "ɹ": "r", "r": "r", "ɾ": "r", "ʁ": "r", "j": "j", "w": "w", "ɥ": "y", "ʔ": "?",
    "i": "i", "iː": "i:", "ɪ": "I", "e": "e", "eː": "e:", "ɛ": "E", "ɛː": "E:", "æ": "a", "a": "a", "aː": "a:",
    "ɑ": "A:", "ɑː": "A:", "ɒ": "0", "ɔ": "O", "ɔː": "O:", "o": "o", "oː": "o:", "ʊ": "U", "u": "u", "uː": "u:",
    "ʌ": "V", "ə": "@", "ɐ": "3", "ɜ": "3:", "ɜː": "3:", "ɝ": "3:", "ɚ": "3", "y": "y", "yː": "y:", "ʏ": "Y",
    "ø": "Y:", "øː": "Y:", "œ": "W", "aɪ": "aI", "aʊ": "aU", "ɔɪ": "OI", "ˈ": "'", "ˌ": ",", "'": "'",
}  # fmt: skip
_BY_LANGUAGE = {
    "en": {"i": "i", "e": "E", "eɪ": "eI", "oʊ": "oU", "əʊ": "oU", "o": "oU", "a": "a", "aː": "A:", "u": "u:",
           "ɔ": "O:", "ɪə": "i@", "ɪɹ": "i@3", "ɛə": "e@", "ɛɹ": "e@", "ʊə": "U@", "ɑːɹ": "A@", "ɔːɹ": "O@",
           "ɐ": "a#", "x": "x", "ç": "h", "y": "u:", "yː": "u:", "ø": "3:", "øː": "3:", "œ": "3:", "pf": "pf"},
    "de": {"ɔʏ": "OY", "ɔɪ": "OY", "ɔø": "OY", "w": "v", "ʏ": "y", "aː": "A:", "θ": "s", "ð": "z", "æ": "E"},
    "fr": {"ɑ̃": "A~", "ɔ̃": "O~", "ɛ̃": "E~", "œ̃": "W~", "ø": "Y", "ə": "@-", "h": "", "ɲ": "nj"},
    "es": {"β": "B", "ɣ": "Q", "ɾ": "**", "r": "R2", "ʝ": "J^", "ɪ": "i", "ʊ": "u", "ə": "e", "ɔ": "o", "ɛ": "E"},
    "it": {"ɾ": "*", "r": "R", "ɪ": "i", "ʊ": "u", "ə": "e"},
    "pt": {"ɐ̃ʊ̃": "&U~", "ɐ̃w̃": "&U~", "ɐ̃": "&~", "õ": "o~", "ũ": "u~N", "ɾ": "*", "ʁ": "x", "ɐ": "&", "æ": "&",
           "ʎ": "lj", "ɪ": "y", "ʊ": "U", "ə": "&"},
}  # fmt: skip
_IGNORED = frozenset(".‿͡ ˑ|/[]")


def mnemonics(ipa: str, language: str) -> str | None:
    """espeak's names for a word in IPA, for one language; None when a sign is not known."""
    table = _COMMON | _BY_LANGUAGE.get(language[:2].lower(), {})
    table = {unicodedata.normalize("NFC", key): value for key, value in table.items()}
    text = "".join(c for c in unicodedata.normalize("NFC", ipa) if c not in _IGNORED)
    longest = max(map(len, table))
    names: list[str] = []
    at = 0
    while at < len(text):
        size = next((n for n in range(longest, 0, -1) if text[at : at + n] in table), 0)
        if not size:
            return None
        names.append(table[text[at : at + size]])
        at += size
    return "".join(names) or None


def marked(ipa: str, language: str) -> str | None:
    """A word of a text that espeak says by these phonemes; None when it cannot."""
    names = mnemonics(ipa, language)
    return None if names is None else f"{PHONEMES_BEGIN}{names}{PHONEMES_END}"


def unmarked(text: str, speakable: str) -> str:
    """`speakable`, which is `text` without private characters, with the marks back that are whole and hold only
    names; elsewhere `[[` means what it says."""
    if PHONEMES_BEGIN not in text:
        return speakable
    parts = list(speakable.replace("[[", "[ "))
    at = 0
    while (begin := text.find(PHONEMES_BEGIN, at)) >= 0:
        end = text.find(PHONEMES_END, begin)
        if end < 0:
            break
        inside = text[begin + 2 : end]
        if inside and inside.isascii() and not any(c.isspace() or c in "[]" for c in inside):
            parts[begin : begin + 2] = PHONEMES_BEGIN
            parts[end : end + 2] = PHONEMES_END
        at = end + 2
    return "".join(parts)
