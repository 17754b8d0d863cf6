"""Measurements of the program as a whole, from outside."""
