"""IPA in, and the same IPA back from the real espeak-ng."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.ipa import marked, mnemonics, unmarked
from agent.engines.voice.written import speakable
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken


@pytest.fixture
async def voice() -> AsyncIterator[Espeak]:
    voice = Espeak(EngineConfig(name="espeak"))
    await voice.start()
    yield voice
    await voice.close()


@pytest.mark.parametrize(
    ("language", "ipa"),
    [
        ("en", "wˈɪn"),
        ("en", "ʃɪvˈɔːn"),
        ("en", "kˈiːvə"),
        ("en", "tʃˈaʊ"),
        ("en", "ðˈʌɡ"),
        ("de", "ʃtˈuːlə"),
        ("de", "mˈʏləhˈøːlə"),
        ("de", "hˈɔøzə"),
        ("fr", "bɔ̃ʒˈuʁ"),
        ("es", "xosˈe"),
        ("es", "pˈeɾo"),
        ("it", "tʃˈao"),
        ("it", "fˈiʎo"),
        ("pt", "avˈɔ"),
    ],
)
async def test_espeak_says_the_ipa_it_is_given(voice: Espeak, language: str, ipa: str) -> None:
    word = voice.phonemes(ipa, language)
    assert word is not None
    sentence = await spoken(voice, f"{word} {word}", language)

    keeps_the_contract(sentence, f"{word} {word}")
    said = "".join(p.ipa for p in sentence.phonemes)
    assert said.replace("ˈ", "") == (ipa + ipa).replace("ˈ", "")


def test_a_sign_that_is_not_known_is_told() -> None:
    assert mnemonics("ʘa", "en") is None
    assert marked("", "en") is None
    assert mnemonics("/ˈsɪ.və/", "en") == "'sIv@"


@pytest.mark.parametrize(
    "text",
    ["\ue000\ue000", "\ue000\ue000a b\ue001\ue001", "\ue000\ue000[[\ue001\ue001", "\ue001\ue001x\ue000\ue000"],
)
def test_marks_that_are_not_whole_are_nothing(text: str) -> None:
    assert "\ue000" not in unmarked(text, speakable(text))
    assert len(unmarked(text, speakable(text))) == len(text)


async def test_brackets_beside_phonemes_are_not_obeyed(voice: Espeak) -> None:
    word = voice.phonemes("wˈɪn", "en")
    sentence = await spoken(voice, f"{word} [[h@loU]]")

    assert "həlˈoʊ" not in "".join(p.ipa for p in sentence.phonemes)
