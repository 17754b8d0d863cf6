"""Labelled faces and the transforms they share."""
