"""Keys, addresses and tickets."""

from __future__ import annotations

import pytest

from agent.fleet.access import Access, checked, library
from channels.livekit.signs import Signs
from compliance.errors import EngineMissing, SettingsError

KEYS = {"LIVEKIT_URL": "wss://rooms.example.org", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}


@pytest.mark.parametrize("missing", KEYS)
def test_a_key_that_is_missing_is_named(missing: str) -> None:
    with pytest.raises(SettingsError, match=f"set {missing} "):
        Access.of({name: value for name, value in KEYS.items() if name != missing})


def test_an_address_that_is_given_goes_before_the_environments() -> None:
    assert Access.of(KEYS, url="ws://127.0.0.1:7880").url == "ws://127.0.0.1:7880"


def test_the_secret_is_not_shown() -> None:
    assert "s" * 40 not in repr(Access.of(KEYS))


@pytest.mark.parametrize(
    ("given", "url"), [("https://a.example", "wss://a.example"), ("http://a:7880", "ws://a:7880")]
)
def test_an_address_of_the_web_is_taken_for_the_rooms(given: str, url: str) -> None:
    assert checked(given) == url


@pytest.mark.parametrize("wrong", ["rooms.example.org", "ftp://a", "wss://", ""])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="must look like"):
        checked(wrong)


def test_a_ticket_lets_an_agent_into_one_room() -> None:
    api = pytest.importorskip("livekit.api")
    ticket = Access.of(KEYS).ticket("standup", identity="twin", signs=Signs("Ada (AI twin)", "", "Ada"))
    claims = api.TokenVerifier("key", "s" * 40).verify(ticket)
    assert (claims.identity, claims.name, claims.kind) == ("twin", "Ada (AI twin)", "agent")
    assert claims.attributes == {"ai.twin": "true", "ai.twin.of": "Ada"}
    assert claims.video.room == "standup"
    assert claims.video.room_join
    assert claims.video.can_update_own_metadata
    assert not claims.video.room_admin


def test_a_library_that_is_missing_is_told_with_its_extra() -> None:
    with pytest.raises(EngineMissing, match=r"rooms: pip install .*\[livekit\]"):
        library("livekit.no_such_module", extra="livekit")
