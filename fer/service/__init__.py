"""Expressions over HTTP and WebSocket, with FastAPI. Needs no PyTorch but for /explain."""
