"""espeak-ng in a process of its own: it is GPL, and its state is global. Run by `Child`; see `espeak.py`.

    say: payload the text (UTF-8); fields voice, rate_wpm, pitch, range, end_pause; optional pitches_hz (where the
         pitch of the voice begins and ends, instead of its own) and phonemes (true: [[...]] holds phonemes)
      -> messages with int16 mono audio as payload and the field `events`:
         [[kind, position, sample, ipa], ...], kind "word" or "phoneme", position in code points of the text,
         sample counted from the first of the job; the phoneme "" is a pause

The greeting holds `rate_hz`, `voices` (language code -> name) and `variants`; `voice` is a name, or a name and a
variant: `en-US+f3`.
"""

from __future__ import annotations

import ctypes
import queue
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.engines.child import Job, Message, serve
from compliance.errors import EngineFailed, EngineMissing

# The names of espeak-ng's speak_lib.h, without the prefix.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS, _INITIALIZE_PHONEME_IPA, _INITIALIZE_DONT_EXIT = 0x1, 0x2, 0x8000
_CHARS_UTF8, _PHONEMES, _ENDPAUSE = 0x1, 0x100, 0x1000
_POS_CHARACTER = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_BUFFER_MS = 60
_FIRST_MS, _LATER_MS = 60, 240
_UNREAD = 8
"""Pieces made ahead of the pipe; more would be made for nothing when the job is cancelled."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_ubyte)),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library. One sentence at a time: its voice and its settings are global."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            self._data = Path(espeakng_loader.get_data_path())
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineMissing(
                f"espeak: the library does not load ({type(error).__name__}); `pip install espeakng-loader`"
            ) from None
        options = _INITIALIZE_PHONEME_EVENTS | _INITIALIZE_PHONEME_IPA | _INITIALIZE_DONT_EXIT
        self.rate_hz: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, str(self._data).encode(), options
        )
        if self.rate_hz <= 0:
            raise EngineMissing(
                "espeak: its data files are missing; `pip install --force-reinstall espeakng-loader`"
            )
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        # Kept as an attribute: espeak holds only the address, and the collector would free the trampoline.
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._identifiers: dict[str, str] = {}
        self._job: Job | None = None
        self._ready: queue.Queue[Message | None] = queue.Queue(_UNREAD)
        self._pcm = bytearray()
        self._events: list[list[Any]] = []
        self._begun = False

    def voices(self) -> dict[str, str]:
        """Language code -> the name that `voice` takes; codes are lower case, as in `en-gb`."""
        found: dict[str, tuple[int, str]] = {}
        listed = self._library.espeak_ListVoices(None)
        index = 0
        while listed[index]:
            voice, index = listed[index].contents, index + 1
            # A code is no name: the voice for en-gb is called en.
            name = voice.identifier.decode().rpartition("/")[2]
            self._identifiers[name] = voice.identifier.decode()
            for rank, code in _languages(voice.languages):
                found[code] = min(found.get(code, (rank, name)), (rank, name))
        return {code: name for code, (_, name) in sorted(found.items())}

    def variants(self) -> list[str]:
        """What may follow a `+`; espeak itself takes any, and speaks on without it."""
        folder = self._data / "voices" / "!v"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def say(self, job: Job) -> Iterator[Message]:
        """Audio and events of the job's text as they are made."""
        fields = job.fields
        for parameter, value in (
            (_RATE, fields["rate_wpm"]),
            (_PITCH, fields["pitch"]),
            (_RANGE, fields["range"]),
            (_VOLUME, 100),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._set_voice(fields["voice"], fields.get("pitches_hz"))
        self._job, self._ready, self._begun = job, queue.Queue(_UNREAD), False
        self._pcm.clear()
        self._events.clear()
        flags = _CHARS_UTF8 | (_ENDPAUSE if fields["end_pause"] else 0)
        flags |= _PHONEMES if fields.get("phonemes") else 0
        # espeak pushes and the pipe pulls, so it works in a thread; ctypes lets the interpreter go meanwhile.
        thread = threading.Thread(target=self._synthesise, args=(job.payload, flags), name="synth", daemon=True)
        thread.start()
        try:
            while (message := self._ready.get()) is not None:
                yield message
        finally:
            job.cancel()  # left early: espeak's state is free for the next job only when the thread is through
            thread.join(timeout=5.0)
            if thread.is_alive():
                raise EngineFailed("espeak: it does not stop")

    def _set_voice(self, voice: str, pitches_hz: Sequence[int] | None) -> None:
        """By its name, or as a file of its lines with another pitch: its parameters only reach part of that."""
        name, _, variant = voice.partition("+")
        source = self._data / "lang" / self._identifiers.get(name, name)
        if pitches_hz is None or not source.is_file():
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise EngineMissing(f"espeak: it has no voice {voice!r}")
            return
        lines = [source.read_text("utf-8")]
        if variant:
            kept = (self._data / "voices" / "!v" / variant).read_text("utf-8", "replace").splitlines()
            lines += [line for line in kept if not line.startswith(("language", "name"))]
        lines.append("pitch {} {}\n".format(*pitches_hz))
        # Gone as soon as it is read: this process is ended without a chance to tidy up.
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="espeak-voice-") as file:
            file.write("\n".join(lines))
            file.flush()
            refused = self._library.espeak_SetVoiceByFile(file.name.encode()) != 0
        if refused:
            raise EngineMissing(f"espeak: it cannot be given the pitch of voice {voice!r}")

    def _synthesise(self, text: bytes, flags: int) -> None:
        try:
            self._library.espeak_Synth(text, len(text) + 1, 0, _POS_CHARACTER, 0, flags, None, None)
            self._flush()
        finally:
            self._hand(None)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        """espeak's callback: 0 to go on, 1 to stop."""
        index = 0
        while events[index].type != _EVENT_END:
            event, index = events[index], index + 1
            if event.type == _EVENT_WORD:
                self._events.append(["word", event.text_position - 1, event.sample, ""])
            elif event.type == _EVENT_PHONEME:
                # Eight bytes may cut the last character of a long one.
                ipa = event.id.string.decode("utf-8", "ignore")
                self._events.append(["phoneme", event.text_position - 1, event.sample, ipa])
        if samples and count > 0:
            self._pcm += ctypes.string_at(samples, 2 * count)
        enough_ms = _LATER_MS if self._begun else _FIRST_MS
        if len(self._pcm) >= 2 * self.rate_hz * enough_ms // 1000 and not self._flush():
            return 1
        return 1 if self._job is None or self._job.cancelled else 0

    def _flush(self) -> bool:
        """Hand over what there is; False when nobody wants it any more."""
        if not self._pcm and not self._events:
            return True
        message = Message({"events": list(self._events)}, bytes(self._pcm))
        self._begun = True
        self._pcm.clear()
        self._events.clear()
        return self._hand(message)

    def _hand(self, message: Message | None) -> bool:
        while True:
            try:
                self._ready.put(message, timeout=0.05)
            except queue.Full:
                if self._job is None or self._job.cancelled:
                    return False
            else:
                return True


def _languages(raw: Any) -> Iterator[tuple[int, str]]:
    """espeak's list: a rank (low is best) and a C string, again and again, until a rank of 0."""
    address = ctypes.addressof(raw.contents)
    while rank := ctypes.string_at(address, 1)[0]:
        code = ctypes.string_at(address + 1)
        yield rank, code.decode("ascii", "ignore").lower()
        address += len(code) + 2


def main() -> None:
    """Serve until the parent is gone."""
    engines: list[Espeak] = []

    def setup() -> Mapping[str, Any]:
        engines.append(Espeak())
        espeak = engines[0]
        return {"rate_hz": espeak.rate_hz, "voices": espeak.voices(), "variants": espeak.variants()}

    serve(lambda job: engines[0].say(job), setup=setup)


if __name__ == "__main__":
    main()
