from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from itertools import pairwise

import pytest

from compliance.redaction import Line, Redactor, masked
from tests.soak.redaction import IDENTIFIERS, LEAST_IDENTIFIERS, LEAST_NAMES, score
from tests.soak.redaction_calls import calls

COUNT = int(os.environ.get("TWIN_SOAK_REDACTIONS", "2000"))


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor()


def test_identifiers_spoken_and_written_are_named_by_their_kind(redactor: Redactor) -> None:
    number = "plus four four two oh seven nine four six oh nine five eight"
    text = f"I'm Priya, it's {number} or priya dot k at gmail dot com."
    assert redactor.redact(text, "en").text == "I'm [name], it's [phone] or [email]."


def test_what_has_check_digits_is_found_by_presidio_too(redactor: Redactor) -> None:
    redacted = redactor.redact("see https://example.org/x or 192.168.1.20, card 4242-4242-4242-4242", "en")
    assert redacted.text == "see [url] or [ip], card [card]"


@pytest.mark.parametrize(
    ("language", "text", "seen"),
    [
        (
            "es",
            "mi número es seis uno dos treinta y cuatro cincuenta y seis setenta y ocho",
            "mi número es [phone]",
        ),
        ("es", "me llamo María Fernández, juan punto perez arroba gmail punto com", "me llamo [name], [email]"),
        (
            "it",
            "il mio numero è tre quattro sette dodici trentaquattro cinquantasei settantotto",
            "il mio numero è [phone]",
        ),
        ("it", "mi chiamo Giulia, giulia punto rossi chiocciola libero punto it", "mi chiamo [name], [email]"),
        (
            "pt",
            "o meu número é nove um dois trinta e quatro cinquenta e seis setenta e oito",
            "o meu número é [phone]",
        ),
        ("zh", "我叫王小明,电话是一三八零零一三八零零零", "我叫[name],电话是[phone]"),
        ("ja", "田中と申します。電話番号は〇九〇一二三四五六七八です", "[name]と申します。電話番号は[phone]です"),
    ],
)
def test_the_other_languages_of_the_twin(redactor: Redactor, language: str, text: str, seen: str) -> None:
    assert redactor.redact(text, language).text == seen


def test_spans_are_in_order_apart_and_make_the_text(redactor: Redactor) -> None:
    chance = random.Random(5)
    said = "at dot plus oh one DE89 4242 john @ . , - my name is Anna straße 12 (x) ’ 〇 ß é born May née www"
    words = [*said.split(), "\n"]
    for _ in range(300):
        text = " ".join(chance.choices(words, k=chance.randrange(30)))
        redacted = redactor.redact(text, chance.choice(("en", "de", "fr", "zh", "xx")))
        assert all(a.end <= b.start for a, b in pairwise(redacted.spans))
        assert all(0 <= span.start < span.end <= len(text) for span in redacted.spans)
        assert masked(text, redacted.spans) == redacted.text


def test_held_out_calls_reach_the_goals() -> None:
    result = score(calls(11, COUNT, held_out=True))
    assert sum(result.planted[kind] for kind in IDENTIFIERS) > COUNT // 3
    assert result.recall(*IDENTIFIERS) >= LEAST_IDENTIFIERS, result.missed[:20]
    assert result.recall("name") >= LEAST_NAMES, result.missed[:20]
    assert result.precision >= 0.9, result.too_much[:20]


def test_a_number_said_over_several_turns_is_found(redactor: Redactor) -> None:
    lines = [
        Line("caller", "It's four two four two."),
        Line("twin", "Yes, go on."),
        Line("caller", "Four two four two."),
        Line("caller", "And 4242 4242."),
    ]
    done = [redacted.text for redacted in redactor.redact_lines(lines, "en")]
    assert done == ["It's [card].", "Yes, go on.", "[card].", "[card]."]


def test_the_callers_own_number_is_known(redactor: Redactor) -> None:
    assert (
        redactor.redact("the last ones are 345678", "en", known=("+4930345678",)).text
        == "the last ones are [phone]"
    )


def test_a_long_text_is_read_to_its_end(redactor: Redactor) -> None:
    text = "nothing here. " * 3_000 + "anna.b@example.com"
    assert redactor.redact(text, "en").text.endswith("nothing here. [email]")


@pytest.mark.parametrize(
    "piece", ["x.", "1 ", "a @ ", "my name is ", "born may ", "de ", "http://", "a.b@", "j o ", "anna "]
)
def test_no_text_takes_time_that_grows_with_its_square(redactor: Redactor, piece: str) -> None:
    def work(size: int) -> int:
        steps = 0

        def count(*_: object) -> None:
            nonlocal steps
            steps += 1

        text = piece * (size // len(piece))
        sys.setprofile(count)
        try:
            redactor.redact(text, "en")
        finally:
            sys.setprofile(None)
        return steps

    redactor.redact(piece, "en")
    assert work(16_000) < 6 * work(4_000)


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Redactor().redact("anna.b@strange.ending.example and www.smith.co.uk", "en").text == "[email] and [url]"


def test_personal_texts_stay_out_of_the_log(redactor: Redactor, caplog: pytest.LogCaptureFixture) -> None:
    redactor.redact("DE89 37O4 0044 GB29NWBK60161331926818 anna@example", "en")
    assert caplog.text == ""


async def test_the_loop_goes_on_while_a_thread_redacts(redactor: Redactor) -> None:
    several = await asyncio.gather(*(redactor.redacted(f"call 0171 23456{i:02}", "de") for i in range(80)))
    assert {redacted.text for redacted in several} == {"call [phone]"}
    redactor.close()
