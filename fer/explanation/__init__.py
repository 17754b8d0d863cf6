"""Explain a model's answers, and test whether the explanations can be trusted."""
