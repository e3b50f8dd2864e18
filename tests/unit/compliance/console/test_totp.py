"""Codes of an authenticator app."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyotp
import pytest

from compliance.console.totp import STEP_S, matching_step, new_secret, qr_svg, qr_text, uri

# RFC 6238, appendix B: the secret and times of its SHA-1 test vectors; codes of six digits are their last six.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("now_s", "code"), RFC)
def test_codes_are_those_of_the_standard(now_s: int, code: str) -> None:
    assert matching_step(RFC_SECRET, code, now_s=now_s, last_step=None) == now_s // STEP_S


def test_a_clock_that_is_half_a_minute_off_is_forgiven_and_no_more() -> None:
    code, step = "081804", 1111111109 // STEP_S
    found = [
        matching_step(RFC_SECRET, code, now_s=1111111109 + i * STEP_S, last_step=None) for i in (-2, -1, 1, 2)
    ]
    assert found == [None, step, step, None]


def test_a_code_is_refused_once_it_or_a_later_one_was_used() -> None:
    step = 59 // STEP_S
    assert matching_step(RFC_SECRET, "287082", now_s=59, last_step=step - 1) == step
    assert matching_step(RFC_SECRET, "287082", now_s=59, last_step=step) is None
    assert matching_step(RFC_SECRET, "287082", now_s=59, last_step=step + 1) is None


@pytest.mark.parametrize(
    "code", ["", "28708", "2870822", "-", "28708a", "٢٨٧٠٨٢", "²87082", "0x2870", "287 082 1"]
)
def test_anything_but_six_digits_is_no_code(code: str) -> None:
    assert matching_step(RFC_SECRET, code, now_s=59, last_step=None) is None


def test_spaces_between_the_digits_are_fine() -> None:
    assert matching_step(RFC_SECRET, " 287 082 ", now_s=59, last_step=None) is not None


def test_secrets_have_160_bits_and_are_never_the_same() -> None:
    found = {new_secret() for _ in range(50)}
    assert len(found) == 50
    assert all(re.fullmatch("[A-Z2-7]{32}", secret) for secret in found)


def test_the_link_names_the_twin_and_the_operator() -> None:
    link = uri(RFC_SECRET, name="ada", owner="Ada Example & Söhne")
    read = pyotp.parse_uri(link)
    assert (read.name, read.issuer, read.secret) == ("ada", "AI twin of Ada Example & Söhne", RFC_SECRET)


def test_the_picture_and_the_characters_show_the_same_code() -> None:
    link = uri(RFC_SECRET, name="ada", owner="Ada Example")
    picture, lines = qr_svg(link), qr_text(link).split("\n")
    size = int(re.search(r'viewBox="0 0 (\d+)', picture)[1])  # type: ignore[index]
    drawn = np.zeros((size, size), bool)
    for x, y in re.findall(r"M(\d+) (\d+)h", picture):
        drawn[int(y), int(x)] = True
    light = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
    read = np.array([[light[c][half] for c in line] for line in lines for half in (0, 1)])[:size]
    assert (drawn == ~read).all()
    assert drawn.any()
    # Finder patterns at three corners, two modules in: what makes it a QR code.
    assert drawn[2, 2:9].all()
    assert drawn[2:9, 2].all()
    assert "style" not in picture
    assert all(len(one) == len(other) for one, other in pairwise(lines))
