"""Whether a visitor is still there: Streamlit keeps the session of a closed page for two minutes, its work running."""

from __future__ import annotations

from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def still_there() -> Callable[[], bool]:
    """A question that any thread may ask, about the visitor whose page runs now; yes where there is no server."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    instance, session = runtime.get_instance(), context.session_id
    return lambda: instance.is_active_session(session)
