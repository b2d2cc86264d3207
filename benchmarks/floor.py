"""The floor of an import: a three-way merge in plain DuckDB SQL, with nothing around it.

`python -m benchmarks.floor STORE FILE [leave]` reads FILE with given types, classifies every field of
every account that its source says something new about, queues the conflicts, applies the rest,
advances the base and commits. STORE is a DuckDB file with the tables `base` (what the source
sent last), `ours` (what stands) and `conflicts`. Prints the counts as JSON.

DuckDB folds its log into STORE at once, as it does unasked; with `leave` it is left as it is, which
Dataport does too, to fold it in a quiet moment. Nothing is checked, no version is kept and no line
known: what Dataport takes beyond this is the price of those.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from benchmarks.accounts import KEY, TYPES, Accounts

FIELDS = tuple(name for name in TYPES if name != KEY)

_CONFLICTS = """
create table conflicts (
    account_id bigint, field varchar, kind varchar, base varchar, ours varchar, theirs varchar)
"""


def write_store(path: Path, accounts: Accounts) -> Path:
    """Make the store at `path` as it is before the source's second version. Returns `path`."""
    with duckdb.connect(str(path)) as connection:
        for table, file in (("base", accounts.first), ("ours", accounts.ours)):
            connection.execute(
                f"create table {table} as select * from {read_sql()}", {"path": str(file)}
            )
        connection.execute(_CONFLICTS)
    return path


def merge(store: Path, file: Path, *, folds: bool) -> dict[str, int]:
    """Merge `file` into `store` as all that its source has; counts as in an import's `changes`."""
    with duckdb.connect(str(store)) as connection:
        if not folds:
            connection.execute("set wal_autocheckpoint = '1GiB'")
            connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("begin")
        connection.execute(f"create temp table delta as {_delta()}", {"path": str(file)})
        connection.execute(f"create temp table judged as {_judged()}")
        _queue(connection)
        _apply(connection)
        counts = _count(connection)
        connection.execute("commit")
    return counts


def read_sql(path: str = "$path") -> str:
    """SQL of the accounts in a file, their types given."""
    return f"read_csv({path}, header = true, delim = ',', quote = '\"', columns = {TYPES})"


def _delta() -> str:
    """Accounts whose source says something new; `t` is NULL where it leaves one out."""
    differs = " or ".join(f"t.{name} is distinct from b.{name}" for name in FIELDS)
    return f"""
        select coalesce(t.{KEY}, b.{KEY}) as {KEY}, b.here as has_base, t.here as has_theirs,
            {_struct("b")} as b, {_struct("t")} as t
        from (select *, true as here from {read_sql()}) t
        full join (select *, true as here from base) b on b.{KEY} = t.{KEY}
        where t.here is null or b.here is null or {differs}
    """


def _judged() -> str:
    """Those accounts beside ours, with what happens to each."""
    values = ", ".join(f"{_merged(name)} as {name}" for name in FIELDS)
    clashes = ", ".join(f"case when {_clash(name)} then '{name}' end" for name in FIELDS)
    return f"""
        select *, list_filter([{clashes}], lambda name: name is not null) as clashes,
            case when has_ours and has_theirs then if({_differs("", "o.")}, 'update', null)
                when has_ours then if({_differs("o.", "b.")}, 'edit/delete', 'delete')
                else if(has_base, 'delete/edit', 'insert') end as action
        from (select *, {values} from (
            select d.*, o.here as has_ours, {_struct("o")} as o
            from delta d left join (select *, true as here from ours) o on o.{KEY} = d.{KEY}))
        where has_ours or has_theirs
    """


def _merged(name: str) -> str:
    """Where both sides changed a field to different values ours stands, or the later time."""
    both = f"greatest(o.{name}, t.{name})" if name == "updated_at" else f"o.{name}"
    return (
        f"case when t.{name} is not distinct from b.{name} then o.{name}"
        f" when o.{name} is not distinct from b.{name} then t.{name} else {both} end"
    )


def _clash(name: str) -> str:
    if name == "updated_at":
        return "false"
    pairs = (("t", "b"), ("o", "b"), ("o", "t"))
    differ = " and ".join(f"{one}.{name} is distinct from {other}.{name}" for one, other in pairs)
    return f"has_ours and has_theirs and {differ}"


def _queue(connection: duckdb.DuckDBPyConnection) -> None:
    """Values that both sides changed, and rows that one side changed and the other removed."""
    for name in FIELDS:
        connection.execute(f"""
            insert into conflicts
            select {KEY}, '{name}', if(has_base, 'edit/edit', 'add/add'), b.{name}, o.{name}, t.{name}
            from judged where list_contains(clashes, '{name}')
        """)
    connection.execute(f"""
        insert into conflicts
        select {KEY}, null, action, to_json(b), to_json(o), to_json(t)
        from judged where action in ('edit/delete', 'delete/edit')
    """)


def _apply(connection: duckdb.DuckDBPyConnection) -> None:
    """Write ours, then what the source said as its new base."""
    connection.execute(f"""
        merge into ours using judged m on ours.{KEY} = m.{KEY}
        when matched and m.action = 'update' then update set {_assignments("m.")}
        when matched and m.action = 'delete' then delete
        when not matched and m.action = 'insert' then insert values ({_row("m.")})
    """)
    connection.execute(f"""
        merge into base using delta m on base.{KEY} = m.{KEY}
        when matched and m.has_theirs then update set {_assignments("m.t.")}
        when matched then delete
        when not matched then insert values ({_row("m.t.")})
    """)


def _count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Once applied, the bases are the rows of the file."""
    relation = connection.execute("""
        select count(*) filter (action = 'insert') as inserted,
            count(*) filter (action = 'update') as updated,
            count(*) filter (action = 'delete') as deleted,
            (select count(*) from base) - inserted - updated as unchanged,
            (select count(*) from conflicts) as conflicts
        from judged
    """)
    names = [column[0] for column in relation.description or ()]
    return dict(zip(names, relation.fetchone() or (), strict=True))


def _row(values: str) -> str:
    return ", ".join([f"m.{KEY}", *(values + name for name in FIELDS)])


def _assignments(values: str) -> str:
    return ", ".join(f"{name} = {values}{name}" for name in FIELDS)


def _struct(relation: str) -> str:
    members = ", ".join(f"{name} := {relation}.{name}" for name in FIELDS)
    return f"case when {relation}.here then struct_pack({members}) end"


def _differs(one: str, other: str) -> str:
    return "(" + " or ".join(f"{one}{f} is distinct from {other}{f}" for f in FIELDS) + ")"


if __name__ == "__main__":
    print(json.dumps(merge(Path(sys.argv[1]), Path(sys.argv[2]), folds="leave" not in sys.argv)))
