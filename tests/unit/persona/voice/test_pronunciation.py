"""The owner's dictionary: what is found, what is said instead, and what a wrong file is told."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona.voice.pronunciation import FILE, Entry, Pronunciations, load
from persona.voice.reader import Reader

EXAMPLE = files("persona.example").joinpath(FILE).read_text("utf-8")

FILE = """\
[words]
Nguyen = "win"
"St. John Rivers" = "sinjin rivers"
"St. John" = "saint john"
saoirse = { say = "seersha", ipa = "ˈsɪərʃə" }
Polish = "poelish"

[de]
Joy = "ipa:dʒɔʏ"
Nguyen = "wien"
"""


@pytest.fixture
def words(tmp_path: Path) -> Pronunciations:
    path = tmp_path / "pronunciation.toml"
    path.write_text(FILE, "utf-8")
    return load(path)


def said(words: Pronunciations, text: str, language: str = "en", *, ipa: bool = False) -> str:
    for found in reversed(words.replacements(text, language, (lambda p, _: f"<{p}>") if ipa else None)):
        text = text[: found.start] + found.spoken + text[found.end :]
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ask Nguyen.", "Ask win."),
        ("ask NGUYEN, nguyen, Nguyenstraße", "ask win, nguyen, Nguyenstraße"),
        ("Saoirse and SAOIRSE and saoirse", "seersha and seersha and seersha"),
        ("Nguyen's and Nguyen’s", "win's and win’s"),
        ("St. John Rivers met St.  John", "sinjin rivers met saint john"),
        ("polish the Polish car", "polish the poelish car"),
    ],
)
def test_whole_words_by_their_case_the_longest_first(words: Pronunciations, text: str, expected: str) -> None:
    assert said(words, text) == expected


def test_a_language_goes_before_all(words: Pronunciations) -> None:
    assert said(words, "Nguyen und Saoirse", "de-AT") == "wien und seersha"


def test_phonemes_where_the_voice_takes_them(words: Pronunciations) -> None:
    assert said(words, "Saoirse's dog, Nguyen", ipa=True) == "<ˈsɪərʃəz> dog, win"
    # Only IPA is known and the voice takes none: it reads the word as it stands.
    assert said(words, "Joy", "de") == "Joy"
    assert said(words, "Joy", "de", ipa=True) == "<dʒɔʏ>"


def test_a_reader_keeps_the_written_words_and_reads_the_rest() -> None:
    reader = Reader(Pronunciations({"words": (Entry("Nguyen", "win"),)}))

    result = reader.read("Nguyen at 9:30", "en")

    assert result.text == "win at nine thirty"
    assert [result.written[s.written_start : s.written_end].strip() for s in result.spans] == [
        "Nguyen",
        "at",
        "9:30",
    ]


def test_private_characters_of_a_text_never_reach_a_voice() -> None:
    assert Reader().read("\ue000\ue000h@loU\ue001\ue001 you", "en").text == "\ufffd\ufffdh@loU\ufffd\ufffd you"


def test_no_file_is_an_empty_dictionary(tmp_path: Path) -> None:
    assert len(load(tmp_path / "pronunciation.toml")) == 0


def test_the_example_is_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "pronunciation.toml"
    path.write_text(EXAMPLE, "utf-8")
    assert len(load(path)) == 0
    path.write_text("".join(line.removeprefix("# ") if "=" in line or "[" in line else line
                            for line in EXAMPLE.splitlines(keepends=True)), "utf-8")  # fmt: skip
    tomllib.loads(path.read_text("utf-8"))
    assert len(load(path)) == 4


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[words]\nA = 5\n', 2, "write"),
        ('[words]\n\nA = ""\n', 3, "1 to 200"),
        ('[words]\nA = { sya = "x" }\n', 2, "write"),
        ('[words]\nA = "ipa:"\n', 2, "1 to 200"),
        ('[words]\nA = "ipa:a b"\n', 2, "one word"),
        ('[words]\nB = "x"\nA = "\\u0001"\n', 3, "cannot be said"),
        ('[german words]\nA = "b"\n', 1, "TOML"),
        ('["german words"]\nA = "b"\n', 1, "language"),
        ('A = "b"\n', 1, "words"),
        ('[words]\nA = b\n', 2, "TOML"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_told_with_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "pronunciation.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(PersonaError, match=rf"pronunciation\.toml:{line}: .*{message}"):
        load(path)
