"""`twin enroll face` on a real home and vault: what is refused, what is kept, and what becomes of it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from PIL import Image

from agent import cli_enrol, listening
from agent import say as saying
from agent.archive import opened
from agent.engines.voice.prepared import Prepared, prepare
from agent.face.enrolled import INVENTED, KEPT, likeness
from agent.face.making import kind_of
from agent.home import Home
from agent.say import say
from compliance.errors import ConsentMissing, FaceUnfit, SettingsError, TwinError
from persona.home import write_example
from persona.voice.dataset import REFERENCE
from persona.voice.sound import read
from tests.doubles.openai_speech import OpenAISpeechServer
from tests.faces import faces_cache
from tests.unit.agent import enrolling
from tests.unit.agent.owner import owner
from tests.unit.avatar.head.files import head

PHOTO = Path(__file__).parents[1] / "avatar" / "portrait" / "photos" / "collins.jpg"
SMALL = "\n[face]\nwidth = 256\nheight = 256\n"

twin = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
twin.add_typer(cli_enrol.app, name="enroll")


class Desk:
    """Somebody at a terminal with a file and a recogniser that hears what it is told."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], recogniser: OpenAISpeechServer) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self._recogniser = recogniser
        self._capture = capture

    async def face(self, *arguments: str | Path) -> str:
        """What the command printed; raises what it would say in one line."""
        self._capture.readouterr()
        words = ["enroll", "face", *map(str, arguments), "--home", str(self.home.path)]
        assert not await asyncio.to_thread(twin, words, standalone_mode=False)
        return self._capture.readouterr().out

    async def refused(self, *arguments: str | Path) -> TwinError:
        with pytest.raises(TwinError) as caught:
            await self.face(*arguments)
        assert "\n" not in caught.value.message
        return caught.value

    async def statement(self) -> tuple[str | Path, ...]:
        """The owner reads a new one aloud."""
        drawn = json.loads(await self.face("--challenge", "--json"))
        assert "copy of my face" in drawn["text"]
        self._recogniser.script.says = lambda asked: drawn["text"] if len(self._recogniser.asked) == 1 else ""
        self._recogniser.asked.clear()
        return "--statement", enrolling.statement(self.folder), "--challenge-id", str(drawn["challenge"])

    async def kept(self, engine: str) -> bytes | None:
        async with opened(self.home) as archive:
            found = await likeness(archive.clones, engine)
            return found[1] if found else None


@pytest.fixture
async def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(listening, "PACE", 1_000.0)
    write_example(tmp_path / "home")
    (tmp_path / "home" / "cache").symlink_to(faces_cache(), target_is_directory=True)
    async with OpenAISpeechServer() as recogniser:
        speech = f'[speech]\nengine = "openai"\nbase_url = "{recogniser.url}"\nmodel = "m"\n'
        (tmp_path / "home" / "twin.toml").write_text(speech + SMALL)
        yield Desk(tmp_path, capsys, recogniser)


async def test_a_photo_is_kept_sealed_under_the_spoken_consent(desk: Desk) -> None:
    out = await desk.face(PHOTO, *await desk.statement())
    assert "the consent holds until" in out
    assert "its words alone counted" in out
    assert 'engine = "portrait"' in out
    kept = await desk.kept("portrait")
    assert kept is not None
    with Image.open(io.BytesIO(kept)) as photo:
        assert not photo.getexif()
        assert max(photo.size) <= 2_048
    piece = kept[1_000:1_064]
    assert not any(piece in file.read_bytes() for file in desk.home.path.glob("*/*/*") if file.is_file())


async def test_a_film_shows_the_enrolled_face_while_the_consent_to_videos_stands(desk: Desk) -> None:
    await desk.face(PHOTO, *await desk.statement())
    toml = desk.home.path / "twin.toml"
    toml.write_text(toml.read_text() + 'engine = "portrait"\n')
    film = desk.folder / "hello.mp4"
    await say("Hello.", film, desk.home.path, force=False)
    frame = cv2.VideoCapture(str(film)).read()[1]
    assert frame.shape == (256, 256, 3)
    # The photo's orange suit is in the picture, and no drawn person wears one.
    assert (np.ptp(frame.reshape(-1, 3).astype(int), axis=1) > 100).mean() > 0.01
    await desk.face("--revoke")
    with pytest.raises(ConsentMissing, match="twin enroll face"):
        await say("Hello.", desk.folder / "again.mp4", desk.home.path, force=False)
    assert not (desk.folder / "again.mp4").exists()


