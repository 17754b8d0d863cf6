"""Networks, their names, and their checkpoints."""
