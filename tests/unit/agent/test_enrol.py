"""`twin enroll voice` on a real home and vault: the consent, what is kept under it, and what becomes of it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import enrol, enrol_cloud, listening
from agent.archive import opened
from agent.enrol import Wish
from agent.home import Home
from compliance.errors import ConsentMissing, EngineFailed, EngineMissing, SettingsError
from compliance.likeness.permits import OWNER
from persona.home import write_example
from persona.voice import dataset
from persona.voice.recordings import Recordings, examine
from persona.voice.sound import Sound, read
from tests.doubles.openai_speech import OpenAISpeechServer
from tests.doubles.voice_clouds import VoiceClouds
from tests.unit.agent import enrolling

CALLS = Wish(uses=("calls",))


@dataclass
class Desk:
    """The owner's home, with a recogniser that hears whatever it is told."""

    home: Home
    recogniser: OpenAISpeechServer
    recordings: Recordings
    statement: Sound

    def hears(self, *texts: str) -> None:
        """The pieces of the statement, then nothing."""
        self.recogniser.asked.clear()
        self.recogniser.script.says = [*texts, ""]

    async def enrols(self, wish: Wish = CALLS) -> enrol.Enrolled:
        drawn = await enrol.draw(self.home, wish, chance=random.Random(2))
        self.hears(drawn.text)
        return await enrol.enrol(self.home, self.recordings, self.statement, drawn.id, wish, transcribe=False)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(listening, "PACE", 1_000.0)
    folder = tmp_path / "home"
    write_example(folder)
    async with OpenAISpeechServer() as recogniser:
        settings = f'[speech]\nengine = "openai"\nbase_url = "{recogniser.url}"\nmodel = "m"\n'
        (folder / "twin.toml").write_text(settings)
        recordings = examine([(enrolling.recording(tmp_path), None)])
        yield Desk(Home(folder), recogniser, recordings, read(enrolling.statement(tmp_path)))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def standing(home: Home) -> str | None:
    async with opened(home) as archive:
        granted = archive.permits.standing("voice")
        return granted.consent_id if granted else None


async def test_consent_and_clone_are_kept(desk: Desk) -> None:
    enrolled = await desk.enrols()
    assert await standing(desk.home) == enrolled.consent_id
    async with opened(desk.home) as archive:
        items = await dataset.items(archive.clones)
        assert len(items) == enrolled.clips == len(desk.recordings.clips) > 2
        assert {item.consent_id for item in items} == {enrolled.consent_id}
        assert {check["name"] for check in items[0].checks} >= {"noise", "echo", "clipping"}
        reference = await archive.clones.read("voice", dataset.REFERENCE)
        assert reference is not None
        assert reference[:4] == b"RIFF"
        permit = archive.permits.permit("voice", "calls")
        assert permit.valid
        with pytest.raises(ConsentMissing):
            archive.permits.permit("voice", "videos")


async def test_nothing_of_it_is_in_the_clear_on_disk(desk: Desk) -> None:
    await desk.enrols()
    sounds = [clip.pcm()[2_000:2_400] for clip in desk.recordings.clips]
    texts = (b"artificial copy", b"owner.wav")
    for path in files(desk.home.path):
        data = path.read_bytes()
        assert not any(sound in data for sound in sounds), path.name
        assert not any(text in data for text in texts), path.name


async def test_clips_are_transcribed_with_the_twins_own_recogniser(desk: Desk) -> None:
    drawn = await enrol.draw(desk.home, CALLS)
    said: list[tuple[int, int]] = []
    desk.recogniser.script.says = lambda asked: drawn.text if len(desk.recogniser.asked) == 1 else "a word"
    await enrol.enrol(
        desk.home, desk.recordings, desk.statement, drawn.id, CALLS,
        progress=lambda done, total: said.append((done, total)),
    )  # fmt: skip
    total = len(desk.recordings.clips)
    assert said == [(n, total) for n in range(1, total + 1)]
    async with opened(desk.home) as archive:
        items = await dataset.items(archive.clones)
        assert all("a word" in item.text and item.recogniser == "openai" for item in items)


