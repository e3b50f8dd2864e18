"""Requests to a provider's HTTP API, with its failures in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from compliance.errors import ConsentMissing, EngineFailed, EngineTimeout

TIMEOUT_S = 60.0
_GONE = 404
_CODE = re.compile(r"[a-z][a-z_]{2,60}")
_ANSWER_BYTES = 8 * 2**20


class Permit(Protocol):
    """`compliance.likeness.permits.Permit`."""

    @property
    def valid(self) -> bool: ...


class Rest:
    """Requests to a provider, with its failures in one line."""

    def __init__(self, title: str, key: str, base_url: str, headers: Mapping[str, str]) -> None:
        """`key` is the environment variable that is named when the provider refuses."""
        self._title = title
        self._key = key
        self._client = httpx.AsyncClient(base_url=base_url, headers=dict(headers), timeout=TIMEOUT_S)

    async def close(self) -> None:
        await self._client.aclose()

    async def __call__(
        self, method: str, path: str, *, permit: Permit | None = None, absent: bool = False, **content: Any
    ) -> dict[str, Any] | None:
        """The JSON of an answer, empty where there is none; None for what is gone, where `absent` allows that.

        Raises `ConsentMissing` when `permit` is given and not valid, `EngineFailed` and `EngineTimeout`.
        """
        if permit is not None and not permit.valid:
            raise ConsentMissing("There is no consent to the cloned voice; nothing was sent.")
        try:
            response = await self._client.request(method, path, **content)
        except httpx.TimeoutException:
            raise EngineTimeout(f"{self._title} did not answer within {TIMEOUT_S:g} s; try again later") from None
        except httpx.HTTPError as error:
            raise EngineFailed(
                f"{self._title} cannot be reached ({type(error).__name__}); try again later"
            ) from None
        answer = _json(response)
        if absent and (response.status_code == _GONE or _code(answer) == "voice_does_not_exist"):
            return None
        if response.is_error or answer.get("success") is False:
            raise EngineFailed(self._refusal(response.status_code, _code(answer)))
        return answer

    def _refusal(self, status: int, code: str) -> str:
        why = f"HTTP {status}{', ' + code if code else ''}"
        if status in (401, 403):
            return f"{self._title} refused ({why}): check {self._key} and what your plan allows"
        if status == 429:
            return f"{self._title} is asked too often ({why}); try again later"
        return f"{self._title} refused ({why}); see what your plan allows, or try again later"


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json() if response.content and len(response.content) < _ANSWER_BYTES else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _code(answer: Mapping[str, Any]) -> str:
    """The provider's word for what is wrong; its sentences are not repeated, for they may quote what was sent."""
    detail = answer.get("detail")
    word = detail.get("status") if isinstance(detail, dict) else answer.get("error_code") or answer.get("code")
    return word if isinstance(word, str) and _CODE.fullmatch(word) else ""
