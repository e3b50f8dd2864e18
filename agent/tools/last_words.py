"""What is said when a tool ends the call and the model has not said a word itself."""

from __future__ import annotations

GOODBYE = {
    "en": "Goodbye.",
    "de": "Auf Wiederhören.",
    "fr": "Au revoir.",
    "es": "Hasta luego.",
    "it": "Arrivederci.",
    "pt": "Até à próxima.",
    "ja": "失礼いたします。",
    "zh": "再见。",
}
PUT_THROUGH = {
    "en": "I'm putting you through to {short} now.",
    "de": "Ich verbinde Sie jetzt mit {short}.",
    "fr": "Je vous passe {short}.",
    "es": "Le paso con {short}.",
    "it": "Le passo {short}.",
    "pt": "Vou passar a chamada a {short}.",
    "ja": "{short}におつなぎします。",
    "zh": "我现在为您转接{short}。",
}


def in_language(texts: dict[str, str], language: str) -> str:
    """The text in the call's language; English where there is none in it."""
    return texts.get(language.split("-")[0].lower(), texts["en"])
