"""From bytes to aligned grey faces."""
