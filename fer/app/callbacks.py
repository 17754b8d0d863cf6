"""What a button does, guarded: a callback runs outside the page's own guard, and must not end in a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable

from fer.app import session
from fer.errors import FerError, missing_part
from fer.failure_log import log_failure


def guarded_callback(action: Callable) -> Callable:
    """Errors with a message are told by the next drawing of the page; all others are logged and told by a number."""

    @functools.wraps(action)
    def guarded(*given: object) -> None:
        try:
            action(*given)
        except FerError as error:
            session.tell(error.message)
        except Exception as error:
            if isinstance(error, ModuleNotFoundError) and (sentence := missing_part(error)):
                session.tell(sentence)
                return
            number = log_failure("A callback failed", error)
            session.tell(
                f"Something went wrong on our side (number {number}, for whoever runs this server). Nothing was "
                "lost: try again, or reload the page."
            )

    return guarded
