"""How words feel, and how that shows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from avatar.controls import CONTROLS, Control
from avatar.mood import Mood, tone_of
from avatar.scene import Scene
from avatar.temper import Temper
from tests.unit.avatar.talk import said


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("I am so happy for you, congratulations!", 0.7, 1.0),
        ("I am sorry, he died yesterday.", -1.0, -0.8),
        ("I am glad that he died in peace", -1.0, -0.6),
        ("That is not good.", -0.5, -0.1),
        ("No problem at all.", 0.3, 0.8),
        ("The train leaves at nine.", 0.0, 0.0),
        ("Das freut mich sehr, kein Problem.", 0.5, 1.0),
        ("Das ist leider schlimm.", -1.0, -0.5),
        ("Mein Beileid zum Tod Ihres Vaters.", -1.0, -0.8),
        ("C'est formidable, bravo à vous !", 0.7, 1.0),
        ("Je suis désolé, il est décédé.", -1.0, -0.8),
        ("Me alegro mucho, es estupendo.", 0.7, 1.0),
        ("Lo siento mucho, ha muerto mi padre.", -1.0, -0.8),
        ("Complimenti, è una notizia meravigliosa.", 0.7, 1.0),
        ("Mi dispiace, purtroppo è morto.", -1.0, -0.8),
        ("Parabéns, que notícia maravilhosa.", 0.7, 1.0),
        ("Infelizmente ele faleceu ontem.", -1.0, -0.8),
        ("おめでとうございます、素晴らしいですね", 0.7, 1.0),
        ("残念ですが、昨日亡くなりました", -1.0, -0.8),
        ("恭喜，太好了", 0.7, 1.0),
        ("对不起，他去世了", -1.0, -0.8),
        ("没问题", 0.3, 0.8),
        ("well then 🎉", 0.6, 1.0),
        ("well then 💔", -1.0, -0.6),
        ("", 0.0, 0.0),
        ("1234 ... !!!", 0.0, 0.0),
    ],
)
def test_the_mood_of_words(text: str, low: float, high: float) -> None:
    assert low <= tone_of(text).valence <= high


def test_shouting_for_joy_is_more_than_saying_so() -> None:
    assert tone_of("wonderful!!!").arousal > tone_of("wonderful").arousal


def _smiles(text: str, until_ms: float = 12_000.0, temper: Temper | None = None) -> dict[str, list[float]]:
    mood, scene = Mood(1, temper or Temper()), Scene()
    scene.phrase(1, 1_000.0, said(text))
    shown: dict[str, list[float]] = {"smile": [], "inner": [], "frown": []}
    for t_ms in np.arange(0.0, until_ms, 40.0):
        values = [0.0] * CONTROLS
        mood.add(values, 0.0, scene.moment(float(t_ms)))
        shown["smile"].append(values[Control.SMILE_LEFT])
        shown["inner"].append(values[Control.BROW_INNER_UP])
        shown["frown"].append(values[Control.FROWN_LEFT])
    return shown


def test_the_resting_face_is_friendly() -> None:
    assert all(0.03 < smile < 0.25 for smile in _smiles("The train leaves at nine.")["smile"])


def test_good_news_brings_a_smile_that_comes_and_goes_gently() -> None:
    smile = _smiles("This is wonderful news, congratulations to you all!")["smile"]
    assert 0.35 < max(smile) <= 0.85
    assert max(abs(b - a) for a, b in pairwise(smile)) < 0.1
    assert smile[-1] == pytest.approx(smile[0], abs=0.06)


@pytest.mark.parametrize("joy", ["", "We had a wonderful and fantastic time, thanks! "])
def test_nobody_grins_at_a_death(joy: str) -> None:
    shown = _smiles(joy + "He died yesterday and the funeral is soon.")
    words = said(joy + "He died yesterday and the funeral is soon.")
    from_ms = 1_000.0 + next(word for word in words if word.text == "He").start_ms + 700.0
    told = slice(int(from_ms / 40.0), int((1_000.0 + words[-1].end_ms) / 40.0))
    assert max(shown["smile"][told]) < 0.02
    assert max(shown["inner"][told]) > 0.2
    assert max(shown["frown"]) <= 0.2


def test_a_face_without_emotion_keeps_its_resting_smile() -> None:
    assert max(_smiles("This is wonderful!", temper=Temper(emotion=0.0))["smile"]) < 0.25


def test_rounded_lips_smile_less() -> None:
    values, rounded, scene = [0.0] * CONTROLS, [0.0] * CONTROLS, Scene()
    Mood(1, Temper()).add(values, 0.0, scene.moment(0.0))
    Mood(1, Temper()).add(rounded, 1.0, scene.moment(0.0))
    assert rounded[Control.SMILE_LEFT] < 0.5 * values[Control.SMILE_LEFT]
