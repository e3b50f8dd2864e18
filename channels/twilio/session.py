"""One media socket from its opening to its end: who it is, then the conversation, then nothing left behind."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from channels.call import Call, Caller, Host
from channels.twilio import mulaw
from channels.twilio.pace import Line, Metronome
from channels.twilio.protocol import Connected, Digit, Mark, Media, Start, Stop, Unknown, close_reason, parse
from channels.twilio.refusals import Refusals
from channels.twilio.rest import TwilioRest
from channels.twilio.settings import TwilioSettings
from channels.twilio.token import StreamToken, verify
from channels.twilio.wire import TwilioWire
from compliance.errors import BadMessage, CallRefused, ChannelError, TokenRefused

logger = logging.getLogger(__name__)

TOLERATED = 100
"""How many messages of a connection may be passed over (unknown events, repeated numbers) before it ends."""
ENDING_LIMIT_S = 30.0
"""How long the host may take to end a call after its line is gone; it has shorter limits of its own."""
CANCEL_LIMIT_S = 5.0


class Disconnected(ChannelError):
    """The socket is gone."""

    code = "disconnected"


class WrongFrame(BadMessage):
    """A frame that cannot be a message; `close_code` is the WebSocket's own code for it."""

    code = "wrong_frame"

    def __init__(self, message: str, close_code: int) -> None:
        super().__init__(message)
        self.close_code = close_code


@dataclass(slots=True)
class Channel:
    """What all phone calls of the process share."""

    host: Host
    settings: TwilioSettings
    token_key: bytes
    rest: TwilioRest
    metronome: Metronome
    counters: Counter[str]
    refusals: Refusals
    now: Callable[[], float]
    waiting: int = 0
    """Sockets that have not yet said which call they are."""


