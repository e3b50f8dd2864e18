from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from channels.livekit.seats import is_microphone, plain_name, seat


def participant(key: str = "anna", *tracks: Any, **values: Any) -> Any:
    shown: dict[str, Any] = {
        "identity": key,
        "name": "",
        "kind": 0,
        "attributes": {},
        "permissions": SimpleNamespace(can_update_metadata=False),
        "track_publications": {track.sid: track for track in tracks},
    }
    return SimpleNamespace(**{**shown, **values})


def track(sid: str, kind: int, source: int, *, muted: bool = False) -> Any:
    return SimpleNamespace(sid=sid, kind=kind, source=source, muted=muted)


MICROPHONE = track("m", 1, 2)
SCREEN = track("s", 2, 3)
SCREEN_SOUND = track("a", 1, 4)


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        (0, {}, "person"),
        (3, {}, "phone"),
        (5, {}, "phone"),
        (4, {}, "machine"),
        (2, {}, "machine"),
        (1, {}, "machine"),
        (99, {}, "machine"),
        (0, {"ai.twin": "true"}, "machine"),
    ],
)
def test_the_kind_of_a_participant(kind: int, attributes: dict[str, str], expected: str) -> None:
    assert seat(participant(kind=kind, attributes=attributes)).person.kind == expected


@pytest.mark.parametrize(
    ("number", "identity"),
    [("+1 (555) 010-0123", "+15550100123"), ("5550100", "sip_1"), ("anonymous", "sip_1"), ("", "sip_1")],
)
def test_somebody_on_the_phone_is_their_number_where_the_trunk_tells_it(number: str, identity: str) -> None:
    caller = participant("sip_1", kind=3, attributes={"sip.phoneNumber": number})
    assert seat(caller).person.identity == identity
    assert seat(caller).key == "sip_1"


def test_a_number_that_somebody_in_a_browser_claims_is_not_theirs() -> None:
    assert seat(participant(attributes={"sip.phoneNumber": "+15550100123"})).person.identity == "anna"


def test_only_a_token_lets_somebody_command() -> None:
    claims = {"twin.may_command": "true"}
    assert seat(participant(attributes=claims)).person.may_command
    changes = SimpleNamespace(can_update_metadata=True)
    assert not seat(participant(attributes=claims, permissions=changes)).person.may_command


def test_somebody_without_a_microphone_is_muted() -> None:
    assert seat(participant()).muted
    assert not seat(participant("anna", MICROPHONE)).muted
    assert seat(participant("anna", track("m", 1, 2, muted=True))).muted
    assert seat(participant("anna", SCREEN_SOUND)).muted


def test_a_shared_screen_is_seen_and_its_sound_is_no_microphone() -> None:
    assert seat(participant("anna", SCREEN)).shares
    assert not seat(participant("anna", MICROPHONE)).shares
    assert [is_microphone(each) for each in (MICROPHONE, SCREEN, SCREEN_SOUND)] == [True, False, False]


def test_a_name_is_one_short_line() -> None:
    assert plain_name("  Anna\n\u202eExample\x00 ") == "Anna Example"
    assert len(plain_name("x" * 10_000)) == 80
