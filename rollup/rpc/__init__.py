"""JSON-RPC 2.0 over WebSocket and HTTP: the node's only door, and the client that knocks at it."""
