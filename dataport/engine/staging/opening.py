"""From a file to the tables in it: whatever is packed is unpacked, one file at a time.

An archive may lie in an archive, once. Where a container holds one thing only, that thing is
what the file is; where it holds several, their names tell them apart (`TableLook.inside`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from dataport.core.errors import InputError
from dataport.engine.staging import sniff
from dataport.engine.staging.archive import data_files
from dataport.engine.staging.look import choose_table
from dataport.engine.staging.request import StageLimits
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.unpacking import COMPRESSIONS, Meter, broken_as_error, unpack

UNPACKED = "unpacked"
"""Directory of what is unpacked, below a worker's private one."""

MOST_ARCHIVES = 2
"""Archives around a table."""

HARMLESS = ("empty-file", "format-error", "no-rows")
"""Errors of a file that is no table, but not dangerous either."""

_ZIPS = ("zip", "xlsx", "ods")
"""What is packed as a ZIP."""
_WORKBOOK = "[Content_Types].xml"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument.spreadsheet"


@dataclass(frozen=True)
class Leaf:
    """A file that is unpacked as far as that goes."""

    names: tuple[str, ...]
    """What leads to it: a name for each container on the way that holds several."""
    source: SourceFile
    kind: str | None
    """`xlsx`, `ods` or `parquet`; None for a text."""
    problem: InputError | None = None
    """Why nothing can be read of it, where that is no danger to the others."""


@dataclass(frozen=True)
class _Container:
    """Files in a file."""

    kind: str
    members: Mapping[str, Callable[[], IO[bytes]]]
    """What opens each of them, by name."""


class Opener:
    """Unpacks one file into `directory`, which may be left behind."""

    def __init__(
        self, source: SourceFile, directory: Path, limits: StageLimits, chunk: int
    ) -> None:
        self._source = source
        self._directory = directory
        self._limits = limits
        self._chunk = chunk
        self._meter = Meter(source.path.name, source.identity.size, limits, chunk)
        self._count = 0

    @contextmanager
    def leaf(self, inside: str | None) -> Iterator[tuple[Leaf, str | None]]:
        """The file that holds a table, and the part of the table's name that is left for it.

        Raises InputError `several-tables` where one has to be named, `no-such-table` for a name
        that is none.
        """
        with ExitStack() as stack:
            leaf, rest = Leaf((), self._source, None), inside
            around: tuple[str, ...] = ()
            while (container := self._container(leaf.source, around, stack)) is not None:
                names = list(container.members)
                name, rest = choose_table(names, rest, leaf.source.path.name)
                inner = stack.enter_context(self._member(container, name))
                kept = (*leaf.names, name) if len(names) > 1 else leaf.names
                leaf, around = Leaf(kept, inner, None), (*around, container.kind)
            yield self._with_kind(leaf), rest

    def leaves(self) -> Iterator[Leaf]:
        """Every file that may hold tables, in order; each is there until the next is asked for."""
        yield from self._leaves((), self._source, ())

    def _leaves(
        self, names: tuple[str, ...], source: SourceFile, around: tuple[str, ...]
    ) -> Iterator[Leaf]:
        with ExitStack() as stack:
            try:
                container = self._container(source, around, stack)
            except InputError as error:
                if not names or error.code not in HARMLESS:
                    raise
                yield Leaf(names, source, None, error)
                return
            if container is None:
                yield self._with_kind(Leaf(names, source, None))
                return
            for name in container.members:
                kept = (*names, name) if len(container.members) > 1 else names
                with self._member(container, name) as inner:
                    yield from self._leaves(kept, inner, (*around, container.kind))

    def _container(
        self, source: SourceFile, around: tuple[str, ...], stack: ExitStack
    ) -> _Container | None:
        """What a file holds, None where it is no container; what is opened is closed by `stack`."""
        sniff.check_content(source.head, source.path.name)
        kind = sniff.binary_kind(source.head)
        if kind not in sniff.PACKED or _zip_kind(source) not in (None, "zip"):
            return None
        sniff.check_name(source.path, kind, None)
        is_deep = kind in around[-1:] if kind != "zip" else around.count("zip") >= MOST_ARCHIVES
        if is_deep:
            raise InputError(
                "nested-archive",
                f"{self._source.path.name} is packed too many times.",
                f"{source.path.name} in it is an archive again.",
                "Unpack it, and import what is in it.",
            )
        stream = stack.enter_context(source.open())
        if kind != "zip":
            opened = COMPRESSIONS[kind]
            return _Container(kind, {_unpacked_name(source.path): lambda: opened(stream)})
        with broken_as_error(source.path.name):
            archive = stack.enter_context(zipfile.ZipFile(stream))
        found = data_files(archive, source.path.name, self._limits.members)
        return _Container(kind, {name: _opens(archive, found[name]) for name in found})

    @contextmanager
    def _member(self, container: _Container, name: str) -> Iterator[SourceFile]:
        """A member as a file of its own, gone afterwards."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._count += 1
        path = self._directory / str(self._count)
        try:
            with broken_as_error(self._source.path.name):
                stream = container.members[name]()
            with closing(stream):
                unpack(stream, path, self._meter)
            named = Path(PurePosixPath(name).name)
            limit = self._limits.file_size
            with SourceFile(path, limit, lambda *_: None, self._chunk, named) as source:
                yield source
        finally:
            path.unlink(missing_ok=True)

    def _with_kind(self, leaf: Leaf) -> Leaf:
        kind = _zip_kind(leaf.source) or sniff.binary_kind(leaf.source.head)
        return Leaf(leaf.names, leaf.source, kind)


def _opens(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(member)


def _unpacked_name(path: Path) -> str:
    """`leads.csv` of `leads.csv.gz`."""
    return path.stem if path.suffix.lower() in (".gz", ".zst", ".gzip", ".zstd") else path.name


def _zip_kind(source: SourceFile) -> str | None:
    """What a ZIP is: a workbook of some kind, or an archive; None for no ZIP at all.

    Raises InputError for other documents that are packed as ZIP.
    """
    if sniff.binary_kind(source.head) != "zip":
        return None
    if not set(sniff.DATA_ENDS.get(source.path.suffix.lower(), _ZIPS)) & set(_ZIPS):
        sniff.check_name(source.path, "zip", None)
    with broken_as_error(source.path.name), source.open() as stream:
        archive = zipfile.ZipFile(stream)
        names = set(archive.namelist())
        if _WORKBOOK in names:
            if any(name.startswith("xl/") for name in names):
                return "xlsx"
            raise sniff.contradiction(
                source.path.name, "a Word or PowerPoint document", "Export its table as CSV."
            )
        if "mimetype" in names:
            with archive.open("mimetype") as file:
                kind = file.read(100).decode("ascii", "replace").strip()
            if kind.startswith(_OPEN_DOCUMENT):
                return "ods"
            raise sniff.contradiction(source.path.name, kind, "Export its table as CSV.")
    return "zip"
