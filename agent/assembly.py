"""One call, put together: its doors, its clock, its conversation, its pipeline."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.consenting import Consenting
from agent.conversation import Conversation
from agent.engines.base import Voice
from agent.engines.lineup import Lineup
from agent.face.attention import Attention
from agent.face.lineup import Faces
from agent.heeding import Heeding
from agent.messages import Messages
from agent.mind import Mind
from agent.opening import Opening
from agent.permission import Permission, Permit
from agent.pipeline import build
from agent.proceedings import Office
from agent.recorder import Recorder
from agent.run import LiveCall, Patience
from agent.settings import Settings
from agent.stages.ear import Ear
from agent.stages.honesty import Honesty
from agent.stages.mouth import Mouth
from agent.tap import Tap
from agent.timing import TurnTiming
from agent.tools.using import ToolUsing
from channels.call import Call, Caller, Channel, Notice, new_call_id
from channels.clock import Clock
from channels.inlet import Inlet
from channels.outlet import Mark, Outlet
from channels.wire import Wire
from compliance.jurisdiction import Flow
from compliance.vault import Vault
from persona.profile import Profile

INLET_RATES_HZ: dict[Channel, int] = {"web": 16_000, "phone": 8_000, "room": 16_000, "camera": 16_000}


def assemble(
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
) -> LiveCall:
    """A call that is ready to `run`. Nothing is connected, stored or heard yet.

    `permit` is what `voice` needs when it is a clone; `mark` is the watermark of this call.
    """
    timing = TurnTiming()
    clock = Clock(wire.rate_hz)
    call_id = new_call_id()
    recorder = Recorder(vault, call_id, clock, caller.subject)
    conversation = Conversation(recorder)
    messages = Messages(conversation, profile, lambda: remembering.caller(), recorder.message)
    conversation.also_tell(messages)
    ear = Ear(INLET_RATES_HZ[channel], settings.turns, takes_keys=lambda keys: consenting.keys(keys))
    tap = Tap(ear, clock)
    attention = Attention(tap, ear.rate_hz, face=lambda: faces.seen(call_id), speech=lambda: ear.hears_speech)
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
        inlet=Inlet(ear.rate_hz, attention),
        outlet=Outlet(clock, wire, mouth, stages=[Permission(permit)] if permit else [], mark=mark, tap=tap),
        started_at=datetime.now(UTC),
        reference=reference,
        language=settings.twin.language,
    )
    call.outlet.on_unheard = tap.unheard
    call.show = lambda: faces.show(call)
    consenting = Consenting(
        call,
        flow,
        opening,
        conversation=conversation,
        recorder=recorder,
        tap=tap,
        office=office,
        repeat_s=settings.disclosure.repeat_minutes * 60,
        owner=profile.name,
        first_question=lambda: remembering.question(),
    )
    screening = mind.screening(call, recorder.event, human=opening.texts.human)
    remembering = mind.remembering(call, screening, recorder.event, consenting.may_remember)
    honesty = Honesty(call, Heeding(consenting, screening, remembering))
    consenting.say = honesty.say
    briefing = mind.briefing(call, remembering, screening)
    brain = lineup.brain
    if settings.tools.enabled and brain is not lineup.grounded:
        toolbox = mind.toolbox(call, remembering, screening, recorder.event, recorder.message)
        brain = ToolUsing(brain, toolbox)
    pipeline = build(
        call,
        ear,
        mouth,
        honesty,
        conversation=conversation,
        timing=timing,
        speech=lineup.speech,
        brain=brain,
        voice=voice,
        compose=briefing,
        turns=settings.turns,
        checked=screening.checked,
        moderated=screening.moderated,
        record=recorder.event,
        give_up=lambda reason: live.give_up(reason),
        on_fallback=lambda old, new: _fell_back(call, recorder, old, new),
        expects_answer=lambda: consenting.expects_answer or remembering.expects_answer,
    )
    live = LiveCall(
        call,
        pipeline,
        conversation,
        timing,
        opening,
        Patience.of_call(settings.limits),
        recorder,
        messages,
        consenting,
        call.inlet,
        begin=remembering.start,
        remember=remembering.remember,
        closing=(remembering.end, briefing.close),
    )
    call.hang_up = live.hang_up
    return live


def _fell_back(call: Call, recorder: Recorder, old: str, new: str) -> None:
    recorder.event("fallback", {"from": old, "to": new})
    call.tell(Notice("fallback", f"{old} stopped working; {new} has taken over."))
