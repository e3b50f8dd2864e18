import pytest

from channels.cadence import Cadence


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("fps", [24, 25, 30])
def test_every_frame_leaves_once_and_in_order_whatever_the_chunks_are(rate_hz: int, fps: int) -> None:
    cadence = Cadence(rate_hz, fps)
    chunk = rate_hz * 20 // 1000
    numbers = [n for begin in range(0, rate_hz * 60, chunk) for n in cadence.due(begin, begin + chunk)]
    assert numbers == list(range(60 * fps))


def test_a_frame_belongs_to_the_first_sample_at_or_after_its_time() -> None:
    cadence = Cadence(8_000, 30)
    assert [cadence.position(n) for n in range(4)] == [0, 267, 534, 800]
    assert list(cadence.due(0, 267)) == [0]
    assert list(cadence.due(267, 268)) == [1]
    assert list(cadence.due(268, 534)) == []


@pytest.mark.parametrize("fps", [25, 30])
def test_after_eight_hours_a_frame_is_still_at_its_very_sample(fps: int) -> None:
    cadence = Cadence(48_000, fps)
    end = 8 * 3_600 * fps
    assert cadence.position(end) == 8 * 3_600 * 48_000
    assert cadence.ticks(end, 90_000) == 8 * 3_600 * 90_000


def test_a_cadence_without_frames_cannot_be() -> None:
    with pytest.raises(ValueError, match="needs a rate and frames"):
        Cadence(48_000, 0)
