"""Make `sentences.json`: the phones of some hundred sentences in nine languages, as espeak-ng speaks them.

    python -m tests.unit.avatar.make_sentences

Each sentence is its language, its text and its phones in order, each with its length in milliseconds; a phone
that is empty is a pause.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import aclosing
from pathlib import Path

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from channels.spoken import Phoneme

SENTENCES = Path(__file__).with_name("sentences.json")
PER_LANGUAGE = 40
SEED = 5

# First, middle and last parts of sentences, any with any.
PARTS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "en": (
        ["My mother", "Bob from the pub", "A brave fisherman", "The wise old vet", "Somebody", "Who"],
        ["put the purple umbrella", "probably found five apples", "gave me a big map", "wants to move the sofa",
         "thinks about both", "bought the cheapest van"],
        ["by the bridge.", "at half past five, perhaps.", "before we meet?", "into the room above!", "with them."],
    ),
    "de": (
        ["Meine Mama", "Der Briefträger", "Ein müder Papagei", "Frau Pfeiffer", "Wer von euch"],
        ["bringt am Abend Äpfel mit", "möchte über das Problem sprechen", "vergaß fünf Bücher",
         "pflückt im Mai Blumen"],
        ["bis übermorgen.", "und ruft uns an.", "bei bestem Wetter!", "auf dem Bahnhof?", "für die Bäume."],
    ),
    "fr": (
        ["Mon frère", "Une femme de ménage", "Le boulanger", "Philippe", "Personne"],
        ["apporte un beau bouquet", "veut parler avec vous", "a bu mon vin blanc", "prend le premier bus"],
        ["en février.", "à Bordeaux, peut-être.", "pour la maman de Paul !", "avant midi ?", "devant la fenêtre."],
    ),
    "es": (
        ["Mi hermano", "Una mujer valiente", "El panadero", "Pablo", "Nadie"],
        ["compra un buen libro", "vive en un pueblo bonito", "viaja por todo el mundo", "bebe mucho vino"],
        ["por favor.", "en febrero, tal vez.", "con su familia.", "antes de comer?", "y vuelve al trabajo."],
    ),
    "it": (
        ["Mia mamma", "Il fornaio", "Una bambina", "Il vecchio professore"],
        ["beve un buon vino", "prepara la pappa", "vuole comprare un ombrello", "guarda gli gnomi"],
        ["prima di mezzogiorno.", "per favore.", "davanti alla finestra!", "in giugno?", "con il papà."],
    ),
    "pt": (
        ["Minha mãe", "O padeiro", "Um amigo meu", "A vovó"],
        ["comprou um bom pão", "fala muito bem", "vai passar por aqui", "bebe um copo de vinho"],
        ["em fevereiro.", "por favor.", "amanhã de manhã!", "com a família?", "na ponte."],
    ),
    "ja": (
        ["ままは", "ぼくは", "ともだちが", "ふゆに"],
        ["みかんをたべました", "ほんをよみます", "ばんごはんをつくります", "ぷーるでおよぎます"],
        ["。", "か。", "よ！", "ね。"],
    ),
    "zh": (
        ["妈妈", "我的朋友", "爸爸", "飞机"],
        ["买了一把雨伞", "八点半来", "不怕冷", "跑得很快"],
        ["。", "吗？", "！", "吧。"],
    ),
    "pl": (
        ["Moja mama", "Pan Piotr", "Babcia", "Mały chłopiec"],
        ["kupiła biały parasol", "mówi o pięknym filmie", "wypił pół butelki wody", "pamięta wszystko"],
        ["w maju.", "przed obiadem?", "bo pada deszcz.", "i bawi się dobrze!"],
    ),
}  # fmt: skip


def texts(language: str) -> list[str]:
    """The sentences of one language, always the same."""
    first, middle, last = PARTS[language]
    blank = "" if language in ("ja", "zh") else " "
    whole = [blank.join((a, b, c)).replace(f"{blank}。", "。") for a in first for b in middle for c in last]
    return random.Random(SEED).sample(whole, min(PER_LANGUAGE, len(whole)))


async def phones_of(voice: Espeak, text: str, language: str) -> list[Phoneme]:
    phones: list[Phoneme] = []
    async with aclosing(voice.speak(text, language=language)) as chunks:
        async for chunk in chunks:
            phones += chunk.phonemes
    return phones


async def main() -> None:
    voice = Espeak(EngineConfig(name="espeak", language="en"))
    await voice.start()
    sentences = []
    for language in PARTS:
        for text in texts(language):
            line: list[str] = []
            at_ms = 0.0
            for phone in await phones_of(voice, text, language):
                if phone.start_ms - at_ms >= 1:
                    line.append(f":{phone.start_ms - at_ms:.0f}")
                line.append(f"{phone.ipa}:{phone.end_ms - phone.start_ms:.0f}")
                at_ms = phone.end_ms
            sentences.append([language, text, " ".join(line)])
    await voice.close()
    lines = ",\n".join(json.dumps(sentence, ensure_ascii=False) for sentence in sentences)
    SENTENCES.write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
