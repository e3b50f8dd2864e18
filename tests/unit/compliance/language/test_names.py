from __future__ import annotations

import pytest

from compliance.language.names import names, spelled
from compliance.language.spoken_forms import atoms


def covered(text: str, language: str, known: tuple[str, ...] = ()) -> str:
    hidden = {i for span in names(text, language, known) for i in range(span.start, span.end)}
    return "".join("#" if i in hidden else c for i, c in enumerate(text))


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("en", "My name is Xiomara Quillfeather and I'm calling.", "Xiomara Quillfeather"),
        ("en", "this is gudrun oberhauser calling from the office", "gudrun oberhauser"),
        ("en", "Yes, Kwame Featherstone speaking.", "Kwame Featherstone"),
        ("en", "Ask Dr. Ashdown about it.", "Ashdown"),
        ("en", "I gave it to Margaret yesterday.", "Margaret"),
        ("en", "could you tell him margaret doyle called", "margaret doyle"),
        ("de", "Hier ist Müller, guten Tag.", "Müller"),
        ("de", "ich heiße Özlem Kaltenbach", "Özlem Kaltenbach"),
        ("de", "Frau von der Heide hat angerufen.", "von der Heide"),
        ("de", "ja pfeffermann am apparat", "pfeffermann"),
        ("fr", "je m'appelle Amandine Lecorre", "Amandine Lecorre"),
        ("fr", "C'est Jean-Luc Delacroix à l'appareil.", "Jean-Luc Delacroix"),
        ("fr", "le rendez-vous est au nom de solène bouchard", "solène bouchard"),
    ],
)
def test_names_are_found_by_how_they_are_introduced(language: str, text: str, name: str) -> None:
    assert "#" * len(name) in covered(text, language)
    assert covered(text, language).count("#") <= len(name) + 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I'm sure this is important, and I will call in May."),
        ("en", "i am calling about the hill and the baker"),
        ("en", "It's raining in London."),
        ("de", "Ich bin Student und rufe wegen des Termins an."),
        ("de", "Das ist mir wichtig, die Rechnung ist falsch."),
        ("fr", "Je suis contente, c'est parfait."),
        ("fr", "Il pleut à Lyon et le train est en retard."),
    ],
)
def test_ordinary_sentences_stay_whole(language: str, text: str) -> None:
    assert covered(text, language) == text


def test_the_people_of_the_call_are_known_in_any_case_and_in_parts() -> None:
    text = "so quillon said it, and parr's wife too"
    assert covered(text, "en", ("Quillon Parr",)) == "so ####### said it, and ###### wife too"


def test_a_spelled_word_is_covered() -> None:
    text = "that's K A L T E N B A C H, not B M W"
    assert [text[s.start : s.end] for s in spelled(atoms(text, "en"))] == ["K A L T E N B A C H"]
