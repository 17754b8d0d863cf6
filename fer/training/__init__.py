"""Training runs: each has its own process and directory."""
