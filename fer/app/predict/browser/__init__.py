"""Live recognition in the visitor's own browser: what is served to it, and what comes back."""
