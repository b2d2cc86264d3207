"""Keys of incoming rows that name none: matched by other fields, else derived (V-01, V-02)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dataport.engine.merging.disputes import (
    DISPUTED_KEYS,
    DISPUTES,
    given_rows,
    put_disputes_aside,
    unite_agreed,
)
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.relations import OURS
from dataport.engine.sql import ident, idents
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection

RESOLVED = "plan_incoming"
"""The file's rows, each with a key of its own."""

THEIRS = "plan_theirs"
"""Those of them that a later step may need: at least all that say something new."""

MET = "plan_theirs_met"
"""Those of them that are no insertions: the store has the row, or the source sent it before."""

FOUND_KEYS = "plan_found_keys"
STANDING = "plan_standing"
"""`_record` and `_key` of every row, and of the one row that stands for each key."""


def written_rows(names: Iterable[str]) -> str:
    """A query for these fields of the rows that a plan writes, as they will be."""
    names = tuple(names)
    return (
        f"SELECT {idents(names)} FROM plan_judged WHERE is_changed"
        f" UNION ALL SELECT {idents(names, 't.')} FROM {RESOLVED} t"
        " SEMI JOIN plan_inserts i ON i._record = t._record"
    )


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
    run = merge.runner.run
    if not merge.needs_keys:
        run(cursor, *_as_they_are(merge))
        return merge, Keys()
    given = given_rows(cursor, merge)
    run(cursor, _find_keys(merge, given))
    keys, disputed, incoming = FOUND_KEYS, 0, merge.incoming
    if merge.asks:
        keys, disputed = put_disputes_aside(cursor, merge, FOUND_KEYS)
        incoming = unite_agreed(cursor, merge)
    standing = (
        f"SELECT _key, min(_record) AS _record FROM {keys} WHERE _key IS NOT NULL GROUP BY _key"
    )
    run(cursor, Step("let the first row stand", Scope.KEY, standing, (keys,), STANDING))
    key = merge.dataset.primary_key[0]
    rest = "_key" if key not in merge.stated else f"_key, {ident(key)}"
    relations = {RESOLVED: (incoming, STANDING)}
    if merge.asks:
        relations[DISPUTES] = (given, DISPUTED_KEYS)
    for relation, (rows, known) in relations.items():
        sql = (
            f"SELECT t.* EXCLUDE ({rest}), k._key AS _key, k._key AS {ident(key)}"
            f" FROM {rows} t JOIN {known} k ON k._record = t._record{_wanted(merge, 'k')}"
        )
        inputs = (rows, known, *_left_out(merge))
        run(cursor, Step("give rows their keys", Scope.GROUP, sql, inputs, relation, Kept.VIEW))
    names = tuple(n for n in merge.dataset.field_names if n == key or n in merge.stated)
    merge = replace(merge, stated=names)
    counted = (
        f"SELECT count(_key) - (SELECT count(*) FROM {STANDING}), count(*) - count(_key),"
        f" count(*) FILTER (_is_ambiguous) FROM {keys}"
    )
    found = merge.runner.totals(cursor, "count keys", counted, (keys, STANDING))
    duplicates, keyless, ambiguous = found
    return merge, Keys(duplicates + disputed, keyless, ambiguous)


def _as_they_are(merge: MergeInput) -> list[Step]:
    """The rows whose keys the file gives, but those that a person left out."""
    given = [(RESOLVED, merge.incoming, "")]
    if merge.asks:
        none = "" if merge.disputed else " WHERE false"
        given.append((DISPUTES, merge.disputed or merge.incoming, none))
    return [
        Step(
            "take rows with their keys",
            Scope.KEY,
            f"SELECT t.* FROM {rows} t{_wanted(merge, 't')}{condition}",
            (rows, *_left_out(merge)),
            relation,
            Kept.VIEW,
        )
        for relation, rows, condition in given
    ]


def _find_keys(merge: MergeInput, given: str) -> Step:
    groups = [
        group
        for group in merge.dataset.match
        if group != merge.dataset.primary_key and set(group) <= set(merge.stated)
    ]
    aliases = [f"m{number}" for number in range(len(groups))]
    joins = [_lookup(given, *each) for each in zip(groups, aliases, strict=True)]
    found = f"coalesce({', '.join(['t._key', *(f'{alias}._found' for alias in aliases)])})"
    several = " OR ".join(f"coalesce({alias}._several, false)" for alias in aliases) or "false"
    sql = (
        f"SELECT t._record, coalesce({found}, t._derived) AS _key,"
        f" {found} IS NULL AND ({several}) AS _is_ambiguous FROM {given} t {' '.join(joins)}"
    )
    return Step("find keys", Scope.GROUP, sql, (given, OURS), FOUND_KEYS)


def _left_out(merge: MergeInput) -> list[str]:
    return [merge.excluded] if merge.excluded else []


def _wanted(merge: MergeInput, relation: str) -> str:
    """Joins away the rows of `relation` that a person left out."""
    return f" ANTI JOIN {merge.excluded} x ON x._key = {relation}._key" if merge.excluded else ""


def _lookup(given: str, group: tuple[str, ...], alias: str) -> str:
    columns = idents(group)
    stated = " AND ".join(f"{ident(name)} IS NOT NULL" for name in group)
    same = " AND ".join(f"{alias}.{ident(name)} = t.{ident(name)}" for name in group)
    known = (
        f"SELECT _key, {columns} FROM {OURS} WHERE {stated}"
        f" UNION SELECT _key, {columns} FROM {given}"
        f" WHERE _key IS NOT NULL AND {stated}"
    )
    holders = (
        f"SELECT {columns}, count(DISTINCT _key) > 1 AS _several,"
        " CASE WHEN count(DISTINCT _key) = 1 THEN min(_key) END AS _found"
        f" FROM ({known}) GROUP BY {columns}"
    )
    return f"LEFT JOIN ({holders}) {alias} ON t._key IS NULL AND {same}"
