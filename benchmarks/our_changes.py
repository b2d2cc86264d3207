"""Our side of the three-way merge: the store's rows changed here, as a person changes them.

They become one commit of no source, so that they are edits and not what another source sends.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.accounts import DATASET, KEY, TYPES, Accounts
from benchmarks.harness import command
from dataport.client.api import Client
from dataport.core.settings import load_settings
from dataport.core.words import Mode, Origin
from dataport.engine.commits import Commit, CommitPart, next_commit, write_commit
from dataport.engine.engine import Engine
from dataport.engine.merging.apply import apply_plan
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import make_plan
from dataport.engine.sql import literal, rows_table

_CHANGED = f"""
copy (
    select cast(k.{KEY} as varchar) as _key, row_number() over () as _record, 1 as _line,
        cast(null as varchar) as _derived, o.*
    from read_csv($keys, union_by_name = true) k
    left join read_csv($ours, header = true, columns = {TYPES}) o on o.{KEY} = k.{KEY}
) to $changed (format parquet)
"""


def change_store(client: Client, accounts: Accounts) -> None:
    """Make the accounts those of `accounts.ours`; the daemon rests meanwhile."""
    home = client.home
    changed = _write_changed(home.staging / "ours.parquet", accounts)
    command(home, "daemon", "stop")
    engine = Engine.open(home, load_settings(home.config_file))
    try:
        _commit(engine, changed)
    finally:
        engine.close()
        command(home, "daemon", "start")


def _write_changed(path: Path, accounts: Accounts) -> Path:
    """The accounts we edit, add and remove, as they are then: without values where removed."""
    keys = [str(file) for file in (*accounts.edited.values(), accounts.added, accounts.removed)]
    with duckdb.connect() as connection:
        connection.execute(
            _CHANGED, {"keys": keys, "ours": str(accounts.ours), "changed": str(path)}
        )
    return path


def _commit(engine: Engine, changed: Path) -> None:
    dataset = engine.datasets[DATASET]
    merge = MergeInput(
        dataset=dataset,
        incoming="our_rows",
        base="our_bases",
        stated=dataset.field_names,
        base_fields=dataset.field_names,
        mode=Mode.MIRROR,
    )
    rows, keys = f"from read_parquet({literal(str(changed))})", "(select _key from our_changes)"
    bases = f"select * exclude (_commit, _line), true as _is_row from {rows_table(DATASET)}"
    with engine.store.writing() as cursor:
        cursor.execute(f"create temp view our_changes as {rows}")
        cursor.execute(f"create temp view our_rows as {rows} where {KEY} is not null")
        cursor.execute(f"create temp view our_bases as {bases} where _key in {keys}")
        merge, plan = make_plan(cursor, merge)
        number = next_commit(cursor)
        apply_plan(cursor, merge, plan, number, None, None)
        part = CommitPart(DATASET, changes=plan.changes())
        author = engine.author(Origin.API)
        write_commit(cursor, Commit(number, "edit", author, "Our changes", (part,)))
