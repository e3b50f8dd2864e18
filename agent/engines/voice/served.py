"""The owner's cloned voice from a voice server of our own: XTTS, fine-tuned Coqui models, Pocket TTS.

One server holds the model for all calls and worker processes; see `persona.voice.server` and `keeper.py`. With
`base_url` a server that runs elsewhere is used instead, and none is started.
"""

from __future__ import annotations

import hashlib
import io
import sys
import wave
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.engines.base import Card, EngineConfig, VoiceChunk, importable
from agent.engines.voice.limits import Limits
from agent.engines.voice.server_process import Address, Launch
from agent.engines.voice.written import encodable
from compliance.errors import EngineFailed, EngineMissing, SettingsError
from persona.voice import models

if TYPE_CHECKING:
    from agent.engines.voice.http import Ask
    from agent.engines.voice.keeper import Keeper

_CONSENT = "a cloned voice speaks only with its owner's consent"
CARDS = (
    Card(
        kind="voice",
        name="xtts",
        about="Coqui XTTS v2 in a voice server of its own; clones a voice, 17 languages; estimated word times",
        factory="agent.engines.voice.served:create",
        falls_back_to="espeak",
        licence=f"coqui-tts is MPL-2.0; the weights are for non-commercial use only (CPML); {_CONSENT}",
    ),
    Card(
        kind="voice",
        name="coqui",
        about="a Coqui model you trained ([voice] model = its folder), in a voice server; estimated word times",
        factory="agent.engines.voice.served:create",
        falls_back_to="espeak",
        licence=f"coqui-tts is MPL-2.0; a model has the licence of what it was trained from; {_CONSENT}",
    ),
    Card(
        kind="voice",
        name="pocket_tts",
        about="Kyutai Pocket TTS in a voice server of its own; clones a voice, quick on a CPU; estimated times",
        factory="agent.engines.voice.served:create",
        falls_back_to="espeak",
        licence=f"pocket-tts is MIT, the weights CC BY 4.0 with terms of use; {_CONSENT}",
    ),
)

VENV = ".venv-voices"
"""Beside the program: where `make voices` puts the libraries."""
_ENGINES = {"xtts": ("xtts", "TTS"), "coqui": ("coqui", "TTS"), "pocket_tts": ("pocket", "pocket_tts")}
"""The server's name for it, and the module it needs."""
_LEARN_S = 120.0


@dataclass(frozen=True, slots=True)
class ServedSettings:
    """The further keys of the `[voice]` section."""

    python: str = ""
    """The interpreter that has the model's libraries; empty: this one, or the one `make voices` made."""
    device: str = "auto"
    """auto, cpu or cuda."""
    threads: int = 0
    """Of the model on the CPU; 0: half of the cores, for Pocket TTS one."""
    speed: float = 1.0
    """0.25 to 4, where the model has a pace to set."""
    reference: str = ""
    """A WAV file with the voice, where none was enrolled."""

    def __post_init__(self) -> None:
        if self.device not in ("auto", "cpu", "cuda"):
            raise SettingsError("[voice] device: must be auto, cpu or cuda")
        if not 0 <= self.threads <= 256:
            raise SettingsError("[voice] threads: must be from 0 to 256")
        if not 0.25 <= self.speed <= 4:
            raise SettingsError("[voice] speed: must be from 0.25 to 4")

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, str]) -> ServedSettings:
        """Read them as written in the settings. Raises `SettingsError`."""
        unknown = sorted(set(options) - {"python", "device", "threads", "speed", "reference"})
        if unknown:
            raise SettingsError(f"[voice] {name} has no setting {unknown[0]!r}")
        try:
            return cls(
                python=options.get("python", ""),
                device=options.get("device", "auto"),
                threads=int(options.get("threads", 0)),
                speed=float(options.get("speed", 1.0)),
                reference=options.get("reference", ""),
            )
        except ValueError:
            raise SettingsError("[voice] threads and speed: must be numbers") from None


