"""The owner's voice in the built-in engine: shaped by recordings under a consent, unshaped for all the rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from agent import enrol, listening
from agent.cloned import UNDER, ClonedVoice
from agent.engines.voice.espeak import Espeak
from agent.engines.voice.fallback import Fallback
from agent.engines.voice.prepared import Prepared
from agent.home import Home
from agent.opening import CLONED, Openings
from agent.permission import Permit
from agent.stages.honesty import Line
from channels.call import CallEvent, Notice
from channels.outlet import State
from channels.spoken import Word
from compliance.disclosure import disclosure
from compliance.errors import EngineFailed
from persona.home import write_example
from persona.voice.dataset import REFERENCE
from persona.voice.recordings import examine
from persona.voice.shape import measure
from persona.voice.sound import Sound, read
from persona.voice.splitting import reference
from tests.doubles.mark import MARKED, heard_as
from tests.doubles.openai_speech import OpenAISpeechServer
from tests.unit.agent import enrolling
from tests.unit.agent.command import twin
from tests.unit.agent.engines.voice.gather import spoken
from tests.unit.agent.owner import owner
from tests.unit.agent.test_house import LONG, RATE_HZ, Here, consenting_house, house, until

ESPEAK = 'engine = "espeak"\n'
WIDE_HZ = 48_000


def sample(*, deeper: bool = False) -> Sound:
    """The callers' voice, of 173 Hz, or a deeper one of 135 Hz; espeak's own is of about 100."""
    voice = enrolling.callers()
    return reference([Sound(voice.at(20_800).samples, 16_000) if deeper else voice])


def pitch(pcm: bytes, rate_hz: int) -> float:
    heard = measure(np.frombuffer(pcm, np.int16), rate_hz).pitch_hz
    assert heard is not None
    return heard


def near(pitch_hz: float, voice: Sound) -> bool:
    """Within a semitone and a half of the mean pitch of a voice."""
    other = measure(voice.samples, voice.rate_hz).pitch_hz
    assert other is not None
    return abs(12 * float(np.log2(pitch_hz / other))) < 1.5


def shaped(here: Here) -> bool:
    """Whether the engine holds on to somebody's voice."""
    return here.house.lineup.has_voice


def manners(home: Path) -> list[Path]:
    return sorted((home / "cache").glob("espeak-*.json"))


