"""One meeting, put together: everybody's doors, one clock, one conversation, its pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from agent.conversation import Conversation
from agent.engines.base import Voice
from agent.engines.lineup import Lineup
from agent.face.attention import Attention
from agent.face.lineup import Faces
from agent.meeting.addressee import Addressee, Names, decide
from agent.meeting.addressee.said import Mode
from agent.meeting.attendance import MeetingAttendance
from agent.meeting.calling import Calling
from agent.meeting.chair import Chair
from agent.meeting.company import Company
from agent.meeting.consenting import MeetingConsenting
from agent.meeting.floor import MeetingFloor
from agent.meeting.hand import Hand
from agent.meeting.hearing.hall import Hall
from agent.meeting.minutes.secretary import Secretary
from agent.meeting.pipeline import build
from agent.meeting.roll import Roll
from agent.meeting.texts import texts
from agent.meeting.understanding import Understanding
from agent.meeting.writing import Writing
from agent.messages import Messages
from agent.mind import Mind
from agent.opening import Opening
from agent.permission import Permission, Permit
from agent.proceedings import Office
from agent.recorder import Recorder
from agent.run import LiveCall, Patience
from agent.settings import Settings
from agent.stages.honesty import Honesty
from agent.stages.mouth import Mouth
from agent.timing import TurnTiming
from agent.tools.using import ToolUsing
from agent.turns.backchannels import Backchannels
from channels.call import Call, Caller, Channel, Notice, new_call_id
from channels.clock import Clock
from channels.inlet import Inlet, InletListener
from channels.outlet import Mark, Outlet
from channels.wire import Wire
from compliance.jurisdiction import Flow
from compliance.vault import Vault
from persona.profile import Profile

RATE_HZ = 16_000
"""Of what people say."""
BEARINGS = (0.0, -0.6, 0.6, -0.3, 0.3, -0.9, 0.9)
"""Where the face looks for one after the other: nobody knows where they are on other people's screens."""


class _Nobody:
    """The listener of the call's own inlet, which stays closed in a meeting."""

    def audio(self, pcm: bytes) -> None: ...

    def digit(self, digit: str) -> None: ...

    def text(self, text: str) -> None: ...


