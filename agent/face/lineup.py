"""The face of one process: drawn once, shared by all calls, and nothing waits for it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from agent.face.elsewhere import Elsewhere
from agent.face.elsewhere_options import Options
from agent.face.enrolled import Clones, invented, likeness
from agent.face.making import Made, Making
from agent.face.permitted import Permitted
from agent.permission import Permit
from agent.settings import ELSEWHERE, FaceSection
from avatar.controls import at_rest
from avatar.errors import FaceError
from avatar.illustrated.look import Look
from avatar.mark import TEXTS, stamp
from avatar.rig import Rig
from avatar.stage import Stage
from channels.call import Call, Notice
from channels.view import Face, Film, View
from compliance.errors import ConsentMissing, EngineError, EngineMissing, FaceUnfit, SettingsError, TwinError

logger = logging.getLogger(__name__)

MAX_THREADS = 8
KEPT_TIMES = 1_000
STILL_QUALITY = 90
CLOSE_LIMIT_S = 10.0
ENROLLED = "the enrolled face"
FULL = "Too many people see the twin at this moment, so this call has sound only."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A face that is ready, and how it does."""

    rig: Rig
    device: str
    """Which device draws it and why, with the time that a picture took when that was measured: one line."""
    why: str = ""
    """Why it is not the face that was chosen; empty when it is."""


class Faces:
    """`start` before serving, `close` after. A call that begins before the face is ready gets it when it is."""

    def __init__(
        self,
        settings: FaceSection,
        *,
        name: str,
        language: str,
        cache: Path,
        home: Path,
        clones: Callable[[], Clones],
        permit: Callable[[], Permit | None],
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """`name` is the owner's: it chooses what `[face] look` leaves open. `clones` has what was enrolled, and
        `permit` is the owner's consent to be shown in calls, where it stands. `secrets` are the keys of those who
        draw elsewhere."""
        self.elsewhere: Elsewhere | None = None
        """What draws for others, once it serves."""
        self.loaded: Loaded | None = None
        self.failure = ""
        """Why there is no face, in one line; empty while there is one or it is still being made."""
        self.drawn_ms: deque[float] = deque(maxlen=KEPT_TIMES)
        """What the last pictures took."""
        self.frames_before = 0
        """Pictures of calls that are over."""
        self.refused = 0
        """Calls that were carried without video because there were too many."""
        self._settings = settings
        self._name = name
        self._language = language
        self._cache = cache
        self._clones = clones
        self._permit = permit
        self._home = home
        self._secrets = secrets or {}
        self._views: dict[str, View] = {}
        self._still: tuple[str, bytes] | None = None
        """Of which face, and the picture."""
        self._loading: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(_threads(), thread_name_prefix="face")

    @property
    def live(self) -> int:
        """How many calls show a face now."""
        return len(self._views)

    @property
    def frames(self) -> int:
        """Pictures drawn so far."""
        return self.frames_before + sum(view.frames for view in self._views.values())

    @property
    def serves(self) -> str:
        """What is shown, for people: what was chosen, until it is known what it became."""
        if self.elsewhere is not None:
            return self.elsewhere.name
        if self.loaded is not None:
            return self.loaded.rig.name
        return self._settings.engine if self._settings.moves and not self.failure else "still"

    def start(self) -> None:
        """Begin to make the face; nothing waits for it. Raises `SettingsError` for a look that cannot be."""
        if not self._settings.moves:
            return
        if self._settings.engine == "illustrated":
            check_look(self._settings, self._name)
        self._loading = asyncio.create_task(self._load(), name="load face")

    async def ready(self) -> None:
        """Wait until the face is there, or is known not to come."""
        if self._loading is not None:
            await asyncio.wait([self._loading])

    async def close(self) -> None:
        """Free everything, within a limit. Safe to call twice."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading], timeout=CLOSE_LIMIT_S)
        if self.elsewhere is not None:
            await self.elsewhere.close()
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        except TimeoutError:
            logger.error("the face did not close in time")

    def show(self, call: Call) -> View | None:
        """A face for this call, which watches its outlet from now on; None without one, and the call is told when
        there are too many."""
        if not self._settings.moves or self.failure or call.id in self._views:
            return None
        if len(self._views) >= self._settings.max_faces:
            self.refused += 1
            call.tell(Notice("no_face", FULL))
            return None
        view = self._views[call.id] = self.view(call)
        call.outlet.watch(view)
        return view

    def leave(self, call_id: str) -> None:
        """The call is over and another may have its place. Safe when it had none."""
        view = self._views.pop(call_id, None)
        if view is not None:
            self.frames_before += view.frames
        if self.elsewhere is not None:
            self.elsewhere.leave(call_id)

    def seen(self, call_id: str) -> View | None:
        """The face that the call shows."""
        return self._views.get(call_id)

    def view(self, call: Call) -> View:
        """A face on the call's clock that nobody shows or counts yet."""
        seed = int.from_bytes(hashlib.sha256(call.id.encode()).digest()[:4])

        def make() -> Face | None:
            stage = self.face(call.clock.rate_hz, seed)
            if stage is None or self.elsewhere is None:
                return stage
            return self._covered(self.elsewhere, call, stage)

        film = Film(self._settings.fps, mark_of(self._language), self._settings.bitrate_kbps)
        return View(call.clock, make, self._pool, film, on_drawn=self.drawn_ms.append)

    def face(self, rate_hz: int, seed: int) -> Stage | None:
        """A new face on a clock of that rate, which moves like no other seed's; None while none is loaded."""
        if self.loaded is None:
            return None
        return Stage(self.loaded.rig, rate_hz=rate_hz, seed=seed, temper=self._settings.temper)

    def _covered(self, elsewhere: Elsewhere, call: Call, stage: Stage) -> Face:
        """The face that is drawn elsewhere, with the stage where it has no picture or may not be shown."""
        permit = self._permit() if self._settings.likeness else None
        if self._settings.likeness and permit is None:
            return stage

        def tell(text: str) -> None:
            call.tell(Notice("face", text))

        if permit is None:
            return elsewhere.cover(call.id, stage, call.clock.rate_hz, tell=tell)
        return elsewhere.cover(call.id, stage, call.clock.rate_hz, tell=tell, allowed=lambda: permit.valid)

    async def still(self) -> bytes | None:
        """The face at rest, with its mark, as a JPEG for a page that shows it before a call; None while there is
        none. It is that of the owner only while the consent stands, as in calls."""
        loaded = self.loaded
        if loaded is None:
            return None
        name = loaded.rig.name
        if self._still is None or self._still[0] != name:
            work = functools.partial(_still, loaded.rig, mark_of(self._language))
            self._still = name, await asyncio.get_running_loop().run_in_executor(self._pool, work)
        return self._still[1]

    async def _load(self) -> None:
        try:
            self.loaded = await self._chosen()
        except TwinError as error:
            self.failure = error.message
        except FaceError as error:
            self.failure = str(error)
        except Exception as error:  # noqa: BLE001  a face is drawn by much code, and calls go on without one
            self.failure = f"it could not be made ({type(error).__name__})"
            logger.error("the face could not be made", extra={"error": type(error).__name__})
        else:
            logger.info("the face is ready", extra={"face": self.serves, "device": self.loaded.device})

    async def _chosen(self) -> Loaded:
        engine = self._settings.engine
        if engine == "illustrated":
            return await self._in_pool(lambda: illustrated(self._settings, self._name, self._cache))
        if engine in ELSEWHERE:
            return replace(await self._cover(), why=await self._started())
        try:
            return await self._enrolled(engine)
        except (ConsentMissing, FaceUnfit, EngineMissing) as error:
            stand_in = await self._in_pool(lambda: illustrated(self._settings, self._name, self._cache))
            return replace(stand_in, why=error.message)

    async def _cover(self) -> Loaded:
        """What is shown where others have no picture: the same likeness, if it was enrolled as a photo or clip."""
        if self._settings.likeness:
            try:
                return await self._enrolled("portrait")
            except (ConsentMissing, FaceUnfit, EngineMissing) as error:
                logger.info("no portrait to cover with", extra={"code": error.code})
        return await self._in_pool(lambda: illustrated(self._settings, self._name, self._cache))

    async def _started(self) -> str:
        """Have others draw; why they do not, in one line, or nothing."""
        try:
            elsewhere = Elsewhere(Options.of(self._settings), self._secrets)
            await elsewhere.start()
        except ValueError as error:
            return f"[face] {error}"
        except EngineError as error:
            return error.message
        self.elsewhere = elsewhere
        return ""

    async def _enrolled(self, engine: str) -> Loaded:
        """Raises `ConsentMissing`, `FaceUnfit`, `EngineMissing` and `VaultError`."""
        making = Making(self._settings, self._cache)
        nobody = await invented(self._home) if engine == "head" else None
        if nobody is not None:
            return await self._in_pool(lambda: _ready(making.make("head", nobody, ENROLLED)))
        permit = self._permit()
        if permit is None:
            raise ConsentMissing("The owner's consent to be shown was not given, was revoked or is over.")
        kept = await likeness(self._clones(), engine)
        if kept is None:
            raise ConsentMissing(f"No face is enrolled for [face] engine = {engine}; twin enroll face FILE")
        kind, data = kept

        def made() -> Loaded:
            own = _ready(making.make(kind, data, ENROLLED))
            other = illustrated(self._settings, self._name, self._cache)
            return replace(own, rig=Permitted(own.rig, other.rig, permit))

        return await self._in_pool(made)

    def _in_pool(self, work: Callable[[], Loaded]) -> Awaitable[Loaded]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work)


