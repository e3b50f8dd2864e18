"""Taking leave, as people do it on the telephone, and what only sounds like it."""

from __future__ import annotations

import pytest

from compliance.language.leaving import leaving


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Okay, thank you very much. Goodbye.", "en"),
        ("Bye!", "en-GB"),
        ("that's all thanks", "en"),
        ("no that was everything, have a nice day", "en"),
        ("I have to go now", "en"),
        ("Vielen Dank, auf Wiederhören", "de"),
        ("Tschüss", "de"),
        ("Nein danke, das war's", "de"),
        ("Merci, au revoir", "fr"),
        ("gracias, hasta luego", "es"),
        ("grazie, arrivederci", "it"),
        ("obrigado, até logo", "pt"),
        ("ありがとうございました。失礼します。", "ja"),
        ("好的,谢谢,再见", "zh"),
    ],
)
def test_a_goodbye(text: str, language: str) -> None:
    assert leaving(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What time do you say goodbye?", "en"),
        ("I said goodbye to my dog last week", "en"),
        ("Tell him goodbye from me and that the roof is leaking again since Monday, it is really bad now", "en"),
        ("I have a good day planned", "en"),
        ("Wann ist auf Wiederhören dran?", "de"),
        ("Bis morgen brauche ich das", "de"),
        ("再见面的时候告诉他", "zh"),
        ("", "en"),
        ("Bye", "tlh"),
    ],
)
def test_no_goodbye(text: str, language: str) -> None:
    assert not leaving(text, language)
