"""twin.toml and the environment, as one frozen object.

Each folder declares the settings it takes; this file only composes them. Any key may be overridden by
`TWIN_SECTION__KEY`; secrets come from the environment or a `.env` in the home, never from twin.toml.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from agent.fleet.settings import WorkerSettings
from agent.meeting.settings import MeetingSettings
from agent.tools.settings import ToolsSettings
from agent.turns.settings import TurnSettings
from avatar.temper import Temper
from channels.camera.settings import CameraSettings
from channels.livekit.settings import LiveKitSettings
from channels.twilio.settings import TwilioSettings
from channels.web.settings import WebSettings
from compliance.errors import SettingsError
from compliance.settings import (
    ConsentSettings,
    ConsoleSettings,
    DisclosureSettings,
    PrivacySettings,
    RetentionSettings,
    StoreSettings,
)
from persona.guarding.settings import GuardSettings
from persona.memory.settings import MemorySettings
from persona.settings import PersonaSettings

FILE = "twin.toml"


class TwinSection(BaseModel):
    """The `[twin]` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str = Field("en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """The language the twin answers in, as a code such as `en` or `de`."""


class ServerSection(BaseModel):
    """The `[server]` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback is reachable by others: put a TLS proxy in front."""
    port: int = Field(7860, ge=0, le=65_535)
    """0 chooses a free one."""
    workers: int = Field(1, ge=1, le=64)
    """Processes that share the port; each carries `[limits] max_calls`."""


class LimitsSection(BaseModel):
    """The `[limits]` section: what one process carries, and how long anything lasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_calls: int = Field(20, ge=1, le=1_000)
    """Calls one process carries at once; one more is refused in words."""
    max_call_minutes: float = Field(60.0, gt=0, le=1_440)
    """A call is ended after so long."""
    max_silence_s: float = Field(120.0, gt=5, le=3_600)
    """A call in which nobody speaks is ended after so long."""
    drain_s: float = Field(30.0, ge=0, le=3_600)
    """How long calls may go on when the server is asked to stop."""


class EngineSection(BaseModel):
    """The `[speech]`, `[brain]` and `[voice]` sections. Keys it does not know are the engine's own options."""

    model_config = ConfigDict(frozen=True, extra="allow")

    engine: str
    """Which engine, by name; `twin doctor` lists them."""
    model: str = ""
    """The engine's model; empty: the engine's default."""
    base_url: str = ""
    """Where its server is; empty: the provider's."""

    @property
    def options(self) -> dict[str, str]:
        return {key: str(value) for key, value in (self.model_extra or {}).items()}


class SpeechSection(EngineSection):
    """The `[speech]` section."""

    engine: str = "auto"
    """`auto`: Whisper once its model is here, PocketSphinx until then."""
    fetch: bool = True
    """Whether `twin serve` fetches the Whisper model in the background when `auto` misses it."""


class BrainSection(EngineSection):
    """The `[brain]` section."""

    engine: str = "grounded"
    """`grounded` also takes over whenever another brain fails."""
    first_token_timeout_s: float = Field(1.4, gt=0, le=60)
    """How long the caller may wait for the first word before `grounded` answers instead."""
    total_timeout_s: float = Field(30.0, gt=0, le=600)
    """How long an answer may take altogether."""


class VoiceSection(EngineSection):
    """The `[voice]` section."""

    engine: str = "espeak"
    """`espeak` also takes over whenever another voice fails."""
    voice: str = ""
    """The engine's name for the voice; empty: its default."""
    cloned: bool = False
    """True when this voice imitates the owner's: nothing is said in it without the owner's consent on file."""
    speaker_model: str = ""
    """An ONNX speaker model that compares the owner's spoken consent with the recordings; empty: timbre and pitch
    are compared."""


HERE = ("illustrated", "portrait", "head", "none", "still")
ELSEWHERE = ("neural", "livekit_avatar", "tavus", "heygen", "simli")
"""Faces that this program draws, or does not show, and those that are drawn by others."""


class FaceSection(BaseModel):
    """The `[face]` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: str = Field("illustrated", pattern=f"^({'|'.join((*HERE, *ELSEWHERE))})$")
    """`illustrated`: drawn by this program. `portrait`, `head`: what `twin enroll face` made. `neural`: drawn by a
    program of yours. `livekit_avatar`, `tavus`, `heygen`, `simli`: by an avatar worker or a service. `none`: no
    video, the page shows a still; `still` is its older name."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where faces are drawn; `auto` measures at the start."""
    width: int = Field(512, ge=128, le=1_920, multiple_of=2)
    """Of the picture, in pixels."""
    height: int = Field(512, ge=128, le=1_920, multiple_of=2)
    """In pixels; 1280 by 720 looks like a camera's."""
    fps: Literal[25, 30] = 25
    """Pictures per second."""
    bitrate_kbps: int = Field(0, ge=0, le=20_000)
    """Of one call's video, at most; 0 is chosen by the size. A receiver that can take less gets less."""
    max_faces: int = Field(8, ge=0, le=1_000)
    """Calls of one process that have video at once. One more is carried without, and told so."""
    look: dict[str, str | float] = {}
    """How the illustrated person looks, e.g. `{hair = "bob", glasses = "round"}`. What is left out is chosen by
    the owner's name; a look that cannot be is refused with what can."""
    manner: dict[str, float] = {}
    """How it moves, e.g. `{liveliness = 0.3, smile = 0.4}`; besides these two blinks_per_min, breaths_per_min,
    emotion, eye_contact and nods."""

    command: list[str] = []
    """Of `neural`: the program that draws, with its arguments."""
    avatar: str = ""
    """Of a service: the id of the face it shows. Of `livekit_avatar`: who in the room is the avatar; empty is the
    first that sends video."""
    url: str = ""
    """Of `livekit_avatar`: the server, else LIVEKIT_URL. Of `simli`: another address than its own."""
    room: str = "twin-face"
    """Of `livekit_avatar`: how the name of each call's room begins."""
    agent: str = ""
    """Of `livekit_avatar`: the worker to send for; empty sends for none."""
    options: dict[str, str] = {}
    """Of a service, as it names them: `persona` of Tavus, `service` of HeyGen."""
    likeness: bool = False
    """True when the face that is drawn elsewhere is the owner's: it is shown only while the owner's consent on
    file stands (`twin enroll face`)."""

    @field_validator("manner")
    @classmethod
    def _manner(cls, manner: dict[str, float]) -> dict[str, float]:
        try:
            Temper.model_validate(manner)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{first['loc'][0]}: {first['msg']}") from None
        return manner

    @property
    def temper(self) -> Temper:
        """`manner`, with what it leaves out."""
        return Temper.model_validate(self.manner)

    @property
    def moves(self) -> bool:
        """Whether there is video at all."""
        return self.engine not in ("none", "still")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="TWIN_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    twin: TwinSection = TwinSection()
    server: ServerSection = ServerSection()
    limits: LimitsSection = LimitsSection()
    turns: TurnSettings = TurnSettings()
    speech: SpeechSection = SpeechSection()
    brain: BrainSection = BrainSection()
    voice: VoiceSection = VoiceSection()
    face: FaceSection = FaceSection()
    persona: PersonaSettings = PersonaSettings()
    memory: MemorySettings = MemorySettings()
    guard: GuardSettings = GuardSettings()
    tools: ToolsSettings = ToolsSettings()
    meeting: MeetingSettings = MeetingSettings()
    store: StoreSettings = StoreSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    consent: ConsentSettings = ConsentSettings()
    retention: RetentionSettings = RetentionSettings()
    console: ConsoleSettings = ConsoleSettings()
    privacy: PrivacySettings = PrivacySettings()
    web: WebSettings = WebSettings()
    twilio: TwilioSettings = TwilioSettings()
    livekit: LiveKitSettings = LiveKitSettings()
    worker: WorkerSettings = WorkerSettings()
    camera: CameraSettings = CameraSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before what twin.toml says."""
        return env_settings, init_settings


def load(home: Path) -> Settings:
    """Read `twin.toml` in `home`; a missing file means all defaults.

    Raises `SettingsError` with one line that names the key and what is wrong with it.
    """
    file = home / FILE
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read ({type(error).__name__})") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: {_one_line(str(error))}") from None
    except RecursionError:
        raise SettingsError(f"{file}: it is nested too deeply to be read") from None
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = _one_line(".".join(str(part) for part in first["loc"]))
        what = "is not a setting; see README.md" if first["type"] == "extra_forbidden" else first["msg"]
        raise SettingsError(f"{file} or TWIN_ environment: {key}: {_one_line(what)}") from None
    except UnreadableVariable as error:
        # Its cause quotes the value, which may be a secret.
        raise SettingsError(f"TWIN_ environment: {_one_line(str(error))}; write TWIN_SECTION__KEY=value") from None


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def environment(home: Path) -> dict[str, str]:
    """The secrets: the process's environment, and below it what the home's `.env` says."""
    file = home / ".env"
    values = {key: value for key, value in dotenv_values(file).items() if value} if file.exists() else {}
    return {**values, **os.environ}
