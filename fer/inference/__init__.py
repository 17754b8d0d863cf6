"""Predict expressions with ONNX Runtime."""
