"""Run a command and print its cost as one line of JSON: `python -S process_cost.py COMMAND...`.

A separate small process, since Linux includes the parent's memory in a command's peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time


def spend(command: list[str]) -> dict[str, object]:
    """wall_ms, busy_ms (of all its threads), peak_mb (resident), code (its exit status), output, errors."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        written = [(file.seek(0), file.read().decode(errors="replace"))[1] for file in (output, errors)]
    return {
        "wall_ms": 1000 * wall_s,
        "busy_ms": 1000 * (usage.ru_utime + usage.ru_stime),
        "peak_mb": peak_bytes / 2**20,
        "code": process.returncode,
        "output": written[0],
        "errors": written[1],
    }


if __name__ == "__main__":
    print(json.dumps(spend(sys.argv[1:])))
