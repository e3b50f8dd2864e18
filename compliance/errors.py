"""The one tree of errors.

    TwinError
    ├── SettingsError        twin.toml or the environment is wrong
    ├── EngineError          a speech, brain or voice engine
    │   ├── EngineMissing    not installed, no key, no model
    │   ├── EngineFailed     it broke, or its server did
    │   └── EngineTimeout    it took longer than its limit
    ├── ChannelError         a caller's connection
    │   ├── BadMessage       a message that the protocol does not allow
    │   ├── TokenRefused     forged, used before, or too old
    │   ├── SoundMissing     no sound server or device on this machine, or it is gone
    │   └── CallRefused      at capacity, draining, or the twin cannot start
    ├── DoorClosed           the outlet may not sound
    ├── PersonaError         the twin's home: profile, facts, statements
    ├── VaultError           the store
    │   └── KeyGone          it was sealed under a key that was destroyed
    ├── LedgerError          the ledger was changed, or cannot be written
    ├── ConsentMissing       nothing may be spoken or shown in this likeness
    ├── FaceUnfit            a photo, clip or 3D head that no face can be made of
    ├── RequestError         a person's request about their data
    ├── SignInRefused        the console
    ├── ProvenanceError      a file's manifest
    └── WatermarkError       sound cannot be marked, or not be searched for the mark

It lives in the lowest folder because every folder above may raise from it. Each class has a `code` that
scripts may rely on; the message is one line and says what to do. Messages carry no personal data.
"""

from __future__ import annotations

from typing import ClassVar


class TwinError(Exception):
    """An error a person can act on: one line, with a stable `code` for machines."""

    code: ClassVar[str] = "twin"

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class SettingsError(TwinError):
    """A setting is missing, misspelt or out of range."""

    code = "settings"


class EngineError(TwinError):
    """A speech, brain or voice engine could not do its work."""

    code = "engine"


class EngineMissing(EngineError):
    """The engine is not installed or not configured; the message names the command or key."""

    code = "engine_missing"


class EngineFailed(EngineError):
    """The engine broke while working; the caller of the engine falls back."""

    code = "engine_failed"


class EngineTimeout(EngineError):
    """The engine took longer than its limit; the caller of the engine falls back."""

    code = "engine_timeout"


class ChannelError(TwinError):
    """A caller's connection did something that ends or refuses it."""

    code = "channel"


class BadMessage(ChannelError):
    """The peer sent what the protocol does not allow."""

    code = "bad_message"


class TokenRefused(ChannelError):
    """A stream token was forged, used before, or is too old."""

    code = "token_refused"


class SoundMissing(ChannelError):
    """This machine's sound cannot be used: no server, no such device, or it is gone."""

    code = "sound_missing"


class CallRefused(ChannelError):
    """The call cannot be carried: capacity, draining, or the twin is not ready."""

    code = "call_refused"


class DoorClosed(TwinError):
    """The outlet is closed and will not sound; the call must end."""

    code = "door_closed"


class PersonaError(TwinError):
    """The twin's home cannot be read; the message names file and line."""

    code = "persona"


class VaultError(TwinError):
    """The store refused or failed."""

    code = "vault"


class KeyGone(VaultError):
    """What was to be opened was sealed under a key that was destroyed: it is forgotten."""

    code = "key_gone"


class LedgerError(TwinError):
    """The ledger was changed from outside, or cannot be written."""

    code = "ledger"


class ConsentMissing(TwinError):
    """The owner's consent to this use of the clone is missing, expired or revoked."""

    code = "consent_missing"


class FaceUnfit(TwinError):
    """No face can be made of this file; the message says what to take instead."""

    code = "face_unfit"


class RequestError(TwinError):
    """A request about a person's data cannot be taken, verified or carried out as it stands."""

    code = "request"


class SignInRefused(TwinError):
    """Somebody may not use the console, or not this part of it."""

    code = "sign_in"


class ProvenanceError(TwinError):
    """A file's manifest cannot be written or read."""

    code = "provenance"


class WatermarkError(TwinError):
    """Sound cannot be marked, so that nothing may leave; or it cannot be searched for the mark."""

    code = "watermark"
