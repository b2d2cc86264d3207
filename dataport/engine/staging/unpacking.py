"""What is packed becomes a private file, under limits that count the bytes really written.

What a header claims of a size is never asked: only what came out is (SEC-05).
"""

from __future__ import annotations

import errno
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dataport.core.errors import InputError
from dataport.core.text import counted
from dataport.engine.staging.request import CHUNK, MEBIBYTE, StageLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

UNASKED = 64 * MEBIBYTE
"""Bytes that may come out of a file however small it is: short and even text packs very well."""

_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


@dataclass
class Meter:
    """Counts what comes out of one file, and stops it at its limits."""

    name: str
    packed: int
    """Bytes of the file itself."""
    limits: StageLimits
    chunk: int = CHUNK
    unpacked: int = field(default=0, init=False)

    def copies(self, stream: IO[bytes]) -> Iterator[bytes]:
        """The bytes of a stream, counted. Raises InputError where they are too many."""
        size = 0
        while data := stream.read(self.chunk):
            size += len(data)
            if size > self.limits.file_size:
                raise self._too_large("one file of it", self.limits.file_size, "file_size")
            self.note(len(data))
            self._check_ratio()
            yield data

    def note(self, size: int) -> None:
        """Count bytes that came out. Raises InputError where all of them are too many."""
        self.unpacked += size
        if self.unpacked > self.limits.expanded:
            raise self._too_large("it", self.limits.expanded, "expanded_size")

    def _check_ratio(self) -> None:
        limits = self.limits
        if self.unpacked > max(UNASKED, limits.ratio * self.packed):
            raise InputError(
                "expands-too-much",
                f"{self.name} expands to many times its size.",
                f"{counted(self.packed, 'byte')} are {self.unpacked:,} and more; the limit is"
                f" {limits.ratio} times as many.",
                "Check where it comes from; if it is right, unpack it, or raise"
                " limits.expansion_ratio in the configuration.",
            )

    def _too_large(self, what: str, limit: int, key: str) -> InputError:
        return InputError(
            "expands-too-much",
            f"{self.name} expands to too much.",
            f"Unpacked, {what} has more than {limit:,} bytes.",
            f"Split the file, or raise limits.{key} in the configuration.",
        )


def unpack(stream: IO[bytes], target: Path, meter: Meter) -> None:
    """Write what a stream holds to `target`. Raises InputError for what is broken or too much."""
    with broken_as_error(meter.name), target.open("xb") as file:
        for data in meter.copies(stream):
            file.write(data)


def measure(stream: IO[bytes], meter: Meter) -> None:
    """Count what a stream holds, for somebody who will unpack it later; raises as `unpack`."""
    with broken_as_error(meter.name):
        for _ in meter.copies(stream):
            pass


@contextmanager
def broken_as_error(name: str) -> Iterator[None]:
    """Let what is wrong with packed bytes be an InputError about the file called `name`."""
    try:
        yield
    except NotImplementedError as error:
        raise InputError(
            "compression-error",
            f"{name} is packed in a way that can't be unpacked here.",
            f"{error}.".capitalize(),
            "Pack it again as a plain ZIP, or unpack it first.",
        ) from error
    except _BROKEN as error:
        # A place before the file's begin, or behind all that there can be, is damage too.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise InputError(
            "compression-error",
            f"{name} can't be unpacked.",
            f"{str(error).rstrip('.') or 'It breaks off'}.",
            "It is damaged or not complete: export or copy it again.",
        ) from error


def open_gzip(stream: IO[bytes]) -> IO[bytes]:
    """The content of a gzip file, of all its members."""
    return gzip.open(stream, "rb")  # type: ignore[return-value]


def open_zstd(stream: IO[bytes]) -> IO[bytes]:
    """The content of a Zstandard file."""
    import pyarrow as pa

    unpacked: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
    return unpacked


COMPRESSIONS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {"gzip": open_gzip, "zstd": open_zstd}