async def test_enrolled_and_revoked_elsewhere_while_the_house_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PACE", 1_000.0)
    write_example(tmp_path)
    (tmp_path / "recordings-in").mkdir()
    recordings = examine([(enrolling.recording(tmp_path / "recordings-in"), None)])
    statement = read(enrolling.statement(tmp_path / "recordings-in"))
    async with house(tmp_path, voice=ESPEAK) as here, OpenAISpeechServer() as recogniser:
        assert here.silent
        assert not shaped(here)
        settings = f'[speech]\nengine = "openai"\nbase_url = "{recogniser.url}"\nmodel = "m"\n'
        (tmp_path / "twin.toml").write_text(settings, "utf-8")
        wish = enrol.Wish(uses=("calls",))
        drawn = await enrol.draw(Home(tmp_path), wish, chance=random.Random(2))
        recogniser.script.says = [drawn.text, ""]
        await enrol.enrol(Home(tmp_path), recordings, statement, drawn.id, wish, transcribe=False)
        await until(lambda: not here.silent)
        assert manners(tmp_path)

        own = here.house.openings.of(WIDE_HZ, "words")
        assert here.house.cloned is not None
        clone = here.house.cloned.openings.of(WIDE_HZ, "words")
        theirs = reference(recordings.clips)
        assert near(pitch(clone.disclosure.pcm, WIDE_HZ), theirs)
        for unshaped in (own.disclosure, own.apology, clone.apology):
            assert pitch(unshaped.pcm, WIDE_HZ) < 125
        async with here.call() as ringing:
            await ringing.hears_the_disclosure()
            begun = ringing.wire.bytes_sent
            ringing.live.consenting.say([Line(LONG)])
            await ringing.hears(lambda: "eight" in ringing.said)
            assert near(pitch(ringing.wire.sent[begun // 2 :].tobytes(), RATE_HZ), theirs)

            revoked = await asyncio.to_thread(
                twin, ["enroll", "voice", "--revoke", "--home", str(tmp_path)], tmp_path
            )
            assert revoked.code == 0, revoked.err
            await until(lambda: here.silent)
            left = ringing.wire.bytes_sent
            ringing.tick()
            assert ringing.live.call.outlet.state is State.FAILED
            apology = ringing.live.opening.apology
            ringing.tick(len(apology.pcm) // 2 // 160 + 5)
            assert heard_as(ringing.wire.sent[left // 2 :], apology.pcm) > MARKED
        await until(lambda: not (shaped(here) or manners(tmp_path) or (tmp_path / "cache" / CLONED).exists()))
        async with here.call() as after:
            assert after.live.opening is here.house.openings.of(RATE_HZ, "words")


async def test_the_voice_waits_for_the_recordings_and_follows_to_another_consent(tmp_path: Path) -> None:
    async with consenting_house(tmp_path, voice=ESPEAK) as (here, somebody):
        # An enrolment stores the consent first.
        assert here.silent
        assert here.cached == [tmp_path / "cache" / CLONED / UNDER]
        await somebody.clones.keep("voice", REFERENCE, sample().wav())
        await until(lambda: not here.silent)
        first = set(here.cached)
        assert here.house.cloned is not None
        assert near(pitch(here.house.cloned.openings.of(WIDE_HZ, "words").disclosure.pcm, WIDE_HZ), sample())

        await somebody.consents()
        await until(lambda: here.silent and not (shaped(here) or manners(tmp_path)))
        await somebody.clones.keep("voice", REFERENCE, sample(deeper=True).wav())
        await until(lambda: not here.silent)
        heard = pitch(here.house.cloned.openings.of(WIDE_HZ, "words").disclosure.pcm, WIDE_HZ)
        assert near(heard, sample(deeper=True))
        assert not first & (set(here.cached) - {tmp_path / "cache" / CLONED / UNDER})


async def test_the_next_start_finds_what_was_prepared_unless_the_consent_is_another(tmp_path: Path) -> None:
    async with consenting_house(tmp_path, voice=ESPEAK) as (here, somebody):
        await somebody.clones.keep("voice", REFERENCE, sample().wav())
        await until(lambda: not here.silent)
        assert here.house.cloned is not None
        said = here.house.cloned.openings.of(RATE_HZ, "words").disclosure
        (manner,) = manners(tmp_path)
        found = manner.stat().st_mtime_ns
    async with house(tmp_path, voice=ESPEAK) as here:
        assert not here.silent
        assert here.house.cloned is not None
        # espeak says nothing twice in the same way: this one was kept.
        assert here.house.cloned.openings.of(RATE_HZ, "words").disclosure == said
        assert manner.stat().st_mtime_ns == found
    async with owner(tmp_path) as somebody:
        await somebody.consents()
    async with house(tmp_path, voice=ESPEAK) as here:
        assert here.silent
        assert not manners(tmp_path)
        assert [file.name for file in here.cached] == [UNDER]


@pytest.mark.parametrize("cloned", [True, False])
async def test_revoked_while_no_house_was_running_the_next_start_forgets_the_shape(
    tmp_path: Path, cloned: bool
) -> None:
    left = tmp_path / "cache" / "espeak-0123456789abcdef01234567.json"
    left.parent.mkdir()
    left.write_text("{}", "utf-8")
    async with house(tmp_path, voice=ESPEAK, cloned=cloned):
        assert not left.exists()


async def test_a_caller_and_the_transcript_learn_of_a_fallen_voice_once(tmp_path: Path) -> None:
    async with house(tmp_path, cloned=False) as here:
        for _ in range(2):
            async with here.call() as ringing:
                told: list[CallEvent] = []
                ringing.live.call.watchers.append(told.append)
                await ringing.hears_the_disclosure()
                here.clone.script.status = 500
                ringing.live.consenting.say([Line(LONG), Line("Goodbye then, my dear friend.")])
                await ringing.hears(lambda: ringing.said_to_end("dear friend."))
            notices = [event for event in told if isinstance(event, Notice)]
            assert [notice.code for notice in notices] == ["fallback"]
            assert "espeak has taken over" in notices[0].text
        await here.house.vault.flush()
        for entry in await here.house.vault.calls():
            kept = await here.house.vault.call(entry.id)
            assert kept is not None
            noted = [event.detail for event in kept.events if event.kind == "fallback"]
            assert noted == [{"from": "openai", "to": "espeak"}]


WRITTEN = "Please ask Nguyen about it."


@pytest.mark.parametrize("voice", [ESPEAK, 'engine = "openai"\n'])
async def test_the_dictionary_changes_what_is_spoken_and_not_what_is_written(tmp_path: Path, voice: str) -> None:
    dictionary = tmp_path / "pronunciation.toml"
    async with house(tmp_path, cloned=False, voice=voice) as here:
        plain = await spoken(here.house.lineup.voice, WRITTEN)
        disclosed = here.house.openings.of(RATE_HZ, "words").disclosure
    dictionary.write_text('[words]\nNguyen = "win win win win win win"\nAlder = "all the red roses"\n', "utf-8")
    async with house(tmp_path, cloned=False, voice=voice) as here:
        assert here.house.openings.of(RATE_HZ, "words").disclosure.duration_ms > disclosed.duration_ms + 300
        async with here.call() as ringing:
            await ringing.hears_the_disclosure()
            assert "Alder" in ringing.said
            ringing.live.consenting.say([Line(WRITTEN)])
            await ringing.hears(lambda: ringing.said_to_end(WRITTEN))
        read_out = await spoken(here.house.lineup.voice, WRITTEN)
        assert [word.text for word in read_out.words] == WRITTEN.split()
        assert read_out.ms > plain.ms + 500
        if "openai" in voice:
            assert "Please ask win win win win win win about it." in here.cloned_texts
            assert any("all the red roses" in text for text in here.cloned_texts)
            assert not any("Nguyen" in text or "Alder" in text for text in here.cloned_texts)
        voices = here.house.lineup.voice
        assert isinstance(voices, Fallback)


async def test_a_shaped_voice_knows_phonemes_and_is_not_asked_twice(tmp_path: Path) -> None:
    async with house(tmp_path, voice=ESPEAK) as here:
        voices = here.house.lineup.voice
        assert isinstance(voices, Fallback)
        assert isinstance(voices.first.voice, Espeak)  # type: ignore[attr-defined]
        said = await spoken(voices, "Hello there.")
        assert said.phonemes
        assert all(chunk.exact for chunk in said.chunks if chunk.pcm)


class Allowed:
    valid = True


class TestFollowing:
    """The consent comes and goes; the engine may fail meanwhile."""

    def follower(
        self,
        folder: Path,
        consents: list[str],
        *,
        imitate: Callable[[], Awaitable[bool]],
        forget: Callable[[], Awaitable[None]],
    ) -> ClonedVoice:
        async def say(text: str, language: str, rate_hz: int) -> Prepared:
            (folder / text[:5]).write_bytes(b"sound")
            return Prepared(b"\1\0" * 160, rate_hz, (Word(text, 0, 20),))

        def ask() -> Permit | None:
            return Allowed() if consents else None

        texts = {"words": disclosure("en", owner="Martin Alder")}
        openings = Openings(texts, (8_000,), say, say)  # type: ignore[arg-type]
        return ClonedVoice(
            openings, folder, ask, imitate, forget, consent=lambda: consents[-1] if consents else ""
        )

    async def test_files_go_though_the_engine_does_not_forget_and_it_is_asked_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("agent.cloned.WATCH_S", 0.005)
        folder, consents, asked = tmp_path / "clone", ["one"], list[str]()

        async def imitate() -> bool:
            asked.append("imitate")
            return True

        async def forget() -> None:
            asked.append("forget")
            if not consents and asked.count("forget") > 2:
                raise EngineFailed("its server does not answer")

        follower = self.follower(folder, consents, imitate=imitate, forget=forget)
        await follower.start()
        assert follower.permit is not None
        assert asked == ["forget", "imitate"]
        await until(lambda: follower.openings.prepared)
        consents.clear()
        assert follower.permit is None
        await until(lambda: not folder.exists() and asked.count("forget") > 4)
        consents.append("two")
        await until(lambda: follower.permit is not None)
        assert (folder / UNDER).read_text() == "two"
        await follower.close()

    async def test_under_the_same_consent_nothing_is_forgotten_at_a_start(self, tmp_path: Path) -> None:
        folder, asked = tmp_path / "clone", list[str]()
        folder.mkdir()
        (folder / UNDER).write_text("one")

        async def imitate() -> bool:
            asked.append("imitate")
            return True

        async def forget() -> None:
            asked.append("forget")

        follower = self.follower(folder, ["one"], imitate=imitate, forget=forget)
        await follower.start()
        await follower.close()
        assert asked == ["imitate"]
