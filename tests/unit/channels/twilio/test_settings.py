"""Settings are right or they are refused when they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.routing import Route, WebSocketRoute

import channels.twilio
from channels.twilio.routes import router
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from tests.doubles.host import TestHost


@pytest.mark.parametrize(
    "wrong",
    [
        {"lead_ms": 101},
        {"lead_ms": 20},
        {"public_url": "twin.example.org"},
        {"public_url": "https://"},
        {"public_url": "https://twin.example.org/?a=b"},
        {"public_url": "wss://twin.example.org"},
        {"trusted_proxies": ["proxy.example.org"]},
        {"token_lifetime_s": 0},
        {"edge": "a.b"},
        {"auth_token": "in the wrong place"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TwilioSettings(**wrong)


def test_they_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        TwilioSettings().lead_ms = 90  # type: ignore[misc]


def test_the_rest_address_follows_region_and_edge() -> None:
    assert TwilioSettings().rest_base_url == "https://api.twilio.com"
    assert TwilioSettings(region="ie1").rest_base_url == "https://api.ie1.twilio.com"
    assert TwilioSettings(region="ie1", edge="dublin").rest_base_url == "https://api.dublin.ie1.twilio.com"
    assert TwilioSettings(edge="dublin").rest_base_url == "https://api.dublin.us1.twilio.com"
    assert TwilioSettings(api_base_url="http://127.0.0.1:1/").rest_base_url == "http://127.0.0.1:1"


def test_the_secret_is_not_shown() -> None:
    secrets = TwilioSecrets.from_environment({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "hush"})

    assert secrets.auth_token.get_secret_value() == "hush"
    assert "hush" not in repr(secrets) + str(secrets)
    assert TwilioSecrets.from_environment({}).auth_token.get_secret_value() == ""


def test_every_route_is_in_the_readme() -> None:
    routes = router(TestHost(), TwilioSettings(), TwilioSecrets()).routes
    readme = (Path(channels.twilio.__file__).parent / "README.md").read_text("utf-8")
    paths = [route.path for route in routes if isinstance(route, Route | WebSocketRoute)]
    assert len(paths) == 3
    assert [path for path in paths if path not in readme] == []


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(channels.twilio.__file__).parent / "README.md").read_text("utf-8")
    assert [name for name in TwilioSettings.model_fields if f"`{name}`" not in readme] == []
