import pytest
from pydantic import ValidationError

from channels.web.settings import IceServer, WebSettings


def test_origins_are_compared_in_one_spelling() -> None:
    assert WebSettings(allowed_origins=("https://Twin.example.org/",)).allowed_origins == (
        "https://twin.example.org",
    )


@pytest.mark.parametrize(
    "origin", ["twin.example.org", "https://twin.example.org/talk", "ftp://twin.example.org", "*"]
)
def test_an_origin_has_to_look_like_one(origin: str) -> None:
    with pytest.raises(ValidationError, match=r"https://twin\.example\.org"):
        WebSettings(allowed_origins=(origin,))


@pytest.mark.parametrize("url", ["http://turn.example.org", "turn:", "example.org:3478"])
def test_an_ice_server_has_to_be_stun_or_turn(url: str) -> None:
    with pytest.raises(ValidationError, match="stun:host:3478"):
        IceServer(url=url)


def test_a_credential_is_not_printed() -> None:
    server = IceServer.model_validate({"url": "turn:turn.example.org", "username": "twin", "credential": "hush"})

    assert "hush" not in repr(server)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="allowed_origin"):
        WebSettings.model_validate({"allowed_origin": ["https://twin.example.org"]})
