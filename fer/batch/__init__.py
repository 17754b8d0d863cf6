"""Many photos and videos in one table: local processes or Ray. Needs no PyTorch."""

from fer.batch.reading import read_input

__all__ = ["read_input"]
