"""Cloning by a provider: ElevenLabs, Cartesia and Resemble by their HTTP APIs.

Recordings leave this machine here and nowhere else, and only while the owner's consent is valid. What was made is
found again by its name, so that nothing is left behind when this process dies before it could write down an id.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from compliance.errors import ConsentMissing, EngineFailed, EngineMissing, EngineTimeout, SettingsError
from persona.voice.rest import Permit, Rest

_MOST_PAGES = 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a voice is cloned from, each as a WAV file."""

    clips: Sequence[bytes]
    reference: bytes
    """The clips' beginning in one piece, at most a minute."""
    statement: bytes
    """The spoken consent."""
    language: str
    """A primary code, as `en`."""


class Cloud(Protocol):
    """One provider. All methods raise `EngineFailed` or `EngineTimeout`: one line each."""

    name: str

    async def clone(self, name: str, sample: Sample, permit: Permit) -> str:
        """Make a voice and return its id. Raises `ConsentMissing` too; then nothing was sent."""
        ...

    async def delete(self, voice_id: str) -> bool:
        """Delete a voice; false when there was none."""
        ...

    async def voices(self, prefix: str) -> tuple[str, ...]:
        """The ids of the account's own voices whose names begin so."""
        ...

    async def close(self) -> None:
        """Close the connections; safe to call twice."""
        ...


class ElevenLabs:
    """Instant voice cloning: `POST /v1/voices/add`."""

    name = "elevenlabs"

    def __init__(self, key: str, base_url: str) -> None:
        self._ask = Rest("ElevenLabs", "ELEVENLABS_API_KEY", base_url, {"xi-api-key": key})

    async def clone(self, name: str, sample: Sample, permit: Permit) -> str:
        files = [("files", (f"{n}.wav", clip, "audio/wav")) for n, clip in enumerate(sample.clips, start=1)]
        data = {"name": name, "remove_background_noise": "false", "labels": json.dumps({"use": "ai-twin"})}
        answer = await self._ask("POST", "/v1/voices/add", permit=permit, data=data, files=files)
        return _id(answer, "voice_id")

    async def delete(self, voice_id: str) -> bool:
        return await self._ask("DELETE", f"/v1/voices/{_checked(voice_id)}", absent=True) is not None

    async def voices(self, prefix: str) -> tuple[str, ...]:
        found: list[str] = []
        page: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = (
                await self._ask("GET", "/v2/voices", params={"search": prefix, "page_size": "100", **page}) or {}
            )
            found += _named(answer.get("voices"), prefix, "voice_id")
            if not answer.get("has_more") or not answer.get("next_page_token"):
                break
            page = {"next_page_token": str(answer["next_page_token"])}
        return tuple(found)

    async def close(self) -> None:
        await self._ask.close()


