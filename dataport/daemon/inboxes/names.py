"""File names that nothing has yet, and moves that overwrite nothing."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

_PACKED = frozenset({".gz", ".zst", ".bz2", ".xz"})
_NAME_BYTES = 255

_NO_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
)
"""What file systems without hard links answer."""


def free_name(directory: Path, name: str) -> Path:
    """`name` in `directory`, or the first of name-2, name-3, ... that nothing has."""
    return next(path for path in _candidates(directory, name) if not os.path.lexists(path))


def move_into(path: Path, directory: Path) -> Path:
    """Move the file `path` to a free name in `directory`, on the same file system; its new path.

    Never overwrites, not even what appears meanwhile. Raises OSError, and then `path` is still
    where it was.
    """
    for target in _candidates(directory, path.name):
        try:
            return _move(path, target)
        except FileExistsError:
            continue
    raise AssertionError("names do not run out")


def _move(path: Path, target: Path) -> Path:
    try:
        os.link(path, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _move_onto_placeholder(path, target)
    try:
        path.unlink()
    except OSError:
        target.unlink()
        raise
    return target


def _move_onto_placeholder(path: Path, target: Path) -> Path:
    """Take the name with an empty file first: replacing our own file overwrites nobody's."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        return path.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            target.unlink()
        raise


def _candidates(directory: Path, name: str) -> Iterator[Path]:
    stem, suffix = _split(name)
    yield directory / name
    for number in itertools.count(2):
        tail = f"-{number}{suffix}"
        yield directory / (_cut(stem, _NAME_BYTES - len(os.fsencode(tail))) + tail)


def _split(name: str) -> tuple[str, str]:
    """Stem and suffix; `.csv.gz` is one suffix."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name is not a path
    if suffix.lower() in _PACKED:
        inner, before = os.path.splitext(stem)  # noqa: PTH122 - likewise
        stem, suffix = inner, before + suffix
    return stem, suffix


def _cut(text: str, size: int) -> str:
    """As many characters of `text` as fit into `size` bytes."""
    while len(os.fsencode(text)) > size:
        text = text[:-1]
    return text
