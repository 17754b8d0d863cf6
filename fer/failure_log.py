"""How a failure that nobody foresaw is logged: by its place in the code and a number, on a shared demo by no more."""

from __future__ import annotations

import logging
import secrets
import traceback

from fer.limits import hosted


def log_failure(words: str, error: BaseException) -> str:
    """Log where the exception came from, under a number that the visitor can be told; returns the number.

    The exception's own text is left out on a shared demo: it may hold a file's name, or what was in it.
    """
    number = secrets.token_hex(3)
    said = "" if hosted() else f": {error}"
    logging.getLogger(__name__).error(
        "%s (%s): %s%s\n%s",
        words,
        number,
        type(error).__name__,
        said,
        "".join(traceback.format_tb(error.__traceback__)),
    )
    return number
