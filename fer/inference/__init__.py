"""Fast prediction with ONNX Runtime."""
