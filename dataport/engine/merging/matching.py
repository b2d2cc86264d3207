"""Keys of incoming rows that name none: matched by other fields, else derived (V-01, V-02)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dataport.engine.merging.disputes import DISPUTES, given_rows, put_disputes_aside
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.sql import ident, idents, rows_table
from dataport.engine.store import Connection

RESOLVED = "plan_incoming"
"""The file's rows, each with a key of its own."""

THEIRS = "plan_theirs"
"""Those of them that a later step may need: at least all that say something new."""

MET = "plan_theirs_met"
"""Those of them that are no insertions: the store has the row, or the source sent it before."""


@dataclass(frozen=True)
class Keys:
    """How the rows of a file came by their keys, in rows."""

    duplicates: int = 0
    """They turned out to name the same record."""
    keyless: int = 0
    """They could not be given a key at all."""
    ambiguous: int = 0
    """They could be several known records, so that none was chosen."""


def resolve_keys(cursor: Connection, merge: MergeInput) -> tuple[MergeInput, Keys]:
    """Make the relation `plan_incoming`, whose every row has a `_key` of its own.

    Rows that a person left out are not in it.

    A row without a key takes that of the one stored row, or of the one row of the same file,
    which agrees with it on the first group of `match` fields it states. Where several agree
    the group decides nothing. Rows that end up with one key are duplicates: the first stands.
    Where the dataset asks about those that differ, they make the relation `DISPUTES` instead.

    Returns the merge as it goes on. A key that was found or made is stated as the key field's
    value too.
    """
    if not merge.needs_keys:
        keyed = {RESOLVED: merge.incoming}
        if merge.asks:
            keyed[DISPUTES] = merge.disputed or f"(SELECT * FROM {merge.incoming} LIMIT 0)"
        for relation, rows in keyed.items():
            cursor.execute(
                f"CREATE TEMP VIEW {relation} AS SELECT t.* FROM {rows} t{_wanted(merge, 't')}"
            )
        return merge, Keys()
    given = given_rows(cursor, merge)
    groups = [
        group
        for group in merge.dataset.match
        if group != merge.dataset.primary_key and set(group) <= set(merge.stated)
    ]
    aliases = [f"m{number}" for number in range(len(groups))]
    joins = [_lookup(merge, given, *each) for each in zip(groups, aliases, strict=True)]
    found = f"coalesce({', '.join(['t._key', *(f'{alias}._found' for alias in aliases)])})"
    several = " OR ".join(f"coalesce({alias}._several, false)" for alias in aliases) or "false"
    cursor.execute(
        f"CREATE TEMP TABLE plan_keys AS SELECT t._record, coalesce({found}, t._derived) AS _key,"
        f" {found} IS NULL AND ({several}) AS _is_ambiguous FROM {given} t {' '.join(joins)}"
    )
    disputed = put_disputes_aside(cursor, merge) if merge.asks else 0
    cursor.execute(
        "CREATE TEMP TABLE plan_standing AS"
        " SELECT _key, min(_record) AS _record FROM plan_keys WHERE _key IS NOT NULL GROUP BY _key"
    )
    key = merge.dataset.primary_key[0]
    rest = "_key" if key not in merge.stated else f"_key, {ident(key)}"
    relations = {RESOLVED: (merge.incoming, "plan_standing")}
    if merge.asks:
        relations[DISPUTES] = (given, "plan_disputed_keys")
    for relation, (rows, keys) in relations.items():
        cursor.execute(
            f"CREATE TEMP VIEW {relation} AS"
            f" SELECT t.* EXCLUDE ({rest}), k._key AS _key, k._key AS {ident(key)}"
            f" FROM {rows} t JOIN {keys} k ON k._record = t._record{_wanted(merge, 'k')}"
        )
    names = tuple(n for n in merge.dataset.field_names if n == key or n in merge.stated)
    merge = replace(merge, stated=names)
    row = cursor.execute(
        "SELECT count(_key) - (SELECT count(*) FROM plan_standing), count(*) - count(_key),"
        " count(*) FILTER (_is_ambiguous) FROM plan_keys"
    ).fetchone()
    duplicates, keyless, ambiguous = row or (0, 0, 0)
    return merge, Keys(duplicates + disputed, keyless, ambiguous)


def _wanted(merge: MergeInput, relation: str) -> str:
    """Joins away the rows of `relation` that a person left out."""
    return f" ANTI JOIN {merge.excluded} x ON x._key = {relation}._key" if merge.excluded else ""


def _lookup(merge: MergeInput, given: str, group: tuple[str, ...], alias: str) -> str:
    columns = idents(group)
    stated = " AND ".join(f"{ident(name)} IS NOT NULL" for name in group)
    same = " AND ".join(f"{alias}.{ident(name)} = t.{ident(name)}" for name in group)
    known = (
        f"SELECT _key, {columns} FROM {rows_table(merge.dataset.name)} WHERE {stated}"
        f" UNION SELECT _key, {columns} FROM {given}"
        f" WHERE _key IS NOT NULL AND {stated}"
    )
    holders = (
        f"SELECT {columns}, count(DISTINCT _key) > 1 AS _several,"
        " CASE WHEN count(DISTINCT _key) = 1 THEN any_value(_key) END AS _found"
        f" FROM ({known}) GROUP BY {columns}"
    )
    return f"LEFT JOIN ({holders}) {alias} ON t._key IS NULL AND {same}"
