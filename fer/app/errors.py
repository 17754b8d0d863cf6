"""Turn every error into a sentence for the visitor, and log unexpected ones under a reference number."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

import streamlit as st

from fer.app import session
from fer.app.markdown import plain
from fer.errors import FerError, missing_part
from fer.failure_log import log_failure

Given = ParamSpec("Given")
PAGE_ADVICE = "Your other inputs are still here. Try again, or try another photo."
CALLBACK_ADVICE = "Nothing was lost. Try again."


def sentence_for(error: Exception, log_title: str, advice: str) -> str:
    """The message for the visitor: an expected error's own, else one with the log's reference number.

    advice: what to do about an unexpected error. Safe from any thread; escape the result for Markdown.
    """
    if isinstance(error, FerError):
        return error.message
    if isinstance(error, ModuleNotFoundError) and (sentence := missing_part(error)):
        return sentence
    number = log_failure(log_title, error)
    return f"Something went wrong on the server. To report it, give the number {number}. {advice}"


def show_error(message: str, icon: str = ":material/error:") -> None:
    st.error(plain(message), icon=icon)


def show_message() -> None:
    """Show the message of a callback since the last run of the page, if any."""
    if message := session.message.take():
        show_error(message)


@contextmanager
def guarded() -> Iterator[None]:
    """Show an error of a page, or of a part of it, in place of that part."""
    try:
        yield
    except Exception as error:
        show_error(sentence_for(error, "A page failed", PAGE_ADVICE))


def guarded_part(part: Callable[[], None]) -> Callable[[], None]:
    """The same for a fragment, which reruns outside the page's own guard."""

    @functools.wraps(part)
    def safe() -> None:
        with guarded():
            part()

    return safe


def guarded_callback(action: Callable[Given, object]) -> Callable[Given, None]:
    """The same for a callback, which runs before the page: the page shows its errors by `show_message`."""

    @functools.wraps(action)
    def safe(*given: Given.args, **options: Given.kwargs) -> None:
        try:
            action(*given, **options)
        except Exception as error:
            session.message.set(sentence_for(error, "A callback failed", CALLBACK_ADVICE))

    return safe
