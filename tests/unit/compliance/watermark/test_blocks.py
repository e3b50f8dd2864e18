from __future__ import annotations

import io

import numpy as np
import pytest

from compliance.watermark.blocks import MAX_SAMPLES, Block, Ending, read_blocks, write_block, write_ending


def test_blocks_come_through_as_they_were_sent() -> None:
    pipe = io.BytesIO()
    sent = [Block(0, 1, np.linspace(-1, 1, 100, dtype=np.float32)), Block(3, 7, np.zeros(1, dtype=np.float32))]
    for block in sent:
        write_block(pipe, block)
    write_ending(pipe, Ending.DAMAGED)
    *blocks, ending = read_blocks(io.BytesIO(pipe.getvalue()))
    assert ending is Ending.DAMAGED
    for before, after in zip(sent, blocks, strict=True):
        assert isinstance(after, Block)
        assert (after.track, after.channel) == (before.track, before.channel)
        np.testing.assert_array_equal(after.samples, before.samples)


def test_a_long_block_is_sent_in_pieces() -> None:
    pipe = io.BytesIO()
    write_block(pipe, Block(0, 0, np.zeros(MAX_SAMPLES + 5, dtype=np.float32)))
    write_ending(pipe, Ending.WHOLE)
    sizes = [len(block.samples) for block in read_blocks(io.BytesIO(pipe.getvalue())) if isinstance(block, Block)]
    assert sizes == [MAX_SAMPLES, 5]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x00\x05\x00\x00\x00abc",
        b"\x09\x00\x00\x00\x01\x00\x00\x00" + bytes(4),
        b"\x00\x00\x00\x00\xff\xff\xff\xff" + bytes(64),
    ],
    ids=["nothing", "half a head", "half a block", "no such track", "more than there may be"],
)
def test_a_stream_that_breaks_off_was_too_much(data: bytes) -> None:
    assert list(read_blocks(io.BytesIO(data))) == [Ending.HEAVY]


def test_an_ending_that_nobody_knows_is_no_good_one() -> None:
    assert list(read_blocks(io.BytesIO(b"\xff\x63\x00\x00\x00\x00\x00\x00"))) == [Ending.UNREADABLE]
