"""From bytes to aligned gray faces."""
