"""ZIP archives: which data files they hold, and which of their names are not to be trusted.

A member's name is never used as a path: it only tells one from another.
"""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from pathlib import PurePosixPath, PureWindowsPath

from dataport.core.errors import InputError
from dataport.core.paths import DESCRIPTOR, SIDECAR
from dataport.core.text import legible
from dataport.engine.staging.sniff import DATA_ENDS

_SILENT = ("thumbs.db", "desktop.ini", DESCRIPTOR)
_ABOUT = ("readme", "license", "licence", "changelog")
"""Stems of text files that go along with data."""
_ENCRYPTED = 0x1
_UTF8 = 0x800


def data_files(archive: zipfile.ZipFile, name: str, most: int) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive that may be data, by name and in its order.

    What only goes along with data is left out: directories, hidden files, descriptions, and files
    of other kinds beside some that are data by their names. Raises InputError for an archive that
    is not to be trusted, or has too many members.
    """
    members = archive.infolist()
    if len(members) > most:
        raise InputError(
            "too-many-members",
            f"{name} holds too many files.",
            f"It holds {len(members):,}; the limit is {most:,}.",
            "Pack fewer files, or raise limits.archive_members in the configuration.",
        )
    for member in members:
        _check(member, name)
    found = {_name(member): member for member in members if not _is_aside(member)}
    by_name = {key: found[key] for key in found if _is_data(key)}
    counts = Counter(_name(member) for member in members)
    twice = [key for key in (by_name or found) if counts[key] > 1]
    if twice:
        raise _refused(name, f"It holds {legible(twice[0])!r} twice.", "Pack it again.")
    if not found:
        raise InputError("no-rows", f"{name} holds no data.", hint="Pack the files again.")
    return by_name or found


def _check(member: zipfile.ZipInfo, name: str) -> None:
    shown = legible(_name(member))
    parts = PurePosixPath(_name(member).replace("\\", "/")).parts
    windows = PureWindowsPath(_name(member))
    if ".." in parts or parts[:1] == ("/",) or windows.drive or windows.root:
        raise _refused(name, f"{shown!r} leads out of it.", "Pack it again with plain names.")
    mode = member.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if stat.S_ISLNK(mode) else "no file"
        raise _refused(name, f"{shown!r} is {kind}.", "Pack the files themselves.")
    if member.flag_bits & _ENCRYPTED:
        raise InputError(
            "encrypted-archive",
            f"{name} is encrypted.",
            f"{shown!r} can't be read without a password.",
            "Unpack it, or pack it again without a password.",
        )


def _name(member: zipfile.ZipInfo) -> str:
    """Its name; where the archive does not say how it is encoded it is most likely UTF-8."""
    if member.flag_bits & _UTF8 or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _is_aside(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(_name(member).replace("\\", "/"))
    last = path.name.lower()
    return (
        member.is_dir()
        or any(part.startswith((".", "~")) or part == "__MACOSX" for part in path.parts)
        or last in _SILENT
        or last.endswith(SIDECAR)
    )


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in DATA_ENDS and path.stem.lower() not in _ABOUT


def _refused(name: str, detail: str, hint: str) -> InputError:
    return InputError("unsafe-archive", f"{name} is not safe to unpack.", detail, hint)
