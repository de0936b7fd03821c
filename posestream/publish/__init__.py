"""Sends avatar frames out: sinks over UDP and WebSocket, and the hub that feeds them."""
