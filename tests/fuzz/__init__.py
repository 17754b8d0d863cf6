"""Hostile input for every place that reads what strangers send: only FerError comes out, soon, in little memory."""
