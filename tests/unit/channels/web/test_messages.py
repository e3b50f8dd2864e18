import json
import random

import pytest

from channels.call import CallEvent, Caption, Notice, Privacy, Refusal, Status
from channels.web import messages
from compliance.errors import BadMessage


def test_what_the_page_says_is_read() -> None:
    assert messages.read('{"type": "ready"}') == messages.Ready()
    assert messages.read('{"type": "alive"}') == messages.Alive()
    assert messages.read('{"type": "hang_up"}') == messages.HangUp()
    assert messages.read('{"type": "text", "text": "Hello"}') == messages.Typed("Hello")
    assert messages.read('{"type": "digit", "digit": "#"}') == messages.Digit("#")
    yes = '{"type": "consent", "purpose": "recording", "yes": true}'
    assert messages.read(yes) == messages.Consent("recording", yes=True)
    assert messages.read('{"type": "wish", "wish": "forget_me"}') == messages.Wished("forget_me")


@pytest.mark.parametrize(
    "message",
    [
        b"\x00\x01",
        "",
        "nonsense",
        "[" * 10_000,
        "[]",
        "7",
        '{"type": "ready"',
        '{"type": "unknown"}',
        '{"type": ["ready"]}',
        '{"type": "text"}',
        '{"type": "text", "text": 7}',
        '{"type": "text", "text": "   "}',
        json.dumps({"type": "text", "text": "x" * 2_001}),
        json.dumps({"type": "text", "text": "x" * 100_000}),
        '{"type": "digit", "digit": "12"}',
        '{"type": "digit", "digit": "E"}',
        '{"type": "consent", "purpose": "recording", "yes": "true"}',
        '{"type": "consent", "purpose": "recording", "yes": 1}',
        '{"type": "consent", "purpose": "everything", "yes": true}',
        '{"type": "consent", "yes": true}',
        '{"type": "wish", "wish": "anything"}',
    ],
)
def test_junk_is_refused(message: object) -> None:
    with pytest.raises(BadMessage):
        messages.read(message)


def test_the_longest_text_fits_however_it_is_escaped() -> None:
    text = "\U0001f600" * 2_000

    assert messages.read(json.dumps({"type": "text", "text": text})) == messages.Typed(text)


def test_ten_thousand_broken_messages_raise_nothing_but_bad_message() -> None:
    dice = random.Random(7)
    whole = '{"type": "text", "text": "Hello there", "turn": [1, 2, {"x": null}]}'
    said: list[messages.FromPage] = []
    refused: list[str] = []
    for _ in range(10_000):
        broken = "".join(dice.choice(whole) for _ in range(dice.randrange(60)))
        try:
            said.append(messages.read(broken))
        except BadMessage as error:
            refused.append(error.message)

    assert len(said) + len(refused) == 10_000
    assert not any("\n" in line for line in refused)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            Caption("twin", "Hello", 3),
            {"type": "caption", "who": "twin", "text": "Hello", "turn": 3, "final": False},
        ),
        (Privacy("kept", "off"), {"type": "privacy", "words": "kept", "sound": "off"}),
        (Status("thinking"), {"type": "status", "state": "thinking"}),
        (
            Notice("fallback", "Taking a message."),
            {"type": "notice", "code": "fallback", "text": "Taking a message."},
        ),
    ],
)
def test_the_page_is_told_what_happens(event: CallEvent, expected: dict[str, object]) -> None:
    assert json.loads(messages.event(event)) == expected


def test_the_page_is_told_why_it_ends() -> None:
    assert json.loads(messages.refused(Refusal("draining", "Going home."))) == {
        "type": "refused",
        "code": "draining",
        "text": "Going home.",
    }
    assert json.loads(messages.ended("caller_left")) == {"type": "ended", "reason": "caller_left"}
