"""Errors that a person can act on: what was found, and what to do next."""


class FerError(Exception):
    """Base of every error that FER Studio raises on purpose. The app shows its text as it is."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details  # data for callers, e.g. row=17


class ImageError(FerError):
    """A picture cannot be used: not a picture, damaged, or too large."""


class VideoError(FerError):
    """A film cannot be used: not a film, damaged, too long or too large."""


class WeightsError(FerError):
    """Weights or their card cannot be used."""


class DatasetError(FerError):
    """A data set cannot be read. `details["row"]` is the CSV row, the header being row 1."""


class RunError(FerError):
    """A training run cannot be started, resumed or read."""


class SettingError(RunError, ValueError):
    """A setting of a run is out of its range."""


class ExplainError(FerError):
    """A map cannot be made as asked: an unknown method, layer or class."""