def mark_of(language: str) -> str:
    """What the mark on every picture says in this language."""
    return TEXTS.get(language.split("-")[0], "AI")


def _still(rig: Rig, mark: str) -> bytes:
    import cv2

    picture = rig.blank()
    rig.draw(at_rest(), picture)
    stamp(picture, mark)
    bgr = cv2.cvtColor(picture.i420, cv2.COLOR_YUV2BGR_I420)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, STILL_QUALITY])[1].tobytes()


def check_look(settings: FaceSection, name: str) -> None:
    """Raises `SettingsError` with what a look can be."""
    try:
        Look(**{**Look.of(name).as_settings(), **settings.look})  # type: ignore[arg-type]  # checked at birth
    except (TypeError, ValueError) as error:
        raise SettingsError(f"[face] look: {error}") from None


def illustrated(settings: FaceSection, name: str, cache: Path | None = None) -> Loaded:
    """The drawn face of this size, from `cache` if it is there. Takes up to some seconds; not for the loop."""
    import cv2

    from agent.face.drawn import puppet
    from avatar.render.choose import choose

    # Calls are many and pictures small: OpenCV's own threads would only get into each other's way.
    cv2.setNumThreads(1)
    look = Look(**{**Look.of(name).as_settings(), **settings.look})  # type: ignore[arg-type]  # checked at birth
    choice = choose(puppet(look, settings.width, settings.height, cache), settings.device)
    return Loaded(choice.rig, choice.why)


def _ready(made: Made) -> Loaded:
    from avatar.render.choose import measured_ms

    return Loaded(made.rig, f"{made.device}: {made.why}; {measured_ms(made.rig):.1f} ms a frame")


def _threads() -> int:
    """Drawing and encoding leave Python's lock for most of their time; the loop keeps a core."""
    return max(2, min(MAX_THREADS, (os.cpu_count() or 2) - 1))
