"""The app as `streamlit run` starts it, with WebRTC on loopback alone; reports its threads' names in a file.

    python -m tests.browser.loopback_app PORT THREADS_FILE

A stream may take PATIENCE_S to start here: these machines are busier than a visitor's server.
For tests.browser.measure_live: FER_MEASURE names a file that gets the frames so far and the seconds spent on them;
FER_ECHO=1 gives every frame back as it came.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from tests.serving import streamlit_arguments
from tests.waiting import wait_for

PATIENCE_S = 40


def loaded(module: str, name: str):
    """The app's module, once a page has loaded it: its component needs the running app."""
    wait_for(lambda: hasattr(sys.modules.get(module), name), 3600)
    return sys.modules[module]


def be_patient() -> None:
    loaded("fer.app.predict.webcam", "START_WITHIN_S").START_WITHIN_S = PATIENCE_S


def report_threads(path: Path) -> None:
    """Write all threads' names to the file, three times a second for as long as the server runs."""
    never = threading.Event()
    while not never.wait(0.3):
        part = path.with_suffix(".part")
        part.write_text(json.dumps(sorted(thread.name for thread in threading.enumerate())))
        os.replace(part, path)


def count_frames(path: Path, echo: bool) -> None:
    """Put a counter around the stream's callback."""
    webcam = loaded("fer.app.predict.webcam", "callback_of")
    real, counts = webcam.callback_of, {"frames": 0, "seconds": 0.0}

    def callback_of(analyzer, wanted):
        inner = real(analyzer, wanted)

        def callback(frame):
            began = time.monotonic()
            answer = frame if echo else inner(frame)
            counts["frames"] += 1
            counts["seconds"] += time.monotonic() - began
            if counts["frames"] % 5 == 0:
                part = path.with_suffix(".part")
                part.write_text(json.dumps(counts))
                os.replace(part, path)
            if echo:  # the page follows the analyzer: it must see that frames flow
                analyzer._note((), (480, 640, 3), began, None)
            return answer

        return callback

    webcam.callback_of = callback_of


def main(port: str, threads_file: str) -> None:
    import aioice.ice
    from streamlit.web import cli

    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # it skips loopback by itself
    if measure := os.environ.get("FER_MEASURE"):
        threading.Thread(
            target=count_frames, args=(Path(measure), bool(os.environ.get("FER_ECHO"))), daemon=True
        ).start()
    threading.Thread(target=be_patient, daemon=True).start()
    threading.Thread(target=report_threads, args=(Path(threads_file),), daemon=True).start()
    sys.argv = streamlit_arguments(port)
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
