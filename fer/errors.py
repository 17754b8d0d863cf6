"""Errors that people can act on: they say what is wrong and what to do next."""


class FerError(Exception):
    """Base of every error that FER Studio raises on purpose. The app shows its message unchanged."""

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
    """A data set cannot be read. `details["row"]` is the CSV row; the header is row 1."""


class RunError(FerError):
    """A training run cannot be started, resumed or read."""


class SettingError(RunError, ValueError):
    """A run's setting is out of range."""


class ExplainError(FerError):
    """A map cannot be made because the method, layer or class is unknown."""


# The top-level modules that each extra of the package installs.
EXTRAS = {
    "train": ("torch", "torchvision", "torchmetrics", "captum", "accelerate", "safetensors", "scipy", "optuna"),
    "app": ("streamlit", "streamlit_webrtc", "plotly", "pi_heif"),
    "serve": ("fastapi", "fastapi_offline", "python_multipart", "uvicorn", "websockets"),
    "ray": ("ray",),
}


def missing_part(error: ModuleNotFoundError) -> str | None:
    """A sentence that says how to install the missing module; None if no extra provides it."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return (
                f"This needs {module}, which is not installed. Run pip install '.[{extra}]' in the folder of FER "
                "Studio's source."
            )
    return None
