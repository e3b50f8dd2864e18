"""`twin say`: a file that begins with the disclosure, by the built-in voice and through the real outlet."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from agent import say as saying
from agent.engines.voice.prepared import Prepared, prepare, without_leading_silence
from agent.home import find
from agent.opening import CLONED, PREPARED
from agent.recorded import Recording, WavWire
from agent.say import RATE_HZ, UnfitFile, check, say, written
from compliance.disclosure import disclosure
from compliance.errors import ConsentMissing, DoorClosed, EngineMissing
from compliance.likeness.permits import WATCH_S
from compliance.origin.manifests import Manifests
from compliance.provenance import recovered, verify
from compliance.vault import Vault
from compliance.watermark.detector import Detector
from compliance.watermark.keys import MarkKeys
from compliance.watermark.register import Marks
from persona.home import write_example
from persona.voice.dataset import REFERENCE
from persona.voice.shape import measure
from tests.doubles.mark import MARKED, NoMark, heard_as
from tests.doubles.openai_voice import OpenAIVoiceServer
from tests.unit.agent import enrolling
from tests.unit.agent.owner import owner


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("TWIN_HOME", raising=False)
    return tmp_path


def samples(file: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(str(file)) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 2, RATE_HZ)
        return np.frombuffer(opened.readframes(opened.getnframes()), np.int16)


async def test_the_file_begins_with_the_whole_disclosure_and_then_says_the_text(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openings: list[Prepared] = []

    async def remembered(*arguments: object, **named: object) -> Prepared:
        openings.append(await prepare(*arguments, **named))  # type: ignore[arg-type]
        assert arguments[1] == disclosure("en", owner="Martin Alder").text
        return openings[-1]

    monkeypatch.setattr(saying, "prepare", remembered)
    seconds = await say("The office is closed. Call again.", user / "a.wav", None, force=False)
    whole = samples(user / "a.wav")
    said = without_leading_silence(openings[0]).pcm
    opening = np.frombuffer(said, np.int16)
    assert len(openings) == 1
    assert heard_as(whole[: len(opening)], said) > MARKED
    assert not np.array_equal(whole[: len(opening)], opening)
    rest = whole[len(opening) + RATE_HZ // 5 :]
    assert np.abs(rest.astype(np.int32)).max() > 1_000
    assert seconds == pytest.approx(len(whole) / RATE_HZ)
    assert seconds > len(opening) / RATE_HZ + 1


async def test_its_mark_says_which_file_it_is_and_finds_the_manifest_that_was_stripped(user: Path) -> None:
    file, bare = user / "a.wav", user / "bare.wav"
    await say(" ".join(["The office is closed on Monday and on Tuesday."] * 8), file, None, force=False)
    with wave.open(str(bare), "wb") as stripped:
        stripped.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        stripped.writeframes(samples(file).tobytes())
    home = find(None, {"XDG_DATA_HOME": str(user / "data")}).path
    async with Vault(home) as vault:
        keys = await asyncio.to_thread(MarkKeys.open, home, vault.master)
        candidates = keys.candidates(await Marks(vault).days())
        finding = await asyncio.to_thread(Detector(candidates).detect, samples(bare), RATE_HZ)
        told = {region.full for region in finding.regions} - {None}
        assert len(told) == 1
        region = next(region for region in finding.regions if region.full in told)
        assert region.short is not None
        (token,) = await Marks(vault).tokens(region.day, region.short)
        assert verify(file).token == token.text
        manifest = await Manifests(vault).find(token.text)
    assert not verify(bare).found
    assert manifest is not None
    assert recovered(bare, manifest).token == token.text


async def test_a_film_shows_the_face_that_says_it_with_the_ai_mark_on_every_picture(user: Path) -> None:
    told: list[tuple[int, int]] = []
    seconds = await say(
        "My mother made a big apple pie. Come at ten.",
        user / "a.MP4",
        None,
        force=False,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 2), (1, 2), (2, 2)]
    with av.open(str(user / "a.MP4")) as film:
        pictures = [frame.to_ndarray()[:512] for frame in film.decode(video=0)]
        assert film.metadata["title"] == "AI: the digital twin of Martin Alder"
    with av.open(str(user / "a.MP4")) as film:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
    assert len(pictures) == pytest.approx(25 * seconds, abs=1)
    assert len(sound) == pytest.approx(RATE_HZ * seconds, abs=2_048)
    mark = [picture[60:120, 60:140] for picture in pictures]
    assert all(np.abs(each.astype(int) - mark[0]).mean() < 8 for each in mark)
    assert mark[0].min() < 60
    assert mark[0].max() > 200
    changes = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(pictures)]
    assert np.median(changes) > 0.05
    verdict = verify(user / "a.MP4")
    assert (verdict.valid, verdict.ai) == (True, "generated")


async def test_nothing_of_the_text_is_left_in_the_cache(user: Path) -> None:
    await say("The safe is open.", user / "a.wav", None, force=False)
    kept = list((user / "data").rglob("*.speech"))
    assert len(kept) == 1
    assert all(b"safe" not in file.read_bytes() for file in kept)


async def test_an_outlet_that_closes_leaves_no_file(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saying, "without_leading_silence", lambda made: Prepared(b"\0" * 960, RATE_HZ, ()))
    with pytest.raises(DoorClosed):
        await say("Hello.", user / "a.wav", None, force=False)
    assert not [name for name in os.listdir(user) if name.endswith((".wav", ".part"))]


async def test_nobody_closes_a_file_that_is_still_being_written(tmp_path: Path) -> None:
    wire = WavWire(tmp_path / "a.wav", RATE_HZ)
    recording = Recording(wire, None, NoMark())
    begun = threading.Event()

    def write(chunks: int) -> None:
        begun.set()
        recording.pause(chunks)

    task = asyncio.create_task(written(recording, write, 10**9))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(DoorClosed):
        recording.pause(1)
    await wire.close("given up")


def test_files_it_does_not_write_are_refused(tmp_path: Path) -> None:
    (tmp_path / "there.wav").write_text("")
    for name, text, why in [
        ("a.mov", "Hi.", "only WAV and MP4"),
        ("a.mp3", "Hi.", "WAV"),
        ("there.wav", "Hi.", "--force"),
        ("nowhere/a.wav", "Hi.", "no such folder"),
        ("a.wav", " ... ", "nothing to say"),
        ("a.wav", "a" * 30_000, "longer"),
    ]:
        with pytest.raises(UnfitFile, match=why):
            check(text, tmp_path / name, force=False)
    check("Hi.", tmp_path / "there.wav", force=True)


async def test_the_owners_cloned_voice_says_nothing_without_a_consent_to_messages(user: Path) -> None:
    write_example(user / "home")
    async with OpenAIVoiceServer() as clone, owner(user / "home") as somebody:
        settings = f'[voice]\nengine = "openai"\nbase_url = "{clone.url}"\ncloned = true\n'
        (user / "home" / "twin.toml").write_text(settings, "utf-8")
        await somebody.consents("calls")
        with pytest.raises(ConsentMissing, match="twin enroll voice"):
            await say("Hello.", user / "a.wav", user / "home", force=False)
        assert clone.asked == []
        assert not (user / "a.wav").exists()
        await somebody.consents("calls", "messages")
        await say("Hello.", user / "a.wav", user / "home", force=False)
        assert [asked.body["input"] for asked in clone.asked][-1] == "Hello."
        assert (user / "a.wav").exists()
        assert not (user / "home" / "cache" / PREPARED).exists()
        await somebody.clones.revoke("voice")
        with pytest.raises(ConsentMissing):
            await say("Hello.", user / "b.wav", user / "home", force=False)
        assert len(clone.asked) == 2


async def test_the_built_in_voice_is_shaped_by_the_recordings(user: Path) -> None:
    home = user / "home"
    write_example(home)
    (home / "twin.toml").write_text('[voice]\nengine = "espeak"\ncloned = true\n', "utf-8")
    async with owner(home) as somebody:
        await somebody.consents("messages")
        with pytest.raises(EngineMissing, match="twin enroll voice"):
            await say("Hello.", user / "a.wav", home, force=False)
        assert not (user / "a.wav").exists()
        theirs = enrolling.callers()
        await somebody.clones.keep("voice", REFERENCE, theirs.wav())
        await say("Could you please ring me back at nine on Monday morning?", user / "a.wav", home, force=False)
    heard = measure(samples(user / "a.wav"), RATE_HZ).pitch_hz
    wanted = measure(theirs.samples, theirs.rate_hz).pitch_hz
    # Its own pitch is about 100 Hz.
    assert wanted is not None
    assert wanted > 160
    assert heard == pytest.approx(wanted, rel=0.1)
    assert list((home / "cache").glob("espeak-*.json"))


async def test_a_consent_that_is_revoked_meanwhile_leaves_no_file_and_no_shape(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = user / "home"
    write_example(home)
    (home / "twin.toml").write_text('[voice]\nengine = "espeak"\ncloned = true\n', "utf-8")
    async with owner(home) as somebody:
        await somebody.consents("messages")
        await somebody.clones.keep("voice", REFERENCE, enrolling.callers().wav())

        async def prepared_and_revoked(*arguments: object, **named: object) -> Prepared:
            made = await prepare(*arguments, **named)  # type: ignore[arg-type]
            assert list((home / "cache").glob("espeak-*.json"))
            await somebody.clones.revoke("voice")
            # The command looks several times a second.
            await asyncio.sleep(3 * WATCH_S)
            return made

        monkeypatch.setattr(saying, "prepare", prepared_and_revoked)
        with pytest.raises(DoorClosed):
            await say("Hello.", user / "a.wav", home, force=False)
    assert not (user / "a.wav").exists()
    assert not list((home / "cache").glob("espeak-*.json"))
    assert not (home / "cache" / CLONED).exists()
