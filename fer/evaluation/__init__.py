"""Measure how accurate a model is, and how well it knows its limits."""