def interpreter(module: str) -> str:
    """An interpreter that has a module: this one, or the one that `make voices` made. Raises `EngineMissing`."""
    if importable(module):
        return sys.executable
    made = Path(models.__file__).parents[2] / VENV / "bin" / "python"
    if made.exists():
        return str(made)
    raise EngineMissing(f"{module} is not here: run: make voices (or set [voice] python to one that has it)")


def create(config: EngineConfig) -> ServedVoice:
    """The engine; nothing is started yet. Raises `SettingsError`."""
    return ServedVoice(config, ServedSettings.from_options(config.name, config.options))


class ServedVoice:
    """A `Voice`. Times are estimates."""

    def __init__(self, config: EngineConfig, settings: ServedSettings, *, engine: str = "") -> None:
        """`engine` is what the server runs, where it is not the card's."""
        from agent.engines.voice.http import HttpVoice

        self._config = config
        self._settings = settings
        self._engine = engine
        self._sample = b""
        self._learned = ""
        self._unlearned = ""
        """What the server still has to forget."""
        self._silent = False
        """Whether the server has no voice but ours."""
        self._elsewhere: Address | None = None
        self._keeper: Keeper | None = None
        limits = Limits(first_audio_s=config.first_token_timeout_s, total_s=config.total_timeout_s)
        self._http = HttpVoice(config.name, self._ask, rate_hz=24000, limits=limits)

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return self._config.name

    @property
    def state(self) -> str:
        """Of its server, for people: stopped, starting, loading, warming, ready, restarting, failed, elsewhere."""
        if self._keeper is None:
            return "elsewhere" if self._config.base_url else "stopped"
        return self._keeper.state

    @property
    def pid(self) -> int | None:
        """The server's process id while it is ready."""
        address = self._keeper.address if self._keeper else None
        return address.pid if address else None

    @property
    def imitates(self) -> bool:
        """A fine-tuned Coqui model does not: it was trained for its voice."""
        return self.name != "coqui"

    async def clone_from(self, sample: bytes) -> None:
        """Speak in the voice of this WAV file from now on, also after a restart. It is handed to the server over
        its socket and kept in memory. Raises `EngineFailed`, and `EngineMissing` for a sample it cannot use."""
        self._sample = sample
        if (address := self._current()) is not None:
            await self._taught(address)

    async def forget_voice(self) -> None:
        """Drop the sample, here and in the server, because the consent to it ended."""
        import httpx

        self._unlearned, self._learned, self._sample = self._learned or self._unlearned, "", b""
        if self._unlearned and (address := self._current()) is not None:
            try:
                async with httpx.AsyncClient(timeout=_LEARN_S, headers=address.headers) as client:
                    answer = await client.delete(f"{address.url}/v1/voices/{self._unlearned}")
                    # One that was started again never knew it.
                    if answer.status_code != httpx.codes.NOT_FOUND:
                        answer.raise_for_status()
            except httpx.HTTPError as error:
                raise EngineFailed(
                    f"voice {self.name}: its server did not forget ({type(error).__name__}); restart the twin"
                ) from None
        self._unlearned = ""

    async def start(self) -> None:
        """Find or start the server and wait for its model. Raises `EngineMissing` with the command that helps,
        `EngineFailed`, and `EngineTimeout` after a minute; it goes on in the background then."""
        from agent.engines.voice.keeper import Keeper

        if self._settings.reference and not self._sample:
            self._sample = _sample(Path(self._settings.reference))
        await self._http.start()
        if self._config.base_url:
            token = self._config.secrets.get(f"{self.name.upper()}_API_KEY", "")
            url = self._config.base_url.rstrip("/").removesuffix("/v1")
            self._elsewhere = Address(url, token, 0)
            if self._sample:
                await self._taught(self._elsewhere)
            return
        if self._keeper is None:
            launch = Launch(self.name, self._python(), self._arguments())
            self._keeper = Keeper(launch, self._config.cache, on_ready=self._teach)
        await self._keeper.start()

    async def close(self) -> None:
        """End the server if it is ours, within 5 s."""
        await self._http.close()
        if self._keeper is not None:
            await self._keeper.close()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. Leaving it early stops the model at its next step."""
        async with aclosing(self._http.speak(text, language=language)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _current(self) -> Address | None:
        return self._elsewhere or (self._keeper.address if self._keeper else None)

    def _ask(self, text: str, language: str) -> Ask:
        from agent.engines.voice.http import Ask

        address = self._current()
        if address is None:
            raise EngineFailed(f"voice {self.name}: its server is {self.state}")
        voice = self._learned or self._config.voice
        if not voice and self._silent:
            raise EngineMissing(f"voice {self.name}: it has no voice yet: twin enroll voice")
        body: dict[str, object] = {
            "model": self._config.model if self._config.base_url else self.name,
            "voice": voice,
            "input": encodable(text),
            # A WAV names its rate; raw PCM does not.
            "response_format": "wav",
            "language": language,
        }
        if self._settings.speed != 1.0:
            body["speed"] = self._settings.speed
        return Ask(f"{address.url}/v1/audio/speech", body, address.headers)

    async def _taught(self, address: Address) -> None:
        import httpx

        try:
            await self._teach(address)
        except httpx.HTTPError as error:
            raise EngineFailed(
                f"voice {self.name}: its server did not learn the voice ({type(error).__name__})"
            ) from None

    async def _teach(self, address: Address) -> None:
        """Give the server our voice, unless it has it: another process of the home may have been first."""
        import httpx

        name = f"owner_{hashlib.sha256(self._sample).hexdigest()[:16]}" if self._sample else ""
        async with httpx.AsyncClient(timeout=_LEARN_S, headers=address.headers) as client:
            listed = await client.get(f"{address.url}/v1/voices")
            known = {voice["id"] for voice in listed.json()["voices"]} if listed.is_success else set()
            if name and name not in known:
                answer = await client.put(f"{address.url}/v1/voices/{name}", content=self._sample)
                if answer.status_code == 400:
                    raise EngineMissing(
                        f"voice {self.name}: {answer.json()['error']['message']}: twin enroll voice"
                    )
                answer.raise_for_status()
        self._silent = not known - {name}
        self._learned = name

    def _python(self) -> str:
        """The interpreter that has the libraries. Raises `EngineMissing`."""
        if self._settings.python or self._engine:
            return self._settings.python or sys.executable
        return interpreter(_ENGINES[self.name][1])

    def _arguments(self) -> tuple[str, ...]:
        settings = self._settings
        return (
            "--engine", self._engine or _ENGINES[self.name][0], "--model", str(self._weights()),
            "--device", settings.device, "--threads", str(settings.threads), "--language", self._config.language,
        )  # fmt: skip

    def _weights(self) -> Path:
        """The model's folder. Raises `EngineMissing` with the command that accepts its licence, or fetches it."""
        if self._config.model or self._engine:
            return Path(self._config.model)
        if self.name == "coqui":
            raise EngineMissing("voice coqui: set [voice] model to the folder of the model: twin voices train")
        if self.name == "xtts":
            return models.require("xtts_v2", self._config.cache)
        language = self._config.language.lower()[:2]
        if language not in models.POCKET_LANGUAGES:
            spoken = ", ".join(models.POCKET_LANGUAGES)
            raise EngineMissing(f"voice pocket_tts does not speak {language}; it speaks {spoken}")
        return models.require(f"pocket_{models.POCKET_LANGUAGES[language]}", self._config.cache)


def _sample(path: Path) -> bytes:
    """The bytes of a WAV file, looked into. Raises `EngineMissing`."""
    try:
        data = path.read_bytes()
        with wave.open(io.BytesIO(data)):
            return data
    except (OSError, wave.Error, EOFError):
        raise EngineMissing("[voice] reference: it must be a WAV file that can be read") from None
