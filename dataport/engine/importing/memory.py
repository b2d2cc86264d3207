"""What a source sent last, by digest, so that the next file's unchanged rows need no reading.

A memory is files beside the store that may be lost or deleted at any time: it only saves work.
It holds layers, each the seen.parquet of an import, and says at which commit they were true. It
is believed only while that is still the newest commit that moved a base of the source, by the
store's own tables. So nothing has to tell it of an undo, and a crash between commit and file
costs one full reading.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb

import dataport
from dataport.core.files import write_whole
from dataport.core.paths import PRIVATE_DIRECTORY, Home
from dataport.core.settings import Settings
from dataport.core.words import Mode, OnMatch
from dataport.engine.importing.targets import Target
from dataport.engine.merging.bases import newest_base
from dataport.engine.sql import literal
from dataport.engine.staging.request import REPEATED_FILE, SEEN_FILE, StageRequest, StageResult
from dataport.engine.store import Connection

FORGOTTEN_FILE = "forgotten.parquet"
"""Keys whose base an import dropped, as a layer that hides them."""


@dataclass(frozen=True)
class _Manifest:
    commit: int
    """The newest commit that moved a base of the source."""
    signature: str
    layers: tuple[str, ...]
    """File names, oldest first."""


class SourceMemory:
    """The memory of one source for one dataset."""

    def __init__(self, home: Home, target: Target, settings: Settings) -> None:
        digest = hashlib.sha256(target.source.encode()).hexdigest()[:16]
        self._directory = home.store_directory / "seen" / target.dataset.name / digest
        self._target = target
        self._signature = _signature(target, settings)

    @property
    def is_apt(self) -> bool:
        """Whether the target compares rows with what their source sent last."""
        return (
            self._target.mode in (Mode.MERGE, Mode.MIRROR)
            and self._target.on_match is OnMatch.MERGE
        )

    def equip(
        self, cursor: Connection, request: StageRequest, *, recalls: bool = True
    ) -> StageRequest:
        """`request` with the layers that hold, linked into its directory.

        Without `recalls` the file is read as a whole, and only remembered.
        """
        if not self.is_apt:
            return request
        request = replace(request, remembers=True, memory_signature=self._signature)
        newest = newest_base(cursor, self._target.dataset, self._target.source)
        manifest = self._valid(newest, self._signature) if recalls else None
        names = []
        for number, layer in enumerate(manifest.layers if manifest else ()):
            name = f"memory-{number}.parquet"
            try:
                os.link(self._directory / layer, request.directory / name)
            except OSError:
                # Another import tidied up, or the disk has no links: the file is read as a whole.
                return request
            names.append(name)
        return replace(
            request, memory=tuple(names), memory_at=manifest.commit if manifest else None
        )

    def keep(
        self, before: int | None, after: int | None, directory: Path, staged: StageResult, job: int
    ) -> None:
        """Add what an applied import of `directory` left.

        `before` and `after` are the newest commits that moved a base, before it and with it.
        """
        seen = directory / SEEN_FILE
        is_stale = staged.memory_is_whole and staged.recalled_at != before
        if after is None or is_stale or not seen.exists():
            return
        manifest = self._valid(before, staged.memory_signature)
        kept = manifest.layers if manifest and not staged.memory_is_whole else ()
        for folder in (*reversed(self._directory.parents[:2]), self._directory):
            folder.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        layers = [*kept]
        for kind, path in (("seen", seen), ("forgotten", directory / FORGOTTEN_FILE)):
            if path.exists():
                layers.append(f"{job:06d}-{kind}.parquet")
                path.replace(self._directory / layers[-1])
        self._write(_Manifest(after, staged.memory_signature, tuple(layers)))

    def _valid(self, newest: int | None, signature: str) -> _Manifest | None:
        try:
            found = json.loads((self._directory / "memory.json").read_text(encoding="utf-8"))
            manifest = _Manifest(found["commit"], found["signature"], tuple(found["layers"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_true = newest is not None and (manifest.commit, manifest.signature) == (
            newest,
            signature,
        )
        is_there = all((self._directory / layer).is_file() for layer in manifest.layers)
        return manifest if is_true and is_there else None

    def _write(self, manifest: _Manifest) -> None:
        write_whole(self._directory / "memory.json", json.dumps(asdict(manifest)))
        for path in self._directory.glob("*.parquet"):
            if path.name not in manifest.layers:
                path.unlink(missing_ok=True)


def forget_all(home: Home) -> None:
    """Delete every memory; the next file of each source is read as a whole."""
    shutil.rmtree(home.store_directory / "seen", ignore_errors=True)


def write_forgotten(cursor: Connection, directory: Path) -> None:
    """Write the keys whose base the plan drops, if there are any."""
    if cursor.execute("SELECT 1 FROM plan_dropped LIMIT 1").fetchone():
        target = literal(str(directory / FORGOTTEN_FILE))
        cursor.execute(
            "COPY (SELECT _key, NULL::UBIGINT AS _h1, NULL::UBIGINT AS _h2 FROM plan_dropped)"
            f" TO {target} (FORMAT parquet)"
        )


def repeated_keys(directory: Path, staged: StageResult) -> str:
    """SELECT of the keys that were recognised in a job's file."""
    if not staged.repeated:
        return "SELECT NULL::VARCHAR AS _key WHERE false"
    return f"SELECT _key FROM read_parquet({literal(str(directory / REPEATED_FILE))})"


def _signature(target: Target, settings: Settings) -> str:
    """Changes with everything but the record itself that decides what a record says."""
    parts = [
        target.dataset.model_dump_json(by_alias=True),
        json.dumps([dict(target.values), target.date_order, target.header_line], sort_keys=True),
        target.mapping_documents,
        settings.timezone,
        settings.region,
        dataport.__version__,
        duckdb.__version__,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
