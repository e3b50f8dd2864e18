"""A child whose first life takes one job, hears no more and lives on; the second echoes. Argument: a file."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from agent.engines.child import _encode, serve
from tests.unit.agent.engines.echo_child import handle

if __name__ == "__main__":
    lived = Path(sys.argv[1])
    if not lived.exists():
        lived.touch()
        os.write(1, _encode({"id": 0, "fields": {}}, b""))
        os.read(0, 8)
        os.close(0)
        time.sleep(60)
    serve(handle)
