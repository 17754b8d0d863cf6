"""Whether a visitor is still there: Streamlit keeps the session of a closed page for two minutes, its work running."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def still_there(grace_s: float = 0.0) -> Callable[[], bool]:
    """A question that any thread may ask, about the visitor whose page runs now; yes where there is no server.

    grace_s: who was seen that recently still counts as there: a phone that changes its network comes back.
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
