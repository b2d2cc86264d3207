"""One untrusted file, read once from start to end: identity, digest, size limit, progress."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path

from dataport.core.errors import InputError
from dataport.core.text import counted
from dataport.engine.staging.request import CHUNK, Identity

HEAD = 2**18
"""Bytes at the start of a file that decide how it is read."""

Progress = Callable[[str, int, int | None], None]
"""Called with phase, units done, units in all."""


class SourceFile:
    """A regular file opened for reading; use as a context manager.

    `named` is what it is called where it was found, if its own path is that of a private copy.
    Raises InputError for what can't be read as a file at all.
    """

    def __init__(
        self,
        path: Path,
        limit: int,
        progress: Progress,
        chunk: int = CHUNK,
        named: Path | None = None,
    ) -> None:
        self.place = path
        """Where the bytes lie."""
        self.path = named or path
        """What the file is called."""
        self._chunk = chunk
        self._progress = progress
        self._descriptor = _open(path)
        status = os.fstat(self._descriptor)
        self.identity = Identity(status.st_size, status.st_mtime_ns, status.st_ino)
        self.sha256 = ""
        if status.st_size > limit:
            self.close()
            raise InputError(
                "file-too-large",
                f"{self.path.name} is too large.",
                f"It has {counted(status.st_size, 'byte')}; the limit is {limit:,}.",
                "Split the file, or raise limits.file_size in the configuration.",
            )
        self.head = os.pread(self._descriptor, HEAD, 0)

    def __enter__(self) -> SourceFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def open(self) -> BufferedReader:
        """The bytes as a file of their own, which the caller closes."""
        return os.fdopen(os.dup(self._descriptor), "rb")

    def read_digest(self) -> None:
        """Read everything once, for its digest. Raises as `chunks` does."""
        for _ in self.chunks():
            pass

    def chunks(self) -> Iterator[bytes]:
        """The whole content in pieces. Raises InputError when the file changes meanwhile."""
        digest = hashlib.sha256()
        done = 0
        with ThreadPoolExecutor(1) as pool:
            hashed: Future[None] | None = None
            while chunk := os.pread(self._descriptor, self._chunk, done):
                if hashed:
                    hashed.result()
                hashed = pool.submit(digest.update, chunk)
                done += len(chunk)
                self._progress("read", done, self.identity.size)
                yield chunk
        read = digest.hexdigest()
        if done != self.identity.size or (self.sha256 and read != self.sha256):
            raise self._changed()
        self.sha256 = read
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise InputError if the path or the open file is no longer what it was."""
        try:
            states = (os.fstat(self._descriptor), self.place.stat())
        except OSError as error:
            raise self._changed() from error
        for status in states:
            if Identity(status.st_size, status.st_mtime_ns, status.st_ino) != self.identity:
                raise self._changed()

    def _changed(self) -> InputError:
        return InputError(
            "file-changed",
            f"{self.path.name} changed while it was read.",
            hint="Import it again when whatever writes it has finished.",
        )


def _open(path: Path) -> int:
    try:
        # A pipe must not block the open; regular files ignore the flag.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise InputError(
            "file-not-found", f"There is no file {path}.", hint="Check the path."
        ) from error
    except OSError as error:
        raise InputError(
            "file-unreadable",
            f"{path} can't be read.",
            f"{error.strerror}.",
            "Check the file's permissions.",
        ) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = "a directory" if stat.S_ISDIR(mode) else "no file, but a device or pipe"
        raise InputError(
            "not-a-file",
            f"{path} is {kind}.",
            hint="Name the files themselves; in an inbox, put them into the inbox itself.",
        )
    return descriptor
