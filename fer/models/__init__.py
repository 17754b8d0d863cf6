"""Networks, their names, and their checkpoints."""

DEFAULT_MODEL = "compact"  # of the shipped ones: the more accurate, and fast enough for a live camera
