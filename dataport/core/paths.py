"""Every path of a home, in one place (design section 5)."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from dataport.core.errors import StateError, UsageError
from dataport.core.text import is_text, legible

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600

DESCRIPTOR = "datapackage.json"
"""The file that describes the others of a folder (Frictionless Data Package)."""

SIDECAR = ".dataport.json"
"""Behind an exported file's whole name: the copy of its record that lies beside it."""

SHIPPED = Path(__file__).resolve().parent.parent / "shipped"
"""Shipped defaults inside an installed package."""

CHECKOUT_CONFIG = Path(__file__).resolve().parent.parent.parent / "config"
"""The same files in a checkout, where nothing is copied."""


def shipped_config() -> Path:
    """The directory with the shipped dataport.toml, datasets/, packages/ and mappings/."""
    return SHIPPED if SHIPPED.is_dir() else CHECKOUT_CONFIG


def default_home() -> Path:
    """`DATAPORT_HOME`, else the platform's user data directory."""
    named = os.environ.get("DATAPORT_HOME")
    return Path(named).expanduser() if named else platformdirs.user_data_path("dataport")


@dataclass(frozen=True)
class Home:
    """One directory with everything: config, inboxes, store, exports, backups, logs."""

    root: Path

    @classmethod
    def at(cls, path: Path | str | None = None) -> Home:
        """The home at `path`, else the default one; always an absolute, resolved path.

        Raises UsageError for a path that is no text: the store's file could not be named.
        """
        root = (Path(path).expanduser() if path else default_home()).resolve()
        if not is_text(str(root)):
            raise UsageError(
                "home-not-text",
                f"The path {legible(str(root))} is not UTF-8.",
                hint="Name another directory with --home or DATAPORT_HOME.",
            )
        return cls(root)

    @property
    def exists(self) -> bool:
        return self.config_file.is_file()

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def config_file(self) -> Path:
        return self.config / "dataport.toml"

    @property
    def datasets(self) -> Path:
        return self.config / "datasets"

    @property
    def packages(self) -> Path:
        return self.config / "packages"

    @property
    def mappings(self) -> Path:
        return self.config / "mappings"

    @property
    def inboxes(self) -> Path:
        return self.root / "inbox"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def store_directory(self) -> Path:
        return self.root / "store"

    @property
    def store(self) -> Path:
        return self.store_directory / "dataport.duckdb"

    @property
    def staging(self) -> Path:
        return self.root / "staging"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def startup_lock(self) -> Path:
        return self.run / "startup.lock"

    @property
    def daemon_lock(self) -> Path:
        return self.run / "daemon.lock"

    @property
    def socket_pointer(self) -> Path:
        return self.run / "socket"

    @property
    def startup_error(self) -> Path:
        """Where a daemon that can't start leaves its error as JSON: `{status, error}`."""
        return self.run / "startup-error.json"

    @property
    def directories(self) -> tuple[Path, ...]:
        return (
            self.root,
            self.config,
            self.datasets,
            self.packages,
            self.mappings,
            self.inboxes,
            self.exports,
            self.store_directory,
            self.staging,
            self.backups,
            self.logs,
            self.run,
        )

    def inbox(self, name: str) -> Path:
        return self.inboxes / name

    def job_staging(self, job: int) -> Path:
        """Where one job's spool, staged rows and rejects lie until it ends."""
        return self.staging / f"{job:06d}"

    @property
    def socket(self) -> Path:
        """The daemon's socket: a hash of the home's path keeps it under 107 bytes."""
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
        return runtime_directory() / f"{digest}.sock"

    def create(self) -> None:
        """Make the home's directories, private to their owner."""
        for directory in self.directories:
            directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        self.root.chmod(PRIVATE_DIRECTORY)


def runtime_directory() -> Path:
    """A private directory for sockets. Raises StateError if somebody else owns it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    directory = (
        Path(base) / "dataport"
        if base and os.access(base, os.W_OK)
        else Path(tempfile.gettempdir()) / f"dataport-{os.getuid()}"
    )
    directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    status = directory.lstat()
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode):
        raise StateError(
            "runtime-directory-not-private",
            f"{directory} does not belong to you.",
            hint="Set XDG_RUNTIME_DIR to a directory of your own.",
        )
    directory.chmod(PRIVATE_DIRECTORY)
    return directory
