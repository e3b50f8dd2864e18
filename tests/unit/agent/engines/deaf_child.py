"""A child whose first life takes one job, hears no more and lives on; the second echoes. Argument: a file."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from pathlib import Path

from agent.engines.child import serve
from tests.unit.agent.engines.echo_child import handle

if __name__ == "__main__":
    lived = Path(sys.argv[1])
    if not lived.exists():
        lived.touch()
        greeting = json.dumps({"id": 0, "fields": {}}).encode()
        os.write(1, struct.pack(">II", len(greeting), 0) + greeting)
        os.read(0, 8)
        os.close(0)
        time.sleep(60)
    serve(handle)
