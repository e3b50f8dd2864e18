"""What every caller hears first, what else is fixed, and that no file can take it away."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from compliance.disclosure import Kept, built_in, disclosure, find_word, languages, load
from compliance.errors import SettingsError
from compliance.language.intents import claims_human

OWNER = "Ada Lovelace"
ALWAYS_AI = ("text", "short", "chat", "human", "reminder", "handover", "label", "participant")
TEXT = "Hello, this is an AI, the digital twin of {owner}. {kept}"


def says_ai(text: str, language: str) -> bool:
    return any(find_word(word, text) is not None for word in built_in().ai_words[language])


def test_the_languages_are_those_that_are_promised() -> None:
    assert languages() == ("en", "de", "fr", "es", "it", "pt", "ja", "zh")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kept", ["words", "nothing"])
def test_it_says_that_it_is_an_ai_whose_and_what_is_kept(language: str, kept: Kept) -> None:
    texts = disclosure(language, owner=OWNER, kept=kept)
    table = built_in().tables[language]
    assert texts.language == language
    assert table[f"kept_{kept}"] in texts.text
    assert table[f"noted_{kept}"] in texts.short
    for key in ALWAYS_AI:
        text = getattr(texts, key)
        assert says_ai(text, language), key
        assert OWNER in text, key


@pytest.mark.parametrize("language", languages())
def test_only_the_number_of_a_request_is_left_open(language: str) -> None:
    texts = disclosure(language, owner=OWNER)
    for key in built_in().tables[language]:
        if hasattr(texts, key):
            left = ["{number}"] if key in ("forget_taken", "access_taken") else []
            assert re.findall(r"\{.*?\}", getattr(texts, key)) == left, key
    assert "R-7K3M" in texts.forget_taken.replace("{number}", "R-7K3M")


@pytest.mark.parametrize("language", languages())
def test_no_fixed_text_makes_a_person_of_it(language: str) -> None:
    texts = disclosure(language, owner=OWNER)
    for key in built_in().tables[language]:
        if hasattr(texts, key):
            assert not claims_human(getattr(texts, key), language, owner=OWNER), key


def test_the_chinese_label_says_that_it_is_generated() -> None:
    texts = disclosure("zh", owner=OWNER)
    for text in (texts.text, texts.label, texts.chat):
        assert "AI" in text or "人工智能" in text
        assert "生成" in text


@pytest.mark.parametrize("kept", ["words", "nothing"])
async def test_what_cannot_be_interrupted_is_short(kept: Kept) -> None:
    voice = Espeak(EngineConfig(name="espeak", language="en"))
    await voice.start()
    try:
        # espeak-ng has no kanji: it names each as "Chinese letter". Japanese is measured in other voices.
        for language in set(languages()) - {"ja"}:
            texts = disclosure(language, owner="王小明" if language == "zh" else "Martin Alder", kept=kept)
            assert await seconds(voice, texts.text, language) <= 8.0, language
            assert await seconds(voice, texts.short, language) <= 5.0, language
    finally:
        await voice.close()


async def seconds(voice: Espeak, text: str, language: str) -> float:
    return sum([len(chunk.pcm) / 2 / chunk.rate_hz async for chunk in voice.speak(text, language=language)])


@pytest.mark.parametrize(
    ("asked", "given"),
    [("de", "de"), ("de-CH", "de"), ("DE", "de"), ("pt-BR", "pt"), ("zh_TW", "zh"), ("xx", "en"), ("dated", "en")],
)
def test_the_nearest_language_is_taken(asked: str, given: str) -> None:
    assert disclosure(asked, owner="Ada").language == given


def test_the_owners_name_is_never_a_template() -> None:
    texts = disclosure("en", owner="{0.__class__} {kept}")
    assert "the digital twin of {0.__class__} {kept}" in texts.text


def test_the_version_names_the_date_and_the_very_words(tmp_path: Path) -> None:
    before = disclosure("en", owner="Ada").version
    assert before == disclosure("en", owner="Somebody Else", kept="nothing").version
    assert before.startswith(built_in().dated.isoformat())
    (tmp_path / "en.toml").write_text('dated = 2026-12-24\n[en]\nhelp = "What can I do for you?"\n')
    after = disclosure("en", owner="Ada", texts=load(tmp_path)).version
    assert after.startswith("2026-12-24:")
    assert after.split(":")[1] != before.split(":")[1]


# ---- files of one's own


def file(folder: Path, language: str, **texts: str) -> Path:
    lines = [f"dated = 2026-11-22\n[{language}]"]
    lines += [f'{key} = "{text}"' for key, text in texts.items()]
    path = folder / "own.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_without_a_folder_the_built_in_texts_are_taken(tmp_path: Path) -> None:
    assert load(tmp_path / "disclosure") == built_in()


def test_a_text_may_be_reworded(tmp_path: Path) -> None:
    file(tmp_path, "en", text="Good day, an AI speaks, made after {owner}. {kept}")
    texts = disclosure("en", owner="Ada", texts=load(tmp_path))
    assert texts.text.startswith("Good day, an AI speaks, made after Ada.")
    assert texts.human == disclosure("en", owner="Ada").human


def test_a_language_may_be_added(tmp_path: Path) -> None:
    whole = {**built_in().tables["en"]}
    whole["text"] = "Hallo, dit is een AI, de digitale tweeling van {owner}. {kept}"
    file(tmp_path, "nl", **{key: text.replace('"', "'") for key, text in whole.items()})
    texts = load(tmp_path)
    assert texts.languages[-1] == "nl"
    assert disclosure("nl-BE", owner="Ada", texts=texts).text.startswith("Hallo, dit is een AI")


REFUSED = {
    "Hello, this is the digital twin of {owner}. {kept}": "must say in its first words that this is an AI",
    "Hello, this is an AI, a digital twin. {kept}": "must hold {owner}",
    "Hello, this is an AI, the digital twin of {owner}.": "must hold {kept}",
    "Hello, this is not an AI, this is {owner}. {kept}": "must say in its first words",
    "Hello, I am no AI but {owner}. {kept}": "must say in its first words",
    "Is this an AI? It is {owner}. {kept}": "must say in its first words",
    "This call of {owner} is AI-free. {kept}": "must say in its first words",
    "I am a human being, {owner}, with an AI. {kept}": "this is a person",
    "Hello, how nice that you call, I hope that you are well on this fine day. Here is {owner}. An AI. {kept}":
        "must say in its first words",
    "Hello, said the aide of {owner}. {kept}": "must say in its first words",
    "An AI {owner} {kept} {secret}": "{secret} is not filled in",
    "An AI, the digital twin of {owner}. {kept} " + "More to say. " * 10: "too long",
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), REFUSED.items())
def test_a_disclosure_that_does_not_disclose_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = file(tmp_path, "en", text=text)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert caught.value.message.startswith(f"{path}: [en] text: ")
    assert why in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Guten Tag, hier spricht keine KI, sondern {owner}. {kept}"),
        ("fr", "Bonjour, ce n'est pas une IA, c'est {owner}. {kept}"),
        ("es", "Hola, no soy una IA, soy {owner}. {kept}"),
        ("it", "Buongiorno, non sono un'IA, sono {owner}. {kept}"),
        ("pt", "Olá, não sou uma IA, sou {owner}. {kept}"),
        ("ja", "こんにちは、AIではありません、{owner}です。{kept}"),
        ("zh", "您好，我不是AI，我是{owner}。{kept}"),
    ],
)
def test_a_denial_is_refused_in_every_language(tmp_path: Path, language: str, text: str) -> None:
    file(tmp_path, language, text=text)
    with pytest.raises(SettingsError, match=r"must say in its first words|this is a person"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[en]\nhelp = 'Hm?'", "write the date"),
        ("dated = 2026-11-22T10:00:00\n[en]\nhelp = 'Hm?'", "write the date"),
        ("dated = 2026-11-22\n[en]\nhelp = 1", "must be a text"),
        ("dated = 2026-11-22\n[en]\nhelp = ' '", "must be a text"),
        ("dated = 2026-11-22\n[en]\nhepl = 'Hm?'", "there is no such text"),
        ("dated = 2026-11-22\n[nl]\nhelp = 'Hm?'", "a new language needs every text"),
        ("dated = 2026-11-22\n[ai_words]\nen = ['person']", "must be a table named by a language"),
        ("dated = 2026-11-22\nen = 'off'", "must be a table named by a language"),
        ("dated = ", "cannot be read as TOML"),
    ],
)
def test_a_broken_file_says_what_to_do(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "own.toml").write_text(content)
    with pytest.raises(SettingsError, match=why):
        load(tmp_path)


def test_no_file_of_five_hundred_turns_the_disclosure_off(tmp_path: Path) -> None:
    """Whatever is accepted still says, in each text that must, that it is an AI and no person."""
    keys = ("text", "short", "human", "reminder", "handover", "label", "participant", "chat")
    tricks = (
        "{owner} here. {kept}{noted}", "I am {owner}. {kept}{noted}", "Not an AI: {owner}. {kept}{noted}",
        "This is no AI, {owner} speaks. {kept}{noted}", "A person, {owner}, not an AI. {kept}{noted}",
        "AI? No, {owner} in person. {kept}{noted}", "We never use AI, says {owner}. {kept}{noted}",
        "Without AI, the real {owner}. {kept}{noted}", "AI-free call of {owner}. {kept}{noted}",
        "I am human, not an AI, {owner}. {kept}{noted}", "{owner} said, again and again: AI. {kept}{noted}",
        "ai ai ai {owner}. {kept}{noted}", "Aiko speaks for {owner}. {kept}{noted}", "A I {owner} {kept}{noted}",
        "Virtual assistant of {owner}. {kept}{noted}", "Voice of {owner}. {kept}{noted}",
        "Hello from {owner}, who likes AI. I am a real person. {kept}{noted}", "OFF {owner} {kept}{noted}",
        "<!-- AI --> {owner}. {kept}{noted}", "{owner}'s line, not AI generated. {kept}{noted}",
        "Digital twin of {owner}. {kept}{noted}", "I'm not an artificial intelligence, {owner}. {kept}{noted}",
    )  # fmt: skip
    forms: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower)
    tried = refused = 0
    for number, (key, trick, form) in enumerate(itertools.product(keys, tricks, forms)):
        text = form(trick).replace("{OWNER}", "{owner}").replace("{KEPT}", "{kept}").replace("{NOTED}", "{noted}")
        text = text if key in ("text", "chat") else text.replace("{kept}", "")
        text = text if key == "short" else text.replace("{noted}", "")
        folder = tmp_path / str(number)
        folder.mkdir()
        file(folder, "en", **{key: text})
        tried += 1
        try:
            texts = load(folder)
        except SettingsError:
            refused += 1
        else:
            said = getattr(disclosure("en", owner=OWNER, texts=texts), key)
            assert says_ai(said, "en"), said
            assert not claims_human(said, "en"), said
            assert not re.search(r"(?i)\b(no|not|without|never)\b[^.]*\bAI\b", said), said
    assert tried >= 500
    assert refused >= 0.9 * tried