class Cartesia:
    """`POST /voices/clone`: one clip."""

    name = "cartesia"
    _VERSION = "2026-03-01"

    def __init__(self, key: str, base_url: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Cartesia-Version": self._VERSION}
        self._ask = Rest("Cartesia", "CARTESIA_API_KEY", base_url, headers)

    async def clone(self, name: str, sample: Sample, permit: Permit) -> str:
        data = {"name": name, "description": "AI twin", "language": sample.language}
        files = {"clip": ("clip.wav", sample.reference, "audio/wav")}
        return _id(await self._ask("POST", "/voices/clone", permit=permit, data=data, files=files), "id")

    async def delete(self, voice_id: str) -> bool:
        return await self._ask("DELETE", f"/voices/{_checked(voice_id)}", absent=True) is not None

    async def voices(self, prefix: str) -> tuple[str, ...]:
        found: list[str] = []
        page: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = await self._ask("GET", "/voices", params={"is_owner": "true", "limit": "100", **page}) or {}
            entries = answer.get("data") or []
            found += _named(entries, prefix, "id")
            if not answer.get("has_more") or not entries:
                break
            page = {"starting_after": str(entries[-1]["id"])}
        return tuple(found)

    async def close(self) -> None:
        await self._ask.close()


class Resemble:
    """A rapid voice: made empty with the spoken consent, given a recording, then built."""

    name = "resemble"

    def __init__(self, key: str, base_url: str) -> None:
        self._ask = Rest("Resemble", "RESEMBLE_API_KEY", base_url, {"Authorization": f"Bearer {key}"})

    async def clone(self, name: str, sample: Sample, permit: Permit) -> str:
        consent = base64.b64encode(sample.statement).decode()
        made = {"name": name, "voice_type": "rapid", "consent": consent}
        answer = await self._ask("POST", "voices", permit=permit, json=made)
        voice_id = _id((answer or {}).get("item"), "uuid")
        try:
            data = {"name": "reference", "text": "", "emotion": "neutral", "is_active": "true"}
            files = {"file": ("reference.wav", sample.reference, "audio/wav")}
            await self._ask("POST", f"voices/{voice_id}/recordings", permit=permit, data=data, files=files)
            await self._ask("POST", f"voices/{voice_id}/build", permit=permit)
        except (EngineFailed, EngineTimeout, ConsentMissing):
            # Half a voice is of no use, and it holds the consent already.
            await self.delete(voice_id)
            raise
        return voice_id

    async def delete(self, voice_id: str) -> bool:
        return await self._ask("DELETE", f"voices/{_checked(voice_id)}", absent=True) is not None

    async def voices(self, prefix: str) -> tuple[str, ...]:
        found: list[str] = []
        for page in range(1, _MOST_PAGES + 1):
            answer = await self._ask("GET", "voices", params={"page": str(page), "page_size": "100"}) or {}
            found += _named(answer.get("items"), prefix, "uuid")
            if page >= int(answer.get("page_count") or 1):
                break
        return tuple(found)

    async def close(self) -> None:
        await self._ask.close()


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the table."""

    make: type[ElevenLabs] | type[Cartesia] | type[Resemble]
    title: str
    key: str
    url: str


PROVIDERS: Mapping[str, Provider] = {
    "elevenlabs": Provider(ElevenLabs, "ElevenLabs", "ELEVENLABS_API_KEY", "https://api.elevenlabs.io"),
    "cartesia": Provider(Cartesia, "Cartesia", "CARTESIA_API_KEY", "https://api.cartesia.ai"),
    "resemble": Provider(Resemble, "Resemble", "RESEMBLE_API_KEY", "https://app.resemble.ai/api/v2"),
}


def cloud(name: str, environment: Mapping[str, str]) -> Cloud:
    """The provider of that name; `<NAME>_API_URL` in the environment overrides its address. Connects to nothing.

    Raises `EngineMissing` when its key is not set, `SettingsError` for an unknown name or an address that is none.
    """
    provider = PROVIDERS.get(name)
    if provider is None:
        raise SettingsError(f"{name!r} clones no voice by an API of its own; {', '.join(PROVIDERS)} do")
    if not environment.get(provider.key):
        raise EngineMissing(f"{provider.title}: set {provider.key} in the environment or the home's .env")
    variable = f"{name.upper()}_API_URL"
    url = environment.get(variable) or provider.url
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise SettingsError(f"{variable} is not an address; it begins with https://")
    made: Cloud = provider.make(environment[provider.key], url)
    return made


def _id(answer: object, field: str) -> str:
    found = answer.get(field) if isinstance(answer, dict) else None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise EngineFailed("the provider's answer names no voice; see its console, and delete what it made there")
    return found


def _checked(voice_id: str) -> str:
    if not _ID.fullmatch(voice_id):
        raise EngineFailed("that is no id of a voice")
    return voice_id


def _named(entries: object, prefix: str, field: str) -> list[str]:
    listed = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [_id(entry, field) for entry in listed if str(entry.get("name", "")).startswith(prefix)]
