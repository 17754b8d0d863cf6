"""Training runs, each a process with a directory."""