class MediaSession:
    """Carries one call. `run` is everything; it returns when the call is over and raises nothing of the call's."""

    def __init__(self, channel: Channel, socket: WebSocket) -> None:
        self._channel = channel
        self._socket = socket
        self._passed_over = 0
        self._sequence = 0
        self._stream_sid = ""

    async def run(self) -> None:
        await self._socket.accept()
        try:
            start, token = await self._admitted()
            wire = self._wire(start)
            caller = Caller(token.caller, attested=token.attested)
            call = self._channel.host.begin("phone", wire, caller, reference=token.call_sid)
            call.transfer = wire.transfer
        except Disconnected:
            self._channel.counters["socket_left_before_start"] += 1
        except CallRefused as refused:
            # Twilio goes on to the TwiML's apology.
            await self._refuse("call_refused", refused.message, 1013)
        except BadMessage as bad:
            await self._refuse(bad.code, bad.message, _close_code(bad))
        except TokenRefused as refused:
            await self._refuse(refused.code, refused.message, 1008)
        except Exception as error:  # noqa: BLE001  whatever failed, the caller must hear the TwiML's apology
            await self._refuse("start_failed", type(error).__name__, 1011)
        else:
            await self._converse(call, wire)

    async def _admitted(self) -> tuple[Start, StreamToken]:
        """The `start` message and the call that its token proves, within the limit."""
        channel = self._channel
        if channel.waiting >= channel.settings.max_waiting_sockets:
            raise CallRefused("Too many sockets wait to start.")
        channel.waiting += 1
        try:
            async with asyncio.timeout(channel.settings.start_timeout_s):
                start = await self._start()
        except TimeoutError:
            raise BadMessage("The start message did not come in time.") from None
        finally:
            channel.waiting -= 1
        token = verify(
            start.parameters.get("token", ""),
            channel.token_key,
            call_sid=start.call_sid,
            account_sid=start.account_sid,
            now=datetime.now(UTC),
        )
        if not await channel.host.spend(token.nonce, token.expires_at):
            raise TokenRefused("The stream token was used before.")
        return start, token

    async def _start(self) -> Start:
        connected = False
        while True:
            event = parse(await self._receive())
            match event:
                case Start():
                    self._stream_sid = event.stream_sid
                    return event
                case Connected() if not connected:
                    connected = True
                case Unknown():
                    self._pass_over()
                case _:
                    raise BadMessage("Something came before the start message.")

    def _wire(self, start: Start) -> TwilioWire:
        channel = self._channel
        hang_up: Callable[[], Awaitable[None]] = partial(
            channel.rest.hang_up, account_sid=start.account_sid, call_sid=start.call_sid
        )
        put_through = partial(channel.rest.put_through, account_sid=start.account_sid, call_sid=start.call_sid)
        return TwilioWire(
            start.stream_sid,
            self._socket,
            now=channel.now,
            hang_up=hang_up if channel.rest.configured else None,
            put_through=put_through if channel.rest.configured else None,
            max_queued=channel.settings.max_queued_messages,
        )

    async def _converse(self, call: Call, wire: TwilioWire) -> None:
        channel = self._channel
        line = Line(call, wire, channel.settings, channel.now)
        carry = asyncio.create_task(channel.host.carry(call), name=f"twilio-carry-{call.id}")
        listen = asyncio.create_task(self._listen(call, wire, line), name=f"twilio-listen-{call.id}")
        send = asyncio.create_task(wire.run(), name=f"twilio-send-{call.id}")
        channel.metronome.join(line)
        channel.counters["calls"] += 1
        try:
            await asyncio.wait([carry, listen, send], return_when=asyncio.FIRST_COMPLETED)
            if not carry.done():
                await self._far_end_ended(call, wire, listen)
                await asyncio.wait([carry], timeout=ENDING_LIMIT_S)
        finally:
            channel.metronome.leave(line)
            await self._clean_up(call, carry, listen, send)
            self._log_end(call, wire, line)

    async def _far_end_ended(self, call: Call, wire: TwilioWire, listen: asyncio.Task[str]) -> None:
        """The caller left, the socket broke, or the far end broke the rules."""
        wire.far_end_left()
        error = listen.exception() if listen.done() else None
        if isinstance(error, BadMessage):
            await self._refuse(error.code, error.message, _close_code(error))
            call.hang_up("bad_message")
        elif error is not None and not isinstance(error, Disconnected):
            logger.error("listening to a call failed", extra={"call": call.id, "error": type(error).__name__})
            call.hang_up("line_failed")
        else:
            call.hang_up(listen.result() if listen.done() and error is None else "line_lost")

    async def _listen(self, call: Call, wire: TwilioWire, line: Line) -> str:
        """Take in what Twilio sends; returns when the stream has ended in order."""
        now = self._channel.now
        while True:
            event = parse(await self._receive())
            if isinstance(event, Media | Mark | Digit | Stop) and event.stream_sid != self._stream_sid:
                raise BadMessage("The message is of another stream.")
            match event:
                case Media():
                    line.last_media_at = now()
                    if event.sequence > self._sequence:
                        self._sequence = event.sequence
                        call.inlet.hear(mulaw.decode(event.mulaw))
                    else:
                        self._pass_over()
                case Mark():
                    wire.mark_returned(event.name)
                case Digit():
                    call.inlet.press(event.digit)
                case Stop():
                    return "caller_left"
                case Start() | Connected():
                    raise BadMessage("The stream was started a second time.")
                case Unknown():
                    self._pass_over()

    async def _receive(self) -> str:
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise Disconnected("The socket is gone.")
        text = message.get("text")
        if text is None:
            raise WrongFrame("Only text messages are understood.", 1003)
        if len(text) > self._channel.settings.max_message_bytes:
            raise WrongFrame("The message is too large.", 1009)
        return str(text)

    def _pass_over(self) -> None:
        """Tolerate a message, not a flood of them."""
        self._passed_over += 1
        self._channel.counters["messages_passed_over"] += 1
        if self._passed_over > TOLERATED:
            raise BadMessage("Too many messages had no use.")

    async def _refuse(self, kind: str, why: str, close_code: int) -> None:
        self._channel.refusals.add(kind, why)
        try:
            async with asyncio.timeout(1.0):
                await self._socket.close(close_code, close_reason(why))
        except (TimeoutError, RuntimeError, OSError, WebSocketDisconnect):
            self._channel.counters["close_unheard"] += 1

    async def _clean_up(self, call: Call, carry: asyncio.Task[None], *own: asyncio.Task[Any]) -> None:
        """End every task of the call, within a limit, also when this one is being cancelled."""
        if not carry.done():
            logger.error("the call did not end by itself and is cut off", extra={"call": call.id})
        for task in (carry, *own):
            task.cancel()
        done, left = await asyncio.wait([carry, *own], timeout=CANCEL_LIMIT_S)
        errors = {task: task.exception() for task in done if not task.cancelled()}
        if errors.get(carry):
            name = type(errors[carry]).__name__
            logger.error("carrying a call failed", extra={"call": call.id, "error": name})
        if left:
            logger.error("tasks of a call do not end", extra={"call": call.id, "tasks": len(left)})

    def _log_end(self, call: Call, wire: TwilioWire, line: Line) -> None:
        logger.info(
            "phone call over",
            extra={
                "call": call.id,
                "bytes_out": wire.bytes_sent,
                "bytes_dropped": wire.bytes_dropped,
                "bytes_in": call.inlet.bytes_seen,
                "max_lead_ms": round(line.max_lead_ms),
                "marks_void": wire.playout.marks_void,
                "passed_over": self._passed_over,
            },
        )


def _close_code(error: BadMessage) -> int:
    return error.close_code if isinstance(error, WrongFrame) else 1008
