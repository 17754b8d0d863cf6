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
    """A video cannot be used: not a video, damaged, too long or too large."""


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


# What each extra of the package brings, by the first name in an import.
EXTRAS = {
    "train": ("torch", "torchvision", "torchmetrics", "captum", "accelerate", "safetensors", "scipy", "optuna"),
    "app": ("streamlit", "streamlit_webrtc", "plotly", "pi_heif"),
    "serve": ("fastapi", "fastapi_offline", "python_multipart", "uvicorn", "websockets"),
    "ray": ("ray",),
}


def missing_part(error: ModuleNotFoundError) -> str | None:
    """What to install for an import that failed, as a sentence; None for a module that no extra brings."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return f"This needs {module}, which is not installed. Install it with: pip install 'fer-studio[{extra}]'"
    return None
