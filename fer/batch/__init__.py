"""Read many photos and videos into one table, with local processes or Ray. Needs no PyTorch."""

from fer.batch.inputs import Input
from fer.batch.reading import Reader, read_input, settings_for

__all__ = ["Input", "Reader", "read_input", "settings_for"]