async def test_a_consent_that_ends_while_a_film_is_made_leaves_no_film(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.face(PHOTO, *await desk.statement())
    toml = desk.home.path / "twin.toml"
    toml.write_text(toml.read_text() + 'engine = "portrait"\n')

    async def prepared_and_revoked(*arguments: object, **named: object) -> Prepared:
        made = await prepare(*arguments, **named)  # type: ignore[arg-type]
        await desk.face("--revoke")
        return made

    monkeypatch.setattr(saying, "prepare", prepared_and_revoked)
    with pytest.raises(ConsentMissing, match="ended meanwhile"):
        await say("Hello.", desk.folder / "hello.mp4", desk.home.path, force=False)
    assert not list(desk.folder.glob("*.mp4"))


async def test_revoking_leaves_nothing_of_it(desk: Desk) -> None:
    await desk.face(PHOTO, *await desk.statement())
    assert "nothing is left" in await desk.face("--revoke")
    assert not list((desk.home.path / "clones").glob("*/*"))


async def test_the_statement_is_compared_with_the_enrolled_voice_where_there_is_one(desk: Desk) -> None:
    async with owner(desk.home.path) as somebody:
        await somebody.consents("calls")
        await somebody.clones.keep("voice", REFERENCE, read(enrolling.impostor(desk.folder)).wav())
    error = await desk.refused(PHOTO, *await desk.statement())
    assert "not spoken by the person" in error.message
    async with opened(desk.home) as archive:
        assert archive.permits.standing("face") is None


async def test_a_statement_about_the_voice_is_no_consent_to_the_face(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["enroll", "voice", "--challenge", "--json", "--home", str(desk.home.path)]
    await asyncio.to_thread(twin, arguments, standalone_mode=False)
    drawn = json.loads(capsys.readouterr().out)
    statement = ("--statement", enrolling.statement(desk.folder), "--challenge-id", drawn["challenge"])
    assert "about a voice" in (await desk.refused(PHOTO, *statement)).message


async def test_a_preview_shows_the_face_and_keeps_nothing(desk: Desk) -> None:
    out = await desk.face(PHOTO, "--preview", desk.folder / "looks.png")
    assert "nothing was enrolled" in out
    sheet = cv2.imread(str(desk.folder / "looks.png"))
    assert sheet is not None
    assert sheet.shape[1] >= 1_024
    assert (desk.folder / "looks.png").stat().st_mode & 0o777 == 0o600
    assert "only PNG" in (await desk.refused(PHOTO, "--preview", desk.folder / "looks.jpg")).message
    assert not (desk.home.path / "clones").exists()


async def test_what_is_no_file_is_refused(desk: Desk) -> None:
    for path in (desk.folder / "gone.jpg", desk.folder, Path("/dev/zero")):
        assert "no such file" in (await desk.refused(path, "--preview", desk.folder / "looks.png")).message


async def test_without_a_consent_nothing_is_kept(desk: Desk) -> None:
    assert isinstance(await desk.refused(PHOTO), SettingsError)
    assert not (desk.home.path / "clones").exists()


async def test_an_invented_head_needs_no_consent_and_a_photo_is_never_invented(desk: Desk) -> None:
    file = desk.folder / "head.glb"
    file.write_bytes(head("arkit"))
    out = await desk.face(file, "--invented")
    assert 'engine = "head"' in out
    assert (desk.home.path / INVENTED / KEPT["head"]).read_bytes() == file.read_bytes()
    assert (desk.home.path / INVENTED / KEPT["head"]).stat().st_mode & 0o777 == 0o600
    assert isinstance(await desk.refused(PHOTO, "--invented"), FaceUnfit)
    await desk.face("--revoke")
    assert not (desk.home.path / INVENTED).exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("broken.jpg", PHOTO.read_bytes()[:900]),
        ("empty.png", b""),
        ("text.jpg", b"This is no photo."),
        ("broken.glb", head("arkit")[:900]),
        ("broken.mp4", b"\0\0\0\x18ftypmp42" + bytes(200)),
    ],
)
async def test_a_file_that_no_face_can_be_made_of_is_refused_by_name_in_one_line(
    desk: Desk, name: str, data: bytes
) -> None:
    (desk.folder / name).write_bytes(data)
    error = await desk.refused(desk.folder / name, "--preview", desk.folder / "p.png")
    assert isinstance(error, FaceUnfit)
    assert error.message.startswith(name)


def test_what_a_file_is_shows_in_its_first_bytes() -> None:
    assert kind_of(head("arkit")) == "head"
    assert kind_of(PHOTO.read_bytes()) == "photo"
    assert kind_of(b"\0\0\0\x18ftypmp42" + bytes(8)) == "clip"
    assert kind_of(b"\x1aE\xdf\xa3webm") == "clip"
    assert kind_of(b"\0\0\0\x18ftypheic") == "photo"
    assert kind_of(b"") == "photo"
