"""What Dataport does, without any front end: no asyncio, no sockets, no UI."""
