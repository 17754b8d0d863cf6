"""Real servers for tests that need one."""

from __future__ import annotations

import socket
import urllib.request

from tests.waiting import wait_for


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def streamlit_arguments(port: int | str) -> list[str]:
    """What serves the app on a port, without a browser of its own."""
    options = {"headless": "true", "address": "127.0.0.1", "port": str(port)}
    flags = [word for name, value in options.items() for word in (f"--server.{name}", value)]
    return ["streamlit", "run", "streamlit_app.py", *flags]


def await_health(address: str) -> str:
    """The address, once a server that was just started answers there; raises AssertionError after a minute."""

    def answers() -> bool:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
        except OSError:
            return False
        return True

    wait_for(answers)
    return address
