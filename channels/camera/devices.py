"""The sound devices that a meeting's program is offered: made by us, marked as ours, and taken away by us.

    the twin  -> sink `ai_twin_voice`   -> its monitor -> source `ai_twin_microphone` -> the meeting's microphone
    the twin <-  monitor of the sink `ai_twin_speaker` <-  what the meeting's program plays

A server keeps what a client made also when the client dies. So each device carries the token of who made it, and
so does that client's connection: a device whose token no connection carries is left over, and goes next time.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from channels.camera import pulse
from channels.camera.pulse import Connection
from channels.camera.tagstruct import Writer
from compliance.errors import SoundMissing

VOICE = "ai_twin_voice"
MICROPHONE = "ai_twin_microphone"
SPEAKER = "ai_twin_speaker"
MICROPHONE_SHOWN = "AI twin microphone"
SPEAKER_SHOWN = "AI twin speaker"
PROPERTY = "ai.twin.token"
"""Of a device and of a client: who made the one, and who the other is."""
_TOKEN = re.compile(rf"{re.escape(PROPERTY)}=([0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Module:
    """One that the server has loaded."""

    index: int
    argument: str

    @property
    def token(self) -> str:
        """Whose it is; empty when it is none of ours."""
        found = _TOKEN.search(self.argument)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to take away before devices can be made, in this order; and whether somebody has them."""

    left_over: tuple[Module, ...]
    taken: bool


def new_token() -> str:
    return secrets.token_hex(8)


def plan(modules: Iterable[Module], living: Collection[str]) -> Plan:
    """`living` are the tokens of the clients that are connected."""
    ours = [module for module in modules if module.token]
    # A source stands on a sink that was made before it, so the newest goes first.
    dead = sorted((m for m in ours if m.token not in living), key=lambda module: -module.index)
    return Plan(tuple(dead), taken=len(dead) < len(ours))


def recipes(token: str, rate_hz: int) -> tuple[tuple[str, str], ...]:
    """Names and arguments of the modules that make the devices, in this order."""
    voice = _properties("AI twin voice", token)
    speaker = _properties(SPEAKER_SHOWN, token)
    microphone = _properties(MICROPHONE_SHOWN, token)
    mono = f"format=s16le rate={rate_hz} channels=1 channel_map=mono"
    return (
        ("module-null-sink", f"sink_name={VOICE} {mono} sink_properties={voice}"),
        (
            "module-remap-source",
            f"source_name={MICROPHONE} master={VOICE}.monitor channels=1 channel_map=mono "
            f"source_properties={microphone}",
        ),
        ("module-null-sink", f"sink_name={SPEAKER} rate={rate_hz} channels=2 sink_properties={speaker}"),
    )


async def tidy(connection: Connection) -> bool:
    """Take away what a process of ours that died has left. True when another one has devices here now."""
    found = plan(await modules(connection), await _tokens(connection))
    for module in found.left_over:
        await _unload(connection, module.index)
    return found.taken


async def make(connection: Connection, token: str, rate_hz: int) -> tuple[int, ...]:
    """Make the devices; returns what `remove` takes. Raises `SoundMissing`, and has made none then."""
    made: list[int] = []
    try:
        for name, argument in recipes(token, rate_hz):
            answer = await connection.ask(pulse.LOAD_MODULE, Writer().text(name).text(argument))
            made.append(answer.number())
    except SoundMissing as error:
        await remove(connection, made)
        raise SoundMissing(f"The sound server could not make a device ({name}). {error.message}") from None
    except BaseException:  # cancelled: what was made is taken away
        await remove(connection, made)
        raise
    return tuple(made)


async def remove(connection: Connection, made: Sequence[int]) -> None:
    """Take the devices away. Never raises: with the server gone they are gone as well."""
    for index in reversed(made):
        await _unload(connection, index)


async def modules(connection: Connection) -> list[Module]:
    """All that the server has loaded."""
    answer = await connection.ask(pulse.LIST_MODULES)
    found = []
    while not answer.over:
        index = answer.number()
        answer.text()
        found.append(Module(index, answer.text() or ""))
        answer.number()
        answer.flag()
    return found


async def _tokens(connection: Connection) -> set[str]:
    answer = await connection.ask(pulse.LIST_CLIENTS)
    found = set()
    while not answer.over:
        answer.number()
        answer.text()
        answer.number()
        answer.text()
        found.add(answer.properties().get(PROPERTY, ""))
    return found


async def _unload(connection: Connection, index: int) -> None:
    try:
        await connection.ask(pulse.UNLOAD_MODULE, Writer().number(index))
    except SoundMissing:
        # Somebody else took it away first, or the server is gone: either way it is not there any more.
        return


def _properties(shown: str, token: str) -> str:
    return f"\"device.description='{shown}' {PROPERTY}={token}\""
