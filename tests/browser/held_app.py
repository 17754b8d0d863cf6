"""The app as `streamlit run` starts it, but no stability is measured before a file is there.

python -m tests.browser.held_app PORT FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.serving import streamlit_arguments
from tests.waiting import wait_for


def main(port: str, file: str) -> None:
    from streamlit.web import cli

    from fer.app.predict import photo_reading

    real, go = photo_reading.stability, Path(file)

    def held(*given):
        wait_for(go.exists, 600)
        return real(*given)

    photo_reading.stability = held
    sys.argv = streamlit_arguments(port)
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
