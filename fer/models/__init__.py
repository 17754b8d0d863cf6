"""Networks, their names, and their checkpoints."""

DEFAULT_MODEL = "compact"  # the more accurate shipped model, and fast enough for a live camera
