"""Which face a process has, which calls show it, and what happens where it cannot."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest

from agent.face import lineup
from agent.face.enrolled import KEPT
from agent.face.lineup import Faces, Loaded
from agent.face.making import Made
from agent.face.permitted import Permitted
from agent.permission import Permit
from agent.settings import FaceSection
from avatar.controls import Controls, at_rest
from avatar.errors import FaceError
from avatar.picture import Picture
from channels.call import Call, Caller, CallEvent, Notice
from channels.clock import Clock
from channels.inlet import Inlet
from channels.outlet import Outlet
from channels.view import View
from compliance.errors import FaceUnfit, SettingsError
from tests.doubles.host import Conversation
from tests.doubles.mark import NoMark
from tests.doubles.wire import EarWire


class Plain:
    """A rig of one shade."""

    width = height = 64

    def __init__(self, name: str = "illustrated", luma: int = 100) -> None:
        self.name = name
        self._luma = luma

    def blank(self) -> Picture:
        picture = Picture(self.width, self.height)
        picture.u.fill(self._luma)
        return picture

    def draw(self, controls: Controls, picture: Picture) -> None:
        picture.y.fill(self._luma)


class Consent:
    valid = True


class Sealed:
    """What was enrolled."""

    def __init__(self, **files: bytes) -> None:
        self._files = files

    async def read(self, likeness: Literal["face"], name: str) -> bytes | None:
        return self._files.get(name.replace(".", "_"))


@pytest.fixture(autouse=True)
def drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineup, "illustrated", lambda settings, name, cache: Loaded(Plain(), "cpu: for a test"))


@asynccontextmanager
async def faces(
    tmp_path: Path,
    *,
    sealed: Sealed | None = None,
    permit: Permit | None = None,
    language: str = "en",
    secrets: dict[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[Faces]:
    made = Faces(
        FaceSection(**settings),
        name="Ada Example",
        language=language,
        cache=tmp_path / "cache",
        home=tmp_path,
        clones=lambda: sealed or Sealed(),
        permit=lambda: permit,
        secrets=secrets,
    )
    try:
        made.start()
        await made.ready()
        yield made
    finally:
        await made.close()


def call_of(number: int = 1) -> tuple[Call, list[CallEvent]]:
    wire = EarWire(48_000)
    clock = Clock(wire.rate_hz)
    conversation = Conversation()
    told: list[CallEvent] = []
    call = conversation.call = Call(
        id=f"call-{number}",
        channel="web",
        caller=Caller(),
        wire=wire,
        clock=clock,
        inlet=Inlet(16_000, conversation),
        outlet=Outlet(clock, wire, conversation, mark=NoMark()),
        started_at=datetime.now(UTC),
        watchers=[told.append],
    )
    return call, told


async def test_a_call_shows_the_face_and_the_face_watches_its_outlet(tmp_path: Path) -> None:
    async with faces(tmp_path) as made:
        call, told = call_of()
        view = made.show(call)
        assert view is not None
        assert made.seen(call.id) is view
        call.outlet.tick()
        assert await asyncio.wrap_future(made._pool.submit(view.draw, 0)) is not None

        assert (made.live, made.frames, made.serves) == (1, 1, "illustrated")
        assert len(made.drawn_ms) == 1
        assert told == []


async def test_a_call_that_is_over_gives_its_place_back_and_its_frames_still_count(tmp_path: Path) -> None:
    async with faces(tmp_path, max_faces=1) as made:
        first, _ = call_of(1)
        second, told = call_of(2)
        view = made.show(first)
        assert view is not None
        await asyncio.wrap_future(made._pool.submit(view.draw, 0))
        assert made.show(second) is None
        assert [event for event in told if isinstance(event, Notice)] == [Notice("no_face", lineup.FULL)]
        assert made.refused == 1

        made.leave(first.id)
        made.leave(first.id)
        assert made.show(second) is not None
        assert (made.live, made.frames) == (1, 1)


@pytest.mark.parametrize("engine", ["none", "still"])
async def test_no_video_means_none(tmp_path: Path, engine: str) -> None:
    async with faces(tmp_path, engine=engine) as made:
        call, told = call_of()
        assert made.show(call) is None
        assert (made.serves, told) == ("still", [])


async def test_the_mark_speaks_the_twins_language_and_the_film_is_as_set(tmp_path: Path) -> None:
    async with faces(tmp_path, language="de-AT", fps=30, bitrate_kbps=700) as made:
        view = made.show(call_of()[0])
        assert view is not None
        assert (view.film.mark, view.film.fps, view.film.bitrate_kbps) == ("KI", 30, 700)


async def test_a_look_that_cannot_be_is_refused_at_the_start_with_what_can(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[face\] look: hair is one of .*bob"):
        async with faces(tmp_path, look={"hair": "plaid"}):
            pass


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (FaceError("the brush is gone"), "the brush is gone"),
        (RuntimeError("with a path in it"), "it could not be made (RuntimeError)"),
    ],
)
async def test_when_there_is_no_face_calls_go_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    def fails(settings: FaceSection, name: str, cache: Path) -> Loaded:
        raise error

    monkeypatch.setattr(lineup, "illustrated", fails)
    async with faces(tmp_path) as made:
        assert made.failure == why
        assert made.show(call_of()[0]) is None
        assert made.serves == "still"


async def test_a_call_that_begins_before_the_face_is_ready_gets_it_then(tmp_path: Path) -> None:
    made = Faces(
        FaceSection(),
        name="Ada Example",
        language="en",
        cache=tmp_path,
        home=tmp_path,
        clones=Sealed,
        permit=lambda: None,
    )
    view = made.show(call_of()[0])
    assert view is not None
    assert view.draw(0) is None
    made.start()
    await made.ready()
    assert view.draw(1) is not None
    await made.close()
    await made.close()


class Makes:
    """`Making`, for files of any content."""

    error: Exception | None = None

    def __init__(self, settings: FaceSection, cache: Path) -> None: ...

    def make(self, kind: str, data: bytes, name: str) -> Any:
        if self.error:
            raise self.error
        return Made(Plain(f"{kind} of {data.decode()}", 200), data, (), why="measured")


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> type[Makes]:
    class Own(Makes): ...

    monkeypatch.setattr(lineup, "Making", Own)
    return Own


async def test_the_owners_face_is_shown_with_the_owners_consent(tmp_path: Path, making: type[Makes]) -> None:
    sealed = Sealed(**{KEPT["photo"].replace(".", "_"): b"Ada"})
    async with faces(tmp_path, engine="portrait", sealed=sealed, permit=Consent()) as made:
        assert made.serves == "photo of Ada"
        assert made.loaded is not None
        assert made.loaded.device.startswith("cpu: measured; ")
        assert made.loaded.why == ""


@pytest.mark.parametrize(
    ("permit", "sealed", "error", "why"),
    [
        (None, Sealed(face_photo=b"Ada"), None, "consent"),
        (Consent(), Sealed(), None, "twin enroll face"),
        (Consent(), Sealed(face_photo=b"Ada"), FaceUnfit("two people are in it"), "two people"),
    ],
)
async def test_without_consent_or_face_the_drawn_one_stands_in_and_it_is_said_why(
    tmp_path: Path,
    making: type[Makes],
    permit: Permit | None,
    sealed: Sealed,
    error: Exception | None,
    why: str,
) -> None:
    making.error = error
    async with faces(tmp_path, engine="portrait", sealed=sealed, permit=permit) as made:
        assert made.serves == "illustrated"
        assert made.loaded is not None
        assert why in made.loaded.why


async def test_a_head_that_is_nobodys_likeness_needs_no_consent(tmp_path: Path, making: type[Makes]) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / KEPT["head"]).write_bytes(b"a robot")
    async with faces(tmp_path, engine="head") as made:
        assert made.serves == "head of a robot"


def drawn(rig: Permitted, picture: Picture) -> tuple[int, int]:
    rig.draw(at_rest(), picture)
    return int(picture.y[0, 0]), int(picture.u[0, 0])


def test_from_the_frame_at_which_consent_ends_on_nothing_of_the_owner_is_seen() -> None:
    consent = Consent()
    rig = Permitted(Plain("portrait", 200), Plain("illustrated", 100), consent)
    picture = rig.blank()
    assert drawn(rig, picture) == (200, 200)
    consent.valid = False
    assert drawn(rig, picture) == (100, 100), "the background neither"
    assert rig.name == "illustrated"
    assert np.array_equal(rig.blank().i420, Plain(luma=100).blank().i420)
    consent.valid = True
    assert drawn(rig, picture) == (100, 100), "it does not come back in the middle of a call"


def test_when_consent_ends_the_likeness_is_not_kept_in_memory_either() -> None:
    consent, own = Consent(), Plain("portrait", 200)
    gone = weakref.ref(own)
    rig = Permitted(own, Plain(), consent)
    del own
    picture = rig.blank()
    assert gone() is not None
    consent.valid = False
    drawn(rig, picture)
    assert gone() is None


def test_a_face_that_goes_by_time_is_told_it() -> None:
    at: list[float] = []

    class Clip(Plain):
        def draw_at(self, controls: Controls, picture: Picture, t_ms: float) -> None:
            at.append(t_ms)

    consent = Consent()
    rig = Permitted(Clip("clip"), Plain(), consent)
    rig.draw_at(at_rest(), rig.blank(), 40.0)
    consent.valid = False
    rig.draw_at(at_rest(), rig.blank(), 80.0)
    assert at == [40.0]


PROGRAM = [sys.executable, "-m", "tests.doubles.avatar_program"]


async def until_shown(made: Faces, view: View, luma: set[int]) -> None:
    """Draws until a picture of one of these shades is seen: a program answers in its own time."""
    async with asyncio.timeout(30):
        number = 0
        while True:
            number += 1
            frame = await asyncio.wrap_future(made._pool.submit(view.draw, number))
            assert frame is not None
            if int(frame.picture.y[40, 20]) in luma:
                return
            await asyncio.sleep(0.02)


async def test_a_program_of_the_owners_draws_the_face_of_a_call(tmp_path: Path) -> None:
    async with faces(tmp_path, engine="neural", command=PROGRAM) as made:
        assert (made.serves, made.failure) == ("neural", "")
        assert made.loaded is not None
        assert made.loaded.why == ""
        call, _ = call_of()
        view = made.show(call)
        assert view is not None
        await until_shown(made, view, {93, 94})
        made.leave(call.id)


async def test_in_the_owners_likeness_it_draws_only_while_the_consent_stands(tmp_path: Path) -> None:
    consent = Consent()
    async with faces(tmp_path, engine="neural", command=PROGRAM, likeness=True, permit=consent) as made:
        call, _ = call_of()
        view = made.show(call)
        assert view is not None
        await until_shown(made, view, {93, 94})
        consent.valid = False
        frame = await asyncio.wrap_future(made._pool.submit(view.draw, 1_000))
        assert frame is not None
        assert frame.picture.y[40, 20] == 100
        made.leave(call.id)


async def test_in_the_owners_likeness_it_draws_nothing_without_a_consent(tmp_path: Path) -> None:
    async with faces(tmp_path, engine="neural", command=PROGRAM, likeness=True) as made:
        call, _ = call_of()
        view = made.show(call)
        assert view is not None
        frame = await asyncio.wrap_future(made._pool.submit(view.draw, 1))
        assert frame is not None
        assert frame.picture.y[40, 20] == 100
        assert made.elsewhere is not None
        assert not made.elsewhere.shown


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"engine": "neural"}, "[face] neural needs command"),
        ({"engine": "neural", "command": ["/no/such/program"]}, "/no/such/program"),
        ({"engine": "simli", "avatar": "x"}, "SIMLI_API_KEY"),
        ({"engine": "tavus"}, "[face] tavus needs avatar"),
    ],
)
async def test_where_others_cannot_draw_the_drawn_face_serves_and_says_why(
    tmp_path: Path, settings: dict[str, Any], why: str
) -> None:
    async with faces(tmp_path, **settings) as made:
        assert made.failure == ""
        assert made.loaded is not None
        assert why in made.loaded.why
        assert made.serves == "illustrated"


async def test_the_page_shows_the_face_of_the_calls_before_one_begins(tmp_path: Path) -> None:
    async with faces(tmp_path) as made:
        still = await made.still()
        assert still is not None
        picture = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (64, 64, 3)
        assert await made.still() is still
    async with faces(tmp_path, engine="none") as made:
        assert await made.still() is None


async def test_the_owners_face_is_not_on_the_page_any_more_once_the_consent_ends(tmp_path: Path) -> None:
    consent = Consent()
    async with faces(tmp_path) as made:
        made.loaded = Loaded(Permitted(Plain("portrait", 200), Plain("illustrated", 100), consent), "cpu")
        before = await made.still()
        consent.valid = False
        assert await made.still() != before
