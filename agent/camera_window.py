"""What the terminal of `twin camera` shows: what to choose in the meeting's program, and what happens."""

from __future__ import annotations

from rich.console import Console

from channels.call import CallEvent, Notice, Status
from channels.camera.platforms import PLATFORMS, name_to_show
from channels.camera.sound import Sound

STATES = {
    "disclosing": "the announcement sounds",
    "listening": "it listens",
    "ended": "the call is over",
}


class Window:
    """What the terminal shows."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._state = ""

    def ready(self, owner: str, sound: Sound, camera: str) -> None:
        """What to choose in the meeting's program, and how to be there."""
        names = ", ".join(platform.name for platform in PLATFORMS[:-1])
        self._console.print(
            f"\n  [bold]{owner}[/bold]'s AI twin is ready. In the meeting's program choose:\n\n"
            f"  camera      {camera}\n"
            f"  microphone  {sound.microphone}\n"
            f"  speaker     {sound.speaker}\n\n"
            f'  Be there openly: call the participant "{name_to_show(owner)}", and ask the host first.\n'
            f"  {names} look for machines that do not say so; channels/camera/README.md says more.\n\n"
            "  Enter  begin, once you are in the meeting: the announcement is heard first\n"
            "  m      mute: it hears and says nothing, until m again\n"
            "  q      leave\n"
        )

    def told(self, event: CallEvent) -> None:
        """Something about the call that whoever sits here should know."""
        match event:
            case Status(state) if state in STATES and state != self._state:
                self._state = state
                self.line(STATES[state])
            case Notice(text=text):
                self.line(text)

    def line(self, text: str) -> None:
        self._console.print(f"  {text}", markup=False)