async def test_somebody_elses_voice_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.statement = read(enrolling.impostor(tmp_path))
    with pytest.raises(ConsentMissing, match="not spoken by the person whose recordings"):
        await desk.enrols()
    assert await standing(desk.home) is None
    assert not list((desk.home.path / "clones").glob("*/*"))


@pytest.mark.parametrize(
    "said",
    [
        lambda text: "",
        lambda text: "I agree to everything.",
        lambda text: text.replace("agree", "do not agree"),
        lambda text: text.rsplit(":", 1)[0],
    ],
    ids=["nothing", "other words", "a no", "without the words of the day"],
)
async def test_other_words_are_refused(desk: Desk, said: Callable[[str], str]) -> None:
    drawn = await enrol.draw(desk.home, CALLS)
    desk.hears(said(drawn.text))
    with pytest.raises(ConsentMissing, match="read"):
        await enrol.enrol(desk.home, desk.recordings, desk.statement, drawn.id, CALLS, transcribe=False)
    assert await standing(desk.home) is None


async def test_a_challenge_counts_once_and_the_newest_alone(desk: Desk) -> None:
    first, second = await enrol.draw(desk.home, CALLS), await enrol.draw(desk.home, CALLS)
    assert first.words != second.words
    desk.hears(second.text)
    for challenge_id, refused in ((first.id, True), ("0" * 32, True), (second.id, False), (second.id, True)):
        ask = enrol.enrol(desk.home, desk.recordings, desk.statement, challenge_id, CALLS, transcribe=False)
        if refused:
            with pytest.raises(ConsentMissing, match="--challenge"):
                await ask
        else:
            await ask


async def test_a_challenge_is_over_after_ten_minutes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = await enrol.draw(desk.home, CALLS)
    desk.hears(drawn.text)
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(ConsentMissing, match="ten minutes"):
        await enrol.enrol(desk.home, desk.recordings, desk.statement, drawn.id, CALLS, transcribe=False)


async def test_an_unheard_recogniser_is_one_line_and_leaves_no_consent(desk: Desk) -> None:
    drawn = await enrol.draw(desk.home, CALLS)
    desk.recogniser.script.status = 500
    with pytest.raises(EngineFailed):
        await enrol.enrol(desk.home, desk.recordings, desk.statement, drawn.id, CALLS, transcribe=False)
    assert await standing(desk.home) is None


async def test_a_cough_is_no_statement(desk: Desk) -> None:
    drawn = await enrol.draw(desk.home, CALLS)
    cough = Sound(desk.statement.samples[: 2 * desk.statement.rate_hz], desk.statement.rate_hz)
    with pytest.raises(ConsentMissing, match="too short"):
        await enrol.enrol(desk.home, desk.recordings, cough, drawn.id, CALLS)


@pytest.mark.parametrize("wish", [Wish(months=0), Wish(months=25), Wish(language="xx")])
async def test_wishes_that_cannot_be(desk: Desk, wish: Wish) -> None:
    with pytest.raises(SettingsError):
        await enrol.draw(desk.home, wish)


async def test_revoking_leaves_nothing(desk: Desk) -> None:
    await desk.enrols()
    await enrol.revoke(desk.home, "voice")
    assert await standing(desk.home) is None
    assert not [path for path in (desk.home.path / "clones").rglob("*.wav*") if path.is_file()]


async def test_a_new_enrolment_replaces_the_old(desk: Desk) -> None:
    old = await desk.enrols()
    new = await desk.enrols()
    assert await standing(desk.home) == new.consent_id != old.consent_id
    folders = [path.name for path in (desk.home.path / "clones").iterdir() if path.is_dir()]
    assert folders == [new.consent_id]


