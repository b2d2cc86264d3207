"""The store: one DuckDB file, attached as one catalog, opened by one process.

Readers get a cursor of their own and see committed states only. Changes of rows are serial:
`writing()` holds the one write lock for a whole transaction. Job records and the audit trail
are appended in short transactions of their own, which never wait for a long one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dataport.core.errors import CancelledError, StoreError
from dataport.core.paths import PRIVATE_FILE, Home
from dataport.core.settings import DaemonSettings
from dataport.engine.migrations import migrate
from dataport.engine.sql import literal

log = logging.getLogger(__name__)

Connection = duckdb.DuckDBPyConnection

CHECKPOINT_SIZE = "1GiB"
"""Log size at which a commit folds the log into the file itself. Folding rewrites every row
group that changed, so it is left to quiet moments: see `Store.tidy`."""

LARGE_LOG = 64 * 2**20
"""Bytes of log from which on it is folded in after a job, quiet or not. What is not folded yet
is held in memory: many commits on end would fill it, and each would take longer than the last."""

FOLD_TRIES = 20
FOLD_PAUSE_S = 0.05

RESTING_MEMORY = "16MiB"
"""What the store's cache shrinks to in quiet moments."""


class Store:
    """An open store. Close it before the process ends, so that its log is folded in."""

    def __init__(self, connection: Connection, path: Path, memory: str) -> None:
        self._connection = connection
        self._memory = memory
        self._write_lock = threading.RLock()
        self._readers_lock = threading.Lock()
        self._readers = 0
        self.path = path

    @classmethod
    def open(cls, home: Home, settings: DaemonSettings | None = None) -> Store:
        """Open and migrate the store of `home`.

        Raises StoreError: `store-too-new`, `store-in-use` (another process has it), or
        `store-unreadable`.
        """
        settings = settings or DaemonSettings()
        connection = _connect(home, settings)
        try:
            # A result that is not read to its end keeps its transaction open, and nothing
            # could be folded in any more: this cursor's ends with it.
            with connection.cursor() as cursor:
                migrate(cursor)
        except BaseException:
            connection.close()
            raise
        home.store.chmod(PRIVATE_FILE)
        return cls(connection, home.store, settings.memory.replace(" ", ""))

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with self._write_lock:
            try:
                self._connection.execute("CHECKPOINT store")
            except duckdb.Error as error:
                log.warning("The store could not be checkpointed: %s", error)
            self._connection.close()

    def has_large_log(self) -> bool:
        """Whether so much is not folded in that it should not wait for a quiet moment."""
        path = self.path.with_name(f"{self.path.name}.wal")
        return path.exists() and path.stat().st_size >= LARGE_LOG

    def fold(self) -> bool:
        """Fold the log into the file, unless somebody is at work; whether that was done."""
        if not self._write_lock.acquire(blocking=False):
            return False
        try:
            return any(self._try_to_fold() for _ in range(FOLD_TRIES))
        finally:
            self._write_lock.release()

    def _try_to_fold(self) -> bool:
        """One try: a short transaction, such as that of a new job, is waited for and tried again."""
        try:
            with self.reading() as cursor:
                cursor.execute("CHECKPOINT store")
        except duckdb.TransactionException:
            time.sleep(FOLD_PAUSE_S)
            return False
        return True

    def tidy(self) -> None:
        """Fold the log into the file and give memory back, unless somebody is at work."""
        if self.fold():
            self._release_memory()

    def _release_memory(self) -> None:
        """Drop cached blocks. A query under way would see the low limit, so there may be none."""
        with self._readers_lock:
            if self._readers:
                return
            with self._connection.cursor() as cursor:
                try:
                    cursor.execute(f"SET memory_limit = '{RESTING_MEMORY}'")
                except duckdb.OutOfMemoryException:
                    log.debug("Some blocks are still held.")
                finally:
                    cursor.execute(f"SET memory_limit = '{self._memory}'")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A cursor for one request; it sees the last committed state."""
        with self._readers_lock:
            self._readers += 1
            cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()
            with self._readers_lock:
                self._readers -= 1

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A cursor inside a transaction that commits when the block ends, else rolls back."""
        with self._write_lock, self.reading() as cursor, transaction(cursor):
            yield cursor

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """A cursor inside a transaction that is rolled back: what a change would come to."""
        with self._write_lock, self.reading() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except duckdb.InterruptException as error:
                raise CancelledError from error
            finally:
                _roll_back(cursor)

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A short transaction for records that no merge reads: jobs and audit."""
        with self.reading() as cursor, transaction(cursor):
            yield cursor


def scratch_connection(directory: Path | None = None) -> Connection:
    """An empty database in memory that reaches no file outside of `directory`."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "1",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
        },
    )
    if directory is not None:
        connection.execute(f"SET allowed_directories = [{literal(str(directory))}]")
    connection.execute("SET enable_external_access = false")
    return connection


@contextmanager
def transaction(cursor: Connection) -> Iterator[None]:
    """BEGIN, then COMMIT, or ROLLBACK on any error. An interrupted query is a CancelledError."""
    cursor.execute("BEGIN")
    try:
        yield
    except duckdb.InterruptException as error:
        _roll_back(cursor)
        raise CancelledError from error
    except BaseException:
        _roll_back(cursor)
        raise
    cursor.execute("COMMIT")


def start_over(cursor: Connection) -> None:
    """Roll back what the cursor's transaction did, and begin another one in its place."""
    cursor.execute("ROLLBACK")
    cursor.execute("BEGIN")


def count_rows(cursor: Connection, relation: str) -> int:
    """The rows of a table, a view or a query in parentheses, with a condition behind it or not."""
    row = cursor.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0]) if row else 0


def _roll_back(cursor: Connection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.TransactionException:
        log.debug("The transaction had ended by itself.")


def _connect(home: Home, settings: DaemonSettings) -> Connection:
    home.store_directory.mkdir(parents=True, exist_ok=True)
    spill = home.store_directory / "spill"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.memory.replace(" ", ""),
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "wal_autocheckpoint": CHECKPOINT_SIZE,
    }
    if settings.threads:
        config["threads"] = settings.threads
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute(f"ATTACH {literal(str(home.store))} AS store (STORAGE_VERSION 'v1.5.0')")
        directories = ", ".join(literal(str(path)) for path in (home.staging, home.exports, spill))
        connection.execute(f"SET allowed_directories = [{directories}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET TimeZone = 'UTC'")
        # Trying every method on every column takes half the time of a large insert, and zstd
        # comes within half of the size that the best of them reach.
        connection.execute("SET force_compression = 'zstd'")
    except duckdb.Error as error:
        connection.close()
        raise _open_error(home.store, error) from error
    return connection


def _open_error(path: Path, error: duckdb.Error) -> StoreError:
    text = str(error)
    if "lock" in text.lower():
        return StoreError(
            "store-in-use",
            f"Another process has {path} open.",
            hint="Stop it, or use the running daemon: dataport status.",
        )
    if "newer version" in text.lower() or "version number" in text.lower():
        return StoreError(
            "store-too-new",
            f"{path} was written by a newer version of the storage engine.",
            text.splitlines()[0],
            "Update Dataport. The store was not changed.",
        )
    return StoreError(
        "store-unreadable",
        f"{path} can't be opened.",
        text.splitlines()[0],
        "Restore it from a backup, or move it away to start with an empty store.",
    )
