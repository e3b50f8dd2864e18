"""What Twilio keeps of a person: recordings, transcriptions, texts and calls; deleted, and looked for again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from channels.twilio.rest import TwilioFailed, TwilioRest

_PAGE = 100
_MOST_PAGES = 1_000
_GONE = 404


class TwilioCopies:
    """A provider's copies, as `compliance.forgetting.stores.Copies` asks for them."""

    name = "twilio"

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def erase(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        """Delete what is kept of the calls with these SIDs, and the texts to and from these numbers.

        Returns how much was deleted. Raises `TwilioFailed`; asked again, it goes on where it stopped.
        """
        deleted = 0
        calls, numbers = self._asked(references, subjects)
        for call in calls:
            async for recording in self._list("Recordings", CallSid=call):
                async for transcription in self._list(f"Recordings/{recording}/Transcriptions"):
                    deleted += await self._delete(f"Transcriptions/{transcription}")
                deleted += await self._delete(f"Recordings/{recording}")
            deleted += await self._delete(f"Calls/{call}")
        for number in numbers:
            for side in ("To", "From"):
                async for text in self._list("Messages", **{side: number}):
                    deleted += await self._delete(f"Messages/{text}")
        return deleted

    async def left(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        """How much Twilio still has of it, by asking again. Raises `TwilioFailed`."""
        left = 0
        calls, numbers = self._asked(references, subjects)
        for call in calls:
            if not _is_gone(await self._rest.request("GET", f"Calls/{call}.json")):
                left += 1
            left += len([recording async for recording in self._list("Recordings", CallSid=call)])
        for number in numbers:
            for side in ("To", "From"):
                left += len([text async for text in self._list("Messages", **{side: number})])
        return left

    def _asked(self, references: Sequence[str], subjects: Sequence[str]) -> tuple[list[str], list[str]]:
        """What becomes part of a path: SIDs of calls, and numbers. Who has no account and no call sent nothing."""
        calls = [reference for reference in references if _is_call(reference)]
        if not calls and not self._rest.has_account:
            return [], []
        return calls, [subject for subject in subjects if _is_number(subject)]

    async def _delete(self, path: str) -> int:
        return 0 if _is_gone(await self._rest.request("DELETE", f"{path}.json")) else 1

    async def _list(self, path: str, **of: str) -> AsyncIterator[str]:
        """The SIDs in a list, all pages read before the first is given: deleting would move the later ones."""
        sids: list[str] = []
        for page in range(_MOST_PAGES):
            filters = {**of, "PageSize": str(_PAGE), "Page": str(page)}
            response = await self._rest.request("GET", f"{path}.json", of=filters)
            if _is_gone(response):
                return
            answer: dict[str, Any] = response.json()
            entries = answer.get(path.rpartition("/")[2].lower(), [])
            sids += [str(entry["sid"]) for entry in entries]
            if not answer.get("next_page_uri"):
                break
        for sid in sids:
            yield sid


def _is_gone(response: httpx.Response) -> bool:
    """Whether there is no such thing (any more). Raises `TwilioFailed` for any other refusal."""
    if response.is_error and response.status_code != _GONE:
        raise TwilioFailed(f"Twilio's REST API refused to delete: HTTP {response.status_code}.")
    return response.status_code == _GONE


def _is_call(reference: str) -> bool:
    return reference.startswith("CA") and reference.isalnum()


def _is_number(subject: str) -> bool:
    return subject.startswith("+") and subject[1:].isdigit()
