"""Labeled faces and the transforms they share."""
