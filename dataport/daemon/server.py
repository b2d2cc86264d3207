"""HTTP on the daemon's Unix socket, for its owner only."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dataport.daemon.lifecycle import Lifecycle, State

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOGGER = logging.getLogger(__name__)

_BACKLOG = 256
_CLOSING_S = 2
_LOCAL_PEERCRED = 1
_UID_OFFSET_OF_XUCRED = 4


def bind_socket(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600.

    Only the holder of the instance lock may call this: whatever lies at `path` is then left
    over, and unlinked.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Bound under a mask, because a chmod afterwards would leave a moment to connect in.
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def peer_uid(connection: socket.socket) -> int:
    """User id of the process at the other end. Raises OSError if the system does not tell."""
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("3i")
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("3i", raw)[1])
    raw = connection.getsockopt(0, _LOCAL_PEERCRED, 128)
    return int(struct.unpack_from("I", raw, _UID_OFFSET_OF_XUCRED)[0])


class OwnerOnlyProtocol(H11Protocol):
    """HTTP for one user: a connection of anybody else is cut before a byte is read (SEC-01)."""

    owner = os.getuid()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        try:
            user = peer_uid(transport.get_extra_info("socket"))
        except OSError as error:
            _LOGGER.error("A connection of an unknown user was refused: %s.", error)
            transport.abort()
            return
        if user != self.owner:
            _LOGGER.warning("A connection of user %d was refused.", user)
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            super().data_received(data)


class SocketServer(uvicorn.Server):
    """Serves until the lifecycle has drained; a second signal means now."""

    def __init__(self, app: FastAPI, lifecycle: Lifecycle, **options: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=OwnerOnlyProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_CLOSING_S,
                **options,
            )
        )
        self._lifecycle = lifecycle

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own names
        if self._lifecycle.state is State.DRAINING:
            # The kernel frees the lock, and the next daemon replaces the socket.
            os._exit(128 + sig)
        self._lifecycle.drain()
