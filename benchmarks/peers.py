"""Other tools on the same files, each in a fresh process of an environment of its own.

None of them does what an import does: what each does stands beside its time. Those that keep rows
begin with the first version of the accounts; loading that is not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accounts import DATASET, KEY, Accounts
from benchmarks.harness import NoRunError, Run, cost, ratio, row, run

_DLT = Path(__file__).with_name("dlt_merge.py")
_SETUP_S = 600.0

Words = Sequence[str | Path]


@dataclass(frozen=True)
class Peer:
    """One way to use one tool."""

    name: str
    does: str
    program: str
    """What it is called in the environment of the peers."""
    words: Callable[[Accounts, Path], Words]
    """Arguments of the measured process, from the files and a directory of its own."""
    prepare: Callable[[Accounts, Path], Words] | None = None
    """Arguments of a process that loads the first version before."""
    codes: tuple[int, ...] = (0,)
    """Exit codes that say that it did its work."""


def measure_peers(
    accounts: Accounts, directory: Path, programs: Path, floor_s: float, limit_s: float
) -> None:
    """Print a line for every peer; `programs` is the directory of their commands."""
    for number, peer in enumerate(PEERS):
        own = directory / f"peer-{number}"
        own.mkdir()
        try:
            done = _run(peer, accounts, own, programs, limit_s)
        except NoRunError as error:
            row(peer.name, str(error), peer.does)
        else:
            row(peer.name, cost(done), f"{ratio(done.seconds, floor_s)}; {peer.does}")


def _run(peer: Peer, accounts: Accounts, own: Path, programs: Path, limit_s: float) -> Run:
    program = programs.resolve() / peer.program
    if not program.exists():
        raise NoRunError("not installed")
    env = {"HOME": str(own), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    if peer.prepare is not None:
        run([program, *peer.prepare(accounts, own)], _SETUP_S, env=env)
    return run([program, *peer.words(accounts, own)], limit_s, env=env, codes=peer.codes)


def _dlt(strategy: str) -> Peer:
    return Peer(
        name=f"dlt, {strategy}",
        does="last writer wins, no deletes",
        program="python",
        words=lambda files, own: (_DLT, own, files.theirs, strategy),
        prepare=lambda files, own: (_DLT, own, files.first, strategy),
    )


def _sqlite(word: str, file: Path, own: Path) -> Words:
    return (word, own / "peer.db", DATASET, file, "--csv", "--pk", KEY, "--silent")


PEERS = (
    _dlt("upsert"),
    _dlt("delete-insert"),
    Peer(
        name="sqlite-utils upsert",
        does="last writer wins, no deletes",
        program="sqlite-utils",
        words=lambda files, own: _sqlite("upsert", files.theirs, own),
        prepare=lambda files, own: _sqlite("insert", files.first, own),
    ),
    Peer(
        name="csv-diff",
        does="two-way difference",
        program="csv-diff",
        words=lambda files, own: (files.first, files.theirs, "--key", KEY, "--json"),
    ),
    Peer(
        name="daff diff",
        does="two-way difference",
        program="daff",
        words=lambda files, own: (
            *("diff", "--id", KEY, "--output", own / "out.csv"),
            *(files.first, files.theirs),
        ),
    ),
    Peer(
        name="daff merge",
        does="three-way, conflicts as text in the cells",
        program="daff",
        words=lambda files, own: (
            *("merge", "--id", KEY, "--output", own / "out.csv"),
            *(files.first, files.ours, files.theirs),
        ),
        codes=(0, 1),
    ),
)
"""daff exits 1 where it leaves a conflict."""
