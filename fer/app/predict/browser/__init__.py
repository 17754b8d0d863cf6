"""Live recognition in the visitor's browser: the files it loads, and the results it sends."""
