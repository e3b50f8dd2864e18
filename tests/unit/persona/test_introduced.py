"""How people say who they are, and which names may be one person's."""

from __future__ import annotations

import pytest

from persona.introduced import Another, name_given, question, same_name, says_it_is_still_them, speaks_for_another


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("Hi, this is Anna", "en", "Anna"),
        ("hi this is anna schmidt calling about the invoice", "en", "Anna Schmidt"),
        ("Anna here", "en", "Anna"),
        ("Hello, this is Anna, is Martin in?", "en", "Anna"),
        ("Hello? Who is this? This is Anna.", "en", "Anna"),
        ("Anna Schmidt speaking", "en", "Anna Schmidt"),
        ("Good morning, Dr. Miller here", "en", "Miller"),
        ("I'm Tom Weber from Siemens", "en", "Tom Weber"),
        ("My name is Xiomara Quell", "en", "Xiomara Quell"),
        ("My name is Ursula von der Leyen", "en", "Ursula von der Leyen"),
        ("Yes, it's me, Anna.", "en", "Anna"),
        ("Hier ist die Anna", "de", "Anna"),
        ("Schmidt am Apparat", "de", "Schmidt"),
        ("Mein Name ist Dr. Gerda Müller", "de", "Gerda Müller"),
        ("Hier ist Anna Schmidt von Siemens", "de", "Anna Schmidt"),
        ("Bonjour, je m'appelle Claire Dubois", "fr", "Claire Dubois"),
        ("Hola, soy Carlos García", "es", "Carlos García"),
        ("Ciao, sono Giulia Rossi", "it", "Giulia Rossi"),
        ("Aqui é o João Silva", "pt", "João Silva"),
        ("你好，我叫王伟", "zh", "王伟"),
        ("田中と申します", "ja", "田中"),
        ("I'm sorry", "en", ""),
        ("I'm calling about Anna", "en", ""),
        ("this is Anna's order", "en", ""),
        ("Is this Anna?", "en", ""),
        ("You are Martin", "en", ""),
        ("I said this is Anna", "en", ""),
        ("this is great", "en", ""),
        ("I'm German", "en", ""),
        ("It's Monday", "en", ""),
        ("I am the owner", "en", ""),
        ("Ich bin müde", "de", ""),
        ("Ich bin Lehrerin", "de", ""),
        ("Ich bin die Frau von Tom", "de", ""),
        ("Soy yo", "es", ""),
        ("", "en", ""),
    ],
)
def test_who_introduces_themselves_is_found_and_who_is_spoken_of_is_not(
    text: str, language: str, name: str
) -> None:
    assert name_given(text, language) == name


@pytest.mark.parametrize(("text", "name"), [("Anna", "Anna"), ("It's Anna, hi", "Anna"), ("Mrs. Smith", "Smith")])
def test_a_name_alone_counts_only_as_an_answer(text: str, name: str) -> None:
    assert name_given(text, "en", asked=True) == name
    assert name_given(text.replace("It's ", ""), "en") == ""


@pytest.mark.parametrize("text", ["Anna's order", "about the invoice", "no", "I don't want to say", "why", "Sure"])
def test_not_every_answer_is_a_name(text: str) -> None:
    assert name_given(text, "en", asked=True) == ""


@pytest.mark.parametrize(
    ("said", "stored", "same"),
    [
        ("Anna", "Anna Schmidt", True),
        ("Schmidt", "Anna Schmidt", True),
        ("Ana Schmitt", "Anna Schmidt", True),
        ("Anna Schmidt", "Anna", True),
        ("Dr. Schmidt", "Anna Schmidt", True),
        ("Catherine", "Katharine", True),
        ("Meyer", "Maier", True),
        ("Mueller", "Müller", True),
        ("Stephen", "Steven", True),
        ("Sara", "Sarah", True),
        ("Christine", "Christina", True),
        ("Anna Weber", "Anna Schmidt", False),
        ("Tom Schmidt", "Anna Schmidt", False),
        ("Tom", "Anna Schmidt", False),
        ("Jan", "Jon", False),
        ("Maria", "Marie", False),
        ("Mark", "Martin", False),
        ("", "Anna", False),
        ("Anna", "", False),
    ],
)
def test_names_are_compared_by_sound(said: str, stored: str, same: bool) -> None:
    assert same_name(said, stored) is same


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("No, this is her husband.", "en", ""),
        ("No, this is her husband Tom.", "en", "Tom"),
        ("You've got the wrong person.", "en", ""),
        ("I just got this number.", "en", ""),
        ("Nein, hier ist ihr Mann.", "de", ""),
        ("Nein, hier ist ihr Mann Tom.", "de", "Tom"),
        ("Non, c'est son mari.", "fr", ""),
        ("No, soy su marido.", "es", ""),
        ("No, sono suo marito.", "it", ""),
        ("Não, sou o marido dela.", "pt", ""),
        ("我不是她", "zh", ""),
        ("本人ではありません", "ja", ""),
    ],
)
def test_who_speaks_for_another_says_so(text: str, language: str, name: str) -> None:
    assert speaks_for_another(text, language) == Another(sure=True, name=name)


@pytest.mark.parametrize(("text", "language"), [("I'm his sister.", "en"), ("Hier ist seine Schwester.", "de")])
def test_kin_may_be_the_owners(text: str, language: str) -> None:
    assert speaks_for_another(text, language) == Another(sure=False)


@pytest.mark.parametrize(("text", "language"), [("She's not here right now.", "en"), ("Sie ist nicht da.", "de")])
def test_some_answers_mean_it_only_as_answers(text: str, language: str) -> None:
    assert speaks_for_another(text, language, asked=True) == Another(sure=True)
    assert speaks_for_another(text, language) is None


@pytest.mark.parametrize(
    "text",
    ["This is Anna.", "I live here.", "Is he in?", "", "I'm calling about my number.", "This is his fault."],
)
def test_who_does_not_is_left_alone(text: str) -> None:
    assert speaks_for_another(text, "en") is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Yes, it's me.", "en"),
        ("Speaking.", "en"),
        ("Ja, am Apparat.", "de"),
        ("Ich bin's.", "de"),
        ("是我", "zh"),
    ],
)
def test_it_is_still_me(text: str, language: str) -> None:
    assert says_it_is_still_them(text, language)
    assert name_given(text, language, asked=True) == ""


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt", "zh", "ja", "pt-BR"])
def test_the_twin_can_ask_in_every_language(language: str) -> None:
    wordings = {question(key, language) for key in ("who_is_calling", "which_name")}
    assert len(wordings) == 2
    assert all(wordings)


def test_a_language_without_words_of_its_own_is_asked_in_english() -> None:
    assert question("who_is_calling", "sv") == question("who_is_calling", "en")