async def test_a_provider_clones_it_and_forgets_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with VoiceClouds() as clouds:
        for key, value in clouds.environment("elevenlabs").items():
            monkeypatch.setenv(key, value)
        wish = Wish(uses=("calls",), engine="elevenlabs")
        first = await desk.enrols(wish)
        assert list(clouds.voices) == [first.voice_id]
        assert sum(clouds.voices[first.voice_id].sounds) == pytest.approx(first.seconds, abs=0.1)
        # The name says nothing about a person.
        assert "Martin" not in clouds.voices[first.voice_id].name
        second = await desk.enrols(wish)
        assert list(clouds.voices) == [second.voice_id]
        assert 'voice = "voice2"' in enrol.next_steps(second)
        await enrol.revoke(desk.home, "voice")
        assert clouds.voices == {}


async def test_a_refused_statement_sends_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with VoiceClouds() as clouds:
        for key, value in clouds.environment("cartesia").items():
            monkeypatch.setenv(key, value)
        wish = Wish(uses=("calls",), engine="cartesia")
        drawn = await enrol.draw(desk.home, wish)
        desk.hears("something else")
        with pytest.raises(ConsentMissing):
            await enrol.enrol(desk.home, desk.recordings, desk.statement, drawn.id, wish, transcribe=False)
        assert clouds.requests == []


async def test_a_missing_key_is_said_before_anything_is_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELEVENLABS_API_KEY", raising=False)
    drawn = await enrol.draw(desk.home, CALLS)
    with pytest.raises(EngineMissing, match="ELEVENLABS_API_KEY"):
        await enrol.enrol(desk.home, desk.recordings, desk.statement, drawn.id, Wish(engine="elevenlabs"))
    assert desk.recogniser.asked == []


async def test_what_a_provider_kept_is_deleted_when_it_answers_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with VoiceClouds() as clouds:
        for key, value in clouds.environment("resemble").items():
            monkeypatch.setenv(key, value)
        await desk.enrols(Wish(uses=("calls",), engine="resemble"))
        clouds.script.status = 500
        with pytest.raises(EngineFailed, match="revoke it once more"):
            await enrol.revoke(desk.home, "voice")
        # Here it is silent all the same.
        assert await standing(desk.home) is None
        assert len(clouds.voices) == 1
        clouds.script.status = 200
        await enrol.revoke(desk.home, "voice")
        assert clouds.voices == {}
        await enrol.revoke(desk.home, "voice")


async def test_the_owners_erasure_reaches_the_provider_without_any_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with VoiceClouds() as clouds:
        environment = clouds.environment("cartesia")
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        await desk.enrols(Wish(uses=("calls",), engine="cartesia"))
        async with opened(desk.home) as archive:
            prefix = enrol_cloud.prefix_of(archive)
            await archive.vault.put(OWNER, enrol_cloud.KIND, json.dumps([]).encode())
        (copies,) = enrol_cloud.copies(environment, lambda: prefix)
        assert copies.name == "cartesia"
        assert await copies.erase([], ["+493012345"]) == 0
        assert await copies.left([], [OWNER]) == 1
        assert await copies.erase([], [OWNER]) == 1
        assert await copies.left([], [OWNER]) == 0
        assert clouds.voices == {}


async def test_pocketsphinx_hears_a_statement_that_is_read_aloud(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    write_example(home.path)
    (home.path / "twin.toml").write_text('[speech]\nengine = "pocketsphinx"\n')
    recordings = examine([(enrolling.spoken(tmp_path, "recording", enrolling.READ), None)])
    drawn = await enrol.draw(home, CALLS, chance=random.Random(2))
    statement = read(enrolling.spoken(tmp_path, "statement", drawn.text))
    enrolled = await enrol.enrol(home, recordings, statement, drawn.id, CALLS, transcribe=False)
    assert await standing(home) == enrolled.consent_id
