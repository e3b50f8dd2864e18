"""Twilio's REST API: ending a call at once, which our side can do in no other way; texts; what Twilio keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from channels.twilio import twiml
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from compliance.errors import ChannelError

TIMEOUT_S = 3.5
NOT_IN_PROGRESS = 21_220
"""Twilio's error code for changing a call that is over."""


class HangUpFailed(ChannelError):
    """Twilio did not end the call; it goes on with the TwiML once the socket closes."""

    code = "hang_up_failed"


class TwilioFailed(ChannelError):
    """Twilio's REST API refused, or could not be reached; what was asked may be asked again."""

    code = "twilio_failed"


class TwilioRest:
    """One per process; connects when it is first used."""

    def __init__(self, settings: TwilioSettings, secrets: TwilioSecrets) -> None:
        self._base_url = settings.rest_base_url
        self._secrets = secrets
        self._client: httpx.AsyncClient | None = None
        self._closed = False
        self._making = asyncio.Lock()

    @property
    def configured(self) -> bool:
        return bool(self._secrets.auth_token.get_secret_value())

    @property
    def has_account(self) -> bool:
        """Whether texts can be sent and copies deleted, for which a call names no account."""
        return bool(self._secrets.account_sid) and self.configured

    async def hang_up(self, *, account_sid: str, call_sid: str) -> None:
        """End the call, within `TIMEOUT_S`. A call that is over already is fine. Raises `HangUpFailed`."""
        token = self._secrets.auth_token.get_secret_value()
        user = self._secrets.account_sid or account_sid
        try:
            async with asyncio.timeout(TIMEOUT_S):
                client = await self._connected()
                response = await client.post(
                    f"/2010-04-01/Accounts/{account_sid}/Calls/{call_sid}.json",
                    data={"Status": "completed"},
                    auth=(user, token),
                )
        except TimeoutError:
            raise HangUpFailed("Twilio's REST API did not answer in time.") from None
        except httpx.HTTPError as error:
            raise HangUpFailed(f"Twilio's REST API cannot be reached: {type(error).__name__}.") from None
        if response.is_error and _error_code(response) != NOT_IN_PROGRESS:
            raise HangUpFailed(_refusal("to end the call", response))

    async def put_through(self, number: str, *, account_sid: str, call_sid: str) -> None:
        """Connect the caller with a telephone, which ends our stream. Raises `HangUpFailed`: the call goes on."""
        token = self._secrets.auth_token.get_secret_value()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                client = await self._connected()
                response = await client.post(
                    f"/2010-04-01/Accounts/{account_sid}/Calls/{call_sid}.json",
                    data={"Twiml": twiml.dial(number)},
                    auth=(self._secrets.account_sid or account_sid, token),
                )
        except TimeoutError:
            raise HangUpFailed("Twilio's REST API did not answer in time.") from None
        except httpx.HTTPError as error:
            raise HangUpFailed(f"Twilio's REST API cannot be reached: {type(error).__name__}.") from None
        if response.is_error:
            raise HangUpFailed(_refusal("to put the call through", response))

    async def send_text(self, *, sender: str, to: str, text: str) -> None:
        """Send an SMS from a number of the account. Raises `TwilioFailed`."""
        response = await self.request("POST", "Messages.json", data={"From": sender, "To": to, "Body": text})
        if response.is_error:
            raise TwilioFailed(_refusal("to send a text", response))

    async def request(
        self, method: str, path: str, *, data: Mapping[str, str] | None = None, of: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask for a resource of the account by its path below it, e.g. `Calls/CA1.json`, within `TIMEOUT_S`.

        `of` filters a list. Whatever the answer's status, it is returned. Raises `TwilioFailed` when there is
        no account, or no answer.
        """
        account, token = self._secrets.account_sid, self._secrets.auth_token.get_secret_value()
        if not account or not token:
            raise TwilioFailed("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to use Twilio's REST API.")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                client = await self._connected()
                return await client.request(
                    method, f"/2010-04-01/Accounts/{account}/{path}", data=data, params=of, auth=(account, token)
                )
        except TimeoutError:
            raise TwilioFailed("Twilio's REST API did not answer in time.") from None
        except httpx.HTTPError as error:
            raise TwilioFailed(f"Twilio's REST API cannot be reached: {type(error).__name__}.") from None

    async def close(self) -> None:
        """Calls that end from now on are not hung up by REST."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _connected(self) -> httpx.AsyncClient:
        async with self._making:
            if self._closed:
                raise HangUpFailed("The server is stopping, so Twilio is not asked any more.")
            if self._client is None:
                # Reading the certificates takes tens of milliseconds, in which no call would get its audio.
                self._client = await asyncio.to_thread(
                    httpx.AsyncClient, base_url=self._base_url, timeout=TIMEOUT_S, follow_redirects=False
                )
            return self._client


def _refusal(what: str, response: httpx.Response) -> str:
    code = _error_code(response)
    return f"Twilio's REST API refused {what}: HTTP {response.status_code}, error {code}."


def _error_code(response: httpx.Response) -> int:
    """Twilio's own code, which its documentation explains; 0 when it gives none."""
    try:
        code = response.json()["code"]
    except (ValueError, KeyError, TypeError):
        return 0
    return code if isinstance(code, int) else 0
