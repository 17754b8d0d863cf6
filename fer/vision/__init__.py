"""Turn photos and videos into aligned gray faces."""
