"""Log unexpected errors under a reference number."""

from __future__ import annotations

import logging
import secrets
import traceback

from fer.limits import hosted


def log_failure(words: str, error: BaseException) -> str:
    """Log an exception's type and stack under a random reference number to show the visitor; returns the number.

    On a shared demo the exception's message is left out: it may contain a file's name or its contents.
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
