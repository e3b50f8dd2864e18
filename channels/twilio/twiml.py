"""The answers a call can get: a stream, a spoken word that there is none now, or the owner's telephone.

`<Say>` is Twilio's own voice speaking a fixed service text about availability. It is not the twin: nothing of the
persona, and nothing that was generated, is ever said this way.
"""

from __future__ import annotations

from twilio.twiml.voice_response import VoiceResponse

UNAVAILABLE = "Sorry, this assistant cannot take your call at the moment. Please try again later. Goodbye."
CUT_OFF = "Sorry, this call cannot go on. Please try again later. Goodbye."


def stream(url: str, token: str, *, language: str) -> str:
    """Connect the call to the media socket at `url`.

    Twilio reaches the verbs after `<Connect>` when the socket cannot be opened, refuses the call or breaks. At an
    ordinary end the call is over before that, by the caller or by REST.
    """
    response = VoiceResponse()
    response.connect().stream(url=url).parameter(name="token", value=token)
    response.say(CUT_OFF, language=language)
    response.hangup()
    return str(response)


def unavailable(spoken: str, *, language: str) -> str:
    """Say it, and hang up."""
    response = VoiceResponse()
    response.say(spoken or UNAVAILABLE, language=language)
    response.hangup()
    return str(response)


def dial(number: str) -> str:
    """Ring at a number; the call is over when either side hangs up, or nobody answers."""
    response = VoiceResponse()
    response.dial(number, timeout=30)
    response.hangup()
    return str(response)
