"""The encoder, by what a decoder makes of its packets."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet

from avatar.picture import Picture
from channels.web.vp8 import FLOOR_KBPS, TIME_BASE, Vp8, bitrate_for

WIDTH, HEIGHT = 256, 192


def scene(number: int) -> Picture:
    """A gradient with a square that moves."""
    picture = Picture(WIDTH, HEIGHT)
    picture.y[...] = np.linspace(40, 200, WIDTH, dtype=np.uint8)
    left = 20 + 2 * number
    picture.y[60:120, left : left + 60] = 230
    picture.u[30:60, left // 2 : left // 2 + 30] = 90
    return picture


def decoded(packets: list[Packet[Any]]) -> list[Any]:
    decoder: Any = av.CodecContext.create("libvpx", "r")
    frames: list[Any] = []
    for packet in packets:
        frames += decoder.decode(Packet(bytes(packet)))
    return [frame.to_ndarray(format="yuv420p") for frame in frames]


def psnr(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def is_key(packet: Packet[Any]) -> bool:
    """By RFC 6386, section 9.1: the lowest bit of the first byte."""
    return not bytes(packet)[0] & 1


def test_the_first_picture_is_sharp_already() -> None:
    encoder = Vp8(WIDTH, HEIGHT, 25)
    packets = [encoder.encode(scene(n), n * 3_600) for n in range(10)]

    shown = decoded(packets)
    assert len(shown) == 10
    assert min(psnr(shown[n], scene(n).i420) for n in range(10)) > 36
    assert [is_key(packet) for packet in packets] == [True, *[False] * 9]


def test_a_packet_has_the_time_of_its_picture() -> None:
    encoder = Vp8(WIDTH, HEIGHT, 30)
    ticks = [0, 3_000, 6_000, 15_000, 9 * 3_600 * 90_000]
    packets = [encoder.encode(scene(0), tick) for tick in ticks]

    assert [packet.pts for packet in packets] == ticks
    assert {packet.time_base for packet in packets} == {TIME_BASE}


def test_a_picture_that_needs_no_other_comes_when_it_is_asked_for() -> None:
    encoder = Vp8(WIDTH, HEIGHT, 25)
    packets = [encoder.encode(scene(n), n * 3_600, key=n == 4) for n in range(6)]

    assert [is_key(packet) for packet in packets] == [True, False, False, False, True, False]
    assert psnr(decoded(packets[4:])[0], scene(4).i420) > 34


def test_a_limit_is_kept_and_one_that_hardly_differs_is_ignored() -> None:
    encoder = Vp8(WIDTH, HEIGHT, 25, 800)
    encoder.limit(700)
    assert encoder.kbps == 800
    encoder.limit(400)
    assert encoder.kbps == 400
    encoder.limit(1)
    assert encoder.kbps == FLOOR_KBPS
    encoder.limit(700)
    encoder.limit(5_000)
    assert encoder.kbps == 800, "all of what was set, however little is missing, and never more"
    assert is_key(encoder.encode(scene(0), 0))


def test_a_receiver_that_guesses_more_than_it_gets_is_no_limit() -> None:
    """It guesses from what it gets, and a face at rest takes little."""
    encoder = Vp8(WIDTH, HEIGHT, 25, 800)
    packets = [encoder.encode(scene(0), n * 3_600) for n in range(50)]
    sent_kbps = sum(packet.size for packet in packets[25:]) * 8 / 1_000
    assert sent_kbps < 200
    encoder.limit(300)
    packets.append(encoder.encode(scene(0), 50 * 3_600))

    assert encoder.kbps == 800
    assert not is_key(packets[-1])


def test_noise_at_the_limit_stays_near_it() -> None:
    encoder = Vp8(WIDTH, HEIGHT, 25, 300)
    chance = np.random.default_rng(5)
    sizes = []
    for n in range(75):
        picture = Picture(WIDTH, HEIGHT)
        picture.y[...] = chance.normal(120, 12, picture.y.shape).clip(16, 235)
        sizes.append(encoder.encode(picture, n * 3_600).size)

    assert sum(sizes[25:]) * 8 / 2 / 1_000 < 1.6 * 300


@pytest.mark.parametrize(
    ("width", "height", "least", "most"), [(512, 512, 900, 1_100), (1_280, 720, 3_000, 3_600)]
)
def test_the_bitrate_that_is_chosen_follows_the_size(width: int, height: int, least: int, most: int) -> None:
    assert least < bitrate_for(width, height, 25) < most
