"""Fixed texts, spoken once and kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.fallback import Fallback
from agent.engines.voice.prepared import Prepared, prepare, without_leading_silence
from agent.engines.voice.written import written_words
from channels.spoken import Word
from compliance.errors import EngineFailed, EngineTimeout
from tests.unit.agent.engines.voice.scripted import Scripted

TEXT = "I am an AI, the twin of Anna Berg."


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.parametrize("rate_hz", [8000, 16000, 24000, 48000])
async def test_the_built_in_voice_at_every_rate(rate_hz: int, tmp_path: Path) -> None:
    voice = Espeak(EngineConfig(name="espeak"))
    await voice.start()
    made = await prepare(voice, TEXT, "en", rate_hz, folder=tmp_path)
    await voice.close()

    assert [word.text for word in made.words] == [word.text for word in written_words(TEXT)]
    assert made.words[-1].end_ms <= made.duration_ms + 0.1
    assert made.exact
    assert made.phonemes
    assert 1500 < made.duration_ms < 4000
    # The second time no voice is needed, nor a running one.
    assert await prepare(voice, TEXT, "en", rate_hz, folder=tmp_path) == made


async def test_it_is_spoken_once(tmp_path: Path) -> None:
    voice = Scripted()
    made = [await prepare(voice, TEXT, "en", 8000, folder=tmp_path / "new") for _ in range(3)]

    assert made[0] == made[1] == made[2]
    assert len(voice.asked) == 1
    assert made[0].duration_ms == 200 * len(TEXT.split())


async def test_whatever_changes_the_sound_is_another_file(tmp_path: Path) -> None:
    voice = Scripted()
    await prepare(voice, TEXT, "en", 8000, folder=tmp_path)
    await prepare(voice, TEXT, "de", 8000, folder=tmp_path)
    await prepare(voice, TEXT, "en", 16000, folder=tmp_path)
    await prepare(voice, TEXT + "!", "en", 8000, folder=tmp_path)
    await prepare(voice, TEXT, "en", 8000, folder=tmp_path, settings="pitch=1")
    await prepare(Scripted("other"), TEXT, "en", 8000, folder=tmp_path)

    assert len(files(tmp_path)) == 6


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
async def test_a_damaged_file_is_made_again(damage: str, tmp_path: Path) -> None:
    voice = Scripted()
    made = await prepare(voice, TEXT, "en", 8000, folder=tmp_path)
    [path] = files(tmp_path)
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut": data[:-100],
            "flipped": data[:-1] + bytes([data[-1] ^ 1]),
            "empty": b"",
            "foreign": b"hello" * 100,
        }[damage]
    )

    assert await prepare(voice, TEXT, "en", 8000, folder=tmp_path) == made
    assert len(voice.asked) == 2
    assert path.read_bytes() == data


async def test_two_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    made = await asyncio.gather(*(prepare(Scripted(), TEXT, "en", 8000, folder=tmp_path) for _ in range(5)))

    assert all(isinstance(one, Prepared) and one == made[0] for one in made)
    assert len(files(tmp_path)) == 1


async def test_a_folder_that_cannot_be_written_is_no_reason_to_be_silent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert (await prepare(Scripted(), TEXT, "en", 8000, folder=tmp_path / "file")).pcm


async def test_a_voice_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="dead"):
        await prepare(Scripted(fails_after=3, error=EngineFailed("dead")), TEXT, "en", 8000, folder=tmp_path)
    with pytest.raises(EngineTimeout):
        await prepare(Scripted(hangs_after=3), TEXT, "en", 8000, folder=tmp_path, timeout_s=0.05)
    with pytest.raises(EngineFailed, match="no sound"):
        await prepare(Scripted(), "  ", "en", 8000, folder=tmp_path)

    assert files(tmp_path) == []


async def test_what_the_second_voice_says_is_not_kept_as_the_first_ones(tmp_path: Path) -> None:
    first = Scripted("first", fails_after=2, error=EngineFailed("dead"))
    second = Scripted("second", value=b"\x02\x00")
    voice = Fallback(first, second)

    by_second = await prepare(voice, TEXT, "en", 16000, folder=tmp_path)
    first.fails_after = None
    by_first = await prepare(voice, TEXT, "en", 16000, folder=tmp_path)

    assert set(by_second.pcm[::2]) == {2}
    assert set(by_first.pcm[::2]) == {1}


def test_leading_silence_is_cut_and_the_times_move_with_it() -> None:
    made = Prepared(bytes(2 * 800) + b"\xff\x0f" * 800, 8000, (Word("hello", 100, 200),))
    cut = without_leading_silence(made)

    assert cut.duration_ms < 150
    assert cut.words[0].end_ms <= cut.duration_ms + 0.1
    assert cut.pcm.endswith(b"\xff\x0f" * 800)
    assert without_leading_silence(cut) == cut
