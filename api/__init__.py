"""The edge: HTTP, WebSocket, authentication, commands."""
