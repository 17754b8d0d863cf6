"""Errors as application/problem+json (RFC 9457): an HTTP status and a sentence."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.responses import JSONResponse

from fer.errors import FerError, ImageError

MEDIA_TYPE = "application/problem+json"


class ProblemError(FerError):
    """A request cannot be answered. status: the HTTP status; headers: extra response headers."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


class BusyError(ProblemError):
    """The service is at its limit."""

    def __init__(self, retry_after_s: int = 5) -> None:
        super().__init__(503, "The service is busy. Try again in a few seconds.", {"Retry-After": str(retry_after_s)})


class ClientLeftError(Exception):
    """The client has disconnected."""


def problem(status: int, sentence: str, kind: str = "", headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem+json response. kind: the error's class name for programs, such as ImageError."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return JSONResponse({**content, "error": kind} if kind else content, status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: FerError) -> JSONResponse:
    """The response to a request that raised this error."""
    if isinstance(error, ProblemError):
        return problem(error.status, error.message, headers=error.headers)
    status = 413 if isinstance(error, ImageError) and error.details.get("too_large") else 422
    return problem(status, error.message, type(error).__name__)
