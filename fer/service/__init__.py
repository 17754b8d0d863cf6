"""Read expressions over HTTP and WebSocket, with FastAPI. Only /explain needs PyTorch."""
