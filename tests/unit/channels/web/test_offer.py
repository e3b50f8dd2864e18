import json

import pytest

from channels.web.offer import MAX_CANDIDATES, read_offer
from compliance.errors import BadMessage

SDP = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"


def _body(sdp: object, kind: object = "offer") -> bytes:
    return json.dumps({"sdp": sdp, "type": kind}).encode()


def test_an_offer_of_sound_and_words_is_read() -> None:
    assert read_offer(_body(SDP)).sdp == SDP


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"[" * 50_000,
        _body(None),
        _body(7),
        _body(SDP, "answer"),
        _body(SDP, []),
    ],
)
def test_what_is_no_offer_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage, match="must be JSON"):
        read_offer(body)


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        "v=0\r\n",
        SDP + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 2,
        SDP + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 500,
        "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
    ],
)
def test_other_media_are_refused(sdp: str) -> None:
    with pytest.raises(BadMessage, match="one audio line and then a data channel"):
        read_offer(_body(sdp))


def test_an_offer_cannot_make_us_send_to_a_thousand_addresses() -> None:
    candidates = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * (MAX_CANDIDATES + 1)

    with pytest.raises(BadMessage, match="candidates"):
        read_offer(_body(SDP + candidates))
