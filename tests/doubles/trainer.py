"""A stand-in for hours of training: a program that speaks the protocol of `persona.voice.training`.

It notes in `seen.json` what it was given: the data set, the model to start from, how many clips. With one epoch it
is done after three steps, otherwise it goes on until it is stopped.
"""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import json, os, pathlib, sys, threading, time
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
plan = json.loads(sys.argv[-1])
out = pathlib.Path(plan["out"])
assert pathlib.Path.cwd() == out
texts = (pathlib.Path(plan["dataset"]) / "metadata.csv").read_text()
seen = out / "seen.json"
before = json.loads(seen.read_text()) if seen.exists() else []
seen.write_text(json.dumps([*before, [plan["dataset"], plan["base"], len(texts.splitlines())]]))
for step in range(1, 4 if plan["epochs"] == 1 else 1000):
    told = dict(state="training", step=step, epoch=1, epochs=plan["epochs"], loss=0.5, resumed=bool(before))
    print(json.dumps(told), flush=True)
    time.sleep(0.05 if plan["epochs"] == 1 else 0.2)
(out / "voice").mkdir()
print(json.dumps(dict(state="done", step=3, epoch=1, epochs=1)), flush=True)
"""


def program(folder: Path) -> Path:
    """The program, to be run in place of an interpreter."""
    file = folder / "trainer"
    file.write_text(_PROGRAM.format(python=sys.executable), "utf-8")
    file.chmod(0o700)
    return file