def convene(
    channel: Channel,
    wire: Wire,
    caller: Caller,
    reference: str | None,
    *,
    settings: Settings,
    profile: Profile,
    lineup: Lineup,
    vault: Vault,
    opening: Opening,
    flow: Flow,
    office: Office,
    voice: Voice,
    permit: Permit | None,
    mind: Mind,
    faces: Faces,
    mark: Mark,
    secretary: Callable[[str, int], Secretary],
) -> LiveCall:
    """A meeting that is ready to `run`, with `call.attendance` set. Nothing is connected, stored or heard yet.

    `permit` is what `voice` needs when it is a clone; `mark` is the watermark of this meeting; `secretary` makes
    the one of a call, by its id and its clock's rate.
    """
    rules, language = settings.meeting, settings.twin.language
    if not rules.record_questions:
        flow = replace(flow, recording="off")
    timing, clock, call_id = TurnTiming(), Clock(wire.rate_hz), new_call_id()
    recorder = Recorder(vault, call_id, clock, caller.subject)
    conversation = Conversation(recorder)
    minutes = secretary(call_id, clock.rate_hz)
    company = Company(mind.people, rules)
    mouth = Mouth(
        conversation,
        timing,
        on_disclosed=lambda position: live.disclosed(position),
        on_failed=lambda reason: live.door_failed(reason),
    )
    call = mouth.call = Call(
        id=call_id,
        channel=channel,
        caller=caller,
        wire=wire,
        clock=clock,
        inlet=Inlet(RATE_HZ, _Nobody()),
        outlet=Outlet(clock, wire, mouth, stages=[Permission(permit)] if permit else [], mark=mark),
        started_at=datetime.now(UTC),
        reference=reference,
        language=language,
    )
    call.show = lambda: faces.show(call)
    words = texts(language, profile.short)

    def leave_message(text: str) -> None:
        recorder.message(text, speaker=company.asker)

    messages = Messages(conversation, profile, company.caller, leave_message)
    conversation.also_tell(messages)
    consenting = MeetingConsenting(
        call,
        flow,
        opening,
        conversation=conversation,
        recorder=recorder,
        office=office,
        company=company,
        texts=words,
        repeat_s=settings.disclosure.repeat_minutes * 60,
        within_s=rules.disclose_within_s,
        owner=profile.name,
        admit=lambda identity: attendance.admit(identity),
    )
    screening = mind.screening(call, recorder.event, human=opening.texts.human)
    honesty = Honesty(call, lambda text: None)
    writing = Writing(lambda sentences, epoch: floor.write(sentences, epoch))
    names = Names(profile.name, called=(profile.called,) if profile.called else (), twin=rules.nicknames)
    calling = Calling(names, language)
    addressee = Addressee(names, lambda text: mind.in_field(calling.without(text, ())), language)
    hand = Hand(call, lambda: faces.seen(call_id), recorder.event, keep_s=rules.hand_minutes * 60)
    chair = Chair(addressee.judge, decide, rules.mode)
    understanding = Understanding(
        call,
        conversation,
        company=company,
        chair=chair,
        consenting=consenting,
        screening=screening,
        hand=hand,
        calling=calling,
        backchannels=Backchannels(settings.turns.backchannels),
        record=recorder.event,
    )
    floor = MeetingFloor(
        call,
        conversation,
        timing,
        rules,
        settings.turns,
        understanding=understanding,
        company=company,
        consenting=consenting,
        writing=writing,
        hand=hand,
        texts=words,
        say=honesty.say,
        record=recorder.event,
        on_owner_asked=minutes.asked_owner,
    )
    consenting.say, consenting.press = floor.say, floor.press
    hall = Hall(
        lineup.speech,
        clock=clock,
        language=language,
        turns=settings.turns,
        settings=rules,
        on=floor.hear,
        on_deaf=lambda: live.give_up("no_speech_engine"),
        on_fallback=lambda old, new: _fell_back(call, recorder, old, new),
        takes_keys=consenting.keys,
        rate_hz=RATE_HZ,
    )
    call.outlet.watch(hall.own)
    floor.opens(hall.start)

    def listening(identity: str, place: int, listener: InletListener) -> InletListener:
        return Attention(
            listener,
            RATE_HZ,
            face=lambda: faces.seen(call_id),
            speech=lambda: identity in floor.speaking,
            person=identity,
            bearing=BEARINGS[place % len(BEARINGS)],
        )

    roll = Roll(company, consenting, recorder, named=screening.named, gone=floor.gone)
    call.attendance = attendance = MeetingAttendance(RATE_HZ, hall, roll, listening)
    briefing = mind.briefing(call, company, screening, company.present)
    brain = lineup.brain
    if settings.tools.enabled and brain is not lineup.grounded:
        brain = ToolUsing(brain, mind.toolbox(call, company, screening, recorder.event, leave_message))
    pipeline = build(
        call,
        floor,
        honesty,
        writing,
        mouth,
        timing=timing,
        brain=brain,
        voice=voice,
        compose=briefing,
        checked=screening.checked,
        moderated=screening.moderated,
        record=recorder.event,
        give_up=lambda reason: live.give_up(reason),
        on_fallback=lambda old, new: _fell_back(call, recorder, old, new),
    )

    def begin() -> None:
        consenting.began()
        if chair.mode != rules.mode:
            recorder.event("mode", {"mode": chair.mode})

    def meet_in(mode: Mode) -> None:
        chair.mode = mode
        # Before it begins there is no call yet that this could be kept with.
        if consenting.begun:
            recorder.event("mode", {"mode": mode})

    live = LiveCall(
        call,
        pipeline,
        conversation,
        timing,
        opening,
        Patience(None, rules.max_minutes * 60),
        recorder,
        messages,
        consenting,
        attendance,
        begin=begin,
        meet_in=meet_in,
        closing=(hall.close, briefing.close, minutes.end),
    )
    call.hang_up = live.hang_up
    return live


def _fell_back(call: Call, recorder: Recorder, old: str, new: str) -> None:
    recorder.event("fallback", {"from": old, "to": new})
    call.tell(Notice("fallback", f"{old} stopped working; {new} has taken over."))
