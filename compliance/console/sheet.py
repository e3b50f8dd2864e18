"""Everything a call page shows, computed from what is stored. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from compliance.console.consents import Consent, may_show
from compliance.console.lines import Line, Span, audible, lines
from compliance.console.masks import names
from compliance.console.story import Evidence, Step, Story, story
from compliance.console.strip import Strip, strip
from compliance.entries import CallEntry, Conversation
from compliance.sound.recorded import RecordingEntry

RECORDING = "recording"
TRANSCRIPTION = "transcription"


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording that can be played."""

    id: str
    start_s: float
    """Where it begins in the call."""
    end_s: float
    rate_hz: int
    frames: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One call."""

    call: CallEntry
    lines: tuple[Line, ...]
    story: Story
    strip: Strip
    sounds: tuple[Sound, ...]
    no_sound: str
    """Why there is nothing to hear, in a sentence; empty when there is."""
    no_words: str
    """Why there is nothing to read; empty when there is."""
    consents: tuple[Consent, ...]
    unmasked: bool
    names: Mapping[str, str] = field(default_factory=dict)
    """In a meeting: how the page names each participant, by identity."""

    @property
    def told(self) -> tuple[Step, ...]:
        """The steps that stand between the lines: what the caller was told and asked, and what was kept."""
        return tuple(step for step in self.story.during if step.at_s is not None and step.tone != "plain")

    @property
    def script(self) -> tuple[tuple[float, Line | None, Step | None], ...]:
        """Lines and steps in the order in which they happened."""
        both: list[tuple[float, Line | None, Step | None]] = [(line.start_s, line, None) for line in self.lines]
        both += [(step.at_s or 0.0, None, step) for step in self.told]
        return tuple(sorted(both, key=lambda entry: entry[0]))

    @property
    def audible(self) -> tuple[tuple[float, float], ...] | None:
        """When the recording may sound; None for always, which only the unmasked page may."""
        return None if self.unmasked else audible(self.lines)

    @property
    def hidden(self) -> int:
        """How many lines have something hidden in them."""
        return sum(line.masked for line in self.lines)


def sheet(
    conversation: Conversation,
    *,
    evidence: Iterable[Evidence],
    consents: Sequence[Consent],
    kept: Iterable[RecordingEntry],
    hidden: Mapping[int, Sequence[Span]] | None,
    now_ms: int,
) -> Sheet:
    """The page of a call. `hidden` is what to mask by turn; None shows all."""
    call = conversation.call
    answers = tuple(consents)
    told = story(conversation.events, evidence, started_ms=call.started_ms, ended_ms=call.ended_ms)
    no_words = ""
    shown: tuple[Line, ...] = ()
    if not may_show(answers, TRANSCRIPTION):
        no_words = "Consent to writing the words down was taken back."
    else:
        shown = lines(conversation.turns, hidden)
        if not shown:
            no_words = "Nothing was said yet." if call.state == "live" else "Nothing was written down."
    sounds, no_sound = _sounds(kept, answers, told.during)
    if no_sound and conversation.participants:
        no_sound = "Of a meeting only questions to the owner are kept as sound, where everybody agreed."
    length_s = ((call.ended_ms or now_ms) - call.started_ms) / 1000
    return Sheet(
        call=call,
        lines=shown,
        story=told,
        strip=strip(shown, told.during, [(sound.start_s, sound.end_s) for sound in sounds], length_s=length_s),
        sounds=sounds,
        no_sound=no_sound,
        no_words=no_words,
        consents=answers,
        unmasked=hidden is None,
        names=names(conversation.participants, unmasked=hidden is None),
    )


def _sounds(
    kept: Iterable[RecordingEntry], answers: tuple[Consent, ...], steps: Sequence[Step]
) -> tuple[tuple[Sound, ...], str]:
    recordings = list(kept)
    kinds = {step.kind for step in steps}
    if not may_show(answers, RECORDING):
        return (), "Consent to the recording was taken back, so it cannot be heard."
    sounds = tuple(
        Sound(
            id=recording.id,
            start_s=recording.start_samples / recording.clock_hz,
            end_s=recording.start_samples / recording.clock_hz + recording.frames / recording.rate_hz,
            rate_hz=recording.rate_hz,
            frames=recording.frames,
        )
        for recording in recordings
        if recording.frames
    )
    if sounds:
        return sounds, ""
    if any(recording.state == "live" for recording in recordings):
        return (), "The recording has just begun."
    if recordings or "recording_deleted" in kinds:
        return (), "There was a recording; it was deleted."
    if "consent_refused" in kinds:
        return (), "The caller did not say yes to a recording, so none was made."
    return (), "The caller was not asked for a recording, so none was made."
