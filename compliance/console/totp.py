"""Codes of an authenticator app (RFC 6238): six digits, a new one every 30 seconds, each good once."""

from __future__ import annotations

import hmac

import pyotp
import segno

STEP_S = 30
_DIGITS = 6
_ASIDE = 1
"""Steps that a phone's clock may be off, either way."""


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32(32)


def matching_step(secret: str, code: str, *, now_s: float, last_step: int | None) -> int | None:
    """The step whose code this is; None when it is none, or not later than the last one that was used.

    Every step of the window is compared, whichever matches, so that the time taken tells nothing.
    """
    digits = "".join(code.split())
    shaped = len(digits) == _DIGITS and digits.isascii() and digits.isdigit()
    totp, now_step, found = pyotp.TOTP(secret), int(now_s // STEP_S), None
    for step in range(now_step - _ASIDE, now_step + _ASIDE + 1):
        same = hmac.compare_digest(totp.generate_otp(step).encode(), (digits if shaped else "-").encode())
        if same and shaped and (last_step is None or step > last_step):
            found = step
    return found


def uri(secret: str, *, name: str, owner: str) -> str:
    """What the QR code says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"AI twin of {owner}")


def qr_svg(text: str) -> str:
    """A QR code as an `<svg>` element without styles, for a page with a strict policy."""
    code = segno.make(text, error="m", micro=False)
    size = code.symbol_size(border=2)[0]
    squares = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(code.matrix_iter(border=2))
        for x, dark in enumerate(row)
        if dark
    )
    return f'<svg viewBox="0 0 {size} {size}" role="img" aria-label="QR code"><path d="{squares}"/></svg>'


def qr_text(text: str) -> str:
    """A QR code in characters, two rows in one line, for a terminal."""
    rows = [[bool(dark) for dark in row] for row in segno.make(text, error="m", micro=False).matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    # Light pieces are drawn: on a dark terminal the code then has its white border, as scanners want it.
    pieces = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    lines = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join("".join(pieces[pair] for pair in zip(*two, strict=True)) for two in lines)
