"""Exported files in one ZIP (EXF-25, EXP-08).

The same files make the same bytes: no time, no user and no path of this machine is in it.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from dataport.core.paths import PRIVATE_FILE

Check = Callable[[], None]
"""Raises where the work is to stop."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP can name."""
_UNIX = 3
"""The system whose file modes a member has."""
_CHUNK = 2**20
_PACKED = frozenset({".xlsx", ".parquet"})
"""Endings of files that are compressed in themselves."""


def pack(members: Mapping[str, Path], target: Path, check: Check = lambda: None) -> None:
    """Move the files `members`, by their names in it, into a ZIP at `target`.

    `check` is called after each piece. Raises OSError.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in members.items():
            with path.open("rb") as source, archive.open(_member(name, path), "w") as packed:
                while piece := source.read(_CHUNK):
                    packed.write(piece)
                    check()
            path.unlink()


def _member(name: str, path: Path) -> zipfile.ZipInfo:
    """What the archive says of a file; its size tells whether 64 bits are needed."""
    is_packed = PurePath(name).suffix in _PACKED
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
    member.create_system = _UNIX
    member.external_attr = (stat.S_IFREG | PRIVATE_FILE) << 16
    member.file_size = path.stat().st_size
    return member
