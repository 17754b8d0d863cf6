"""Tell whether a visitor is still there: Streamlit keeps a closed page's session and work for two minutes."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def still_there(grace_s: float = 0.0) -> Callable[[], bool]:
    """A function for any thread that tells whether the current page's visitor is there; always true without a server.

    grace_s: a visitor seen this recently still counts, since a phone that changes networks reconnects.
    """
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    instance, session = runtime.get_instance(), context.session_id
    seen = [time.monotonic()]

    def there() -> bool:
        if instance.is_active_session(session):
            seen[0] = time.monotonic()
            return True
        return time.monotonic() - seen[0] < grace_s

    return there
