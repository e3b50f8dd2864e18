"""Whether a token lets the twin have its name."""

from __future__ import annotations

import base64
import json

import pytest

from channels.livekit.token import shows

NAME = "Ada Example (AI twin)"


def token(claims: object) -> str:
    """As a server's, but for the signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmVk"


@pytest.mark.parametrize(
    "claims",
    [
        {"name": NAME},
        {"name": NAME, "video": {"canUpdateOwnMetadata": False}},
        {"name": "Ada Example", "video": {"canUpdateOwnMetadata": True}},
        {"video": {"canUpdateOwnMetadata": True}},
    ],
)
def test_a_token_with_the_name_or_the_right_to_set_it_shows_the_twin(claims: object) -> None:
    assert shows(token(claims), NAME)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"name": "Ada Example"},
        {"name": "Ada Example", "video": {"roomJoin": True, "canUpdateOwnMetadata": False}},
        {"name": None, "video": {"canUpdateOwnMetadata": "true"}},
        {"video": ["canUpdateOwnMetadata"]},
    ],
)
def test_a_token_with_neither_does_not(claims: object) -> None:
    assert not shows(token(claims), NAME)


@pytest.mark.parametrize(
    "unknown",
    [
        "",
        "given",
        "a.b",
        "a.!.c",
        "a.ä.c",
        "a./w.c",
        "a.W10.c",
        token([]),
        token("Ada"),
        "a." + "W1tb" * 40_000 + ".c",
    ],
)
def test_what_cannot_be_read_is_left_to_the_server(unknown: str) -> None:
    assert shows(unknown, NAME)


def test_a_token_as_it_is_made_is_read() -> None:
    api = pytest.importorskip("livekit.api")
    made = api.AccessToken("key", "s" * 40).with_identity("twin").with_name("Ada Example")
    plain = made.with_grants(api.VideoGrants(room_join=True, room="r")).to_jwt()
    may = made.with_grants(api.VideoGrants(room_join=True, room="r", can_update_own_metadata=True)).to_jwt()
    assert not shows(plain, NAME)
    assert shows(plain, "Ada Example")
    assert shows(may, NAME)
