"""The set of merge.md section 1: accounts as a source sent them, as they stand here, as it sends
them next. The same bytes for the same number of rows, on every machine.

Both sides update 2 % of the first version, add 1 % and remove 1 %. What happens to an account
follows from its number: of every thousand,

    rank      the source    we
    0         updates       remove      conflict about the row
    1 - 9     updates
    10, 11    updates       update      conflict: one field, two values
    12        updates       update      one field, the same value
    13 - 19   updates       update      two fields: both changes stand
    20 - 28                 update
    29        removes       update      conflict about the row
    30 - 37   removes
    38        removes       remove
    39 - 46                 remove

and of the accounts that either side adds, a tenth is added by both, nine of ten of these with
another city. `updated_at` moves with every update; its policy takes the later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.leads import MACROS

DATASET = "accounts"
KEY = "account_id"

DEFINITION = """\
name = "accounts"
title = "Accounts"
primaryKey = ["account_id"]

[[fields]]
name = "account_id"
type = "integer"

[[fields]]
name = "name"

[[fields]]
name = "email"

[[fields]]
name = "phone"

[[fields]]
name = "company"

[[fields]]
name = "city"

[[fields]]
name = "status"

[[fields]]
name = "balance"
type = "number"
precision = 12
scale = 2

[[fields]]
name = "since"
type = "date"

[[fields]]
name = "updated_at"
type = "datetime"
merge = ["max"]
"""
"""Dataset of the set: plain types, and one policy."""

TYPES = {
    "account_id": "BIGINT",
    "name": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "company": "VARCHAR",
    "city": "VARCHAR",
    "status": "VARCHAR",
    "balance": "DECIMAL(12,2)",
    "since": "DATE",
    "updated_at": "TIMESTAMP",
}
"""Columns of every file, in order, with the type that holds each in DuckDB."""

_FIRST = """
create table first as select
    i as account_id,
    one_of(i, 1, ['Ann', 'Zoë', 'José', 'Åsa', 'Nguyễn', 'Łukasz', 'Mary Jane', 'Владимир', '美咲',
        'Fatima', 'Søren', 'Tom']) || ' ' || one_of(i, 2, ['Smith', 'Åström', 'García', 'O''Brien',
        'Nowak', 'Петрова', '佐藤', 'de la Cruz', 'Jones', 'Li']) || ' ' || pick(i, 3, 10000) as name,
    'user' || i || '@' || one_of(i, 5, ['example.org', 'example.com', 'mail.example.net']) as email,
    case when pick(i, 6, 10) > 0 then '(' || area(i) || ') 555-' || digits(i, 7, 4) end as phone,
    one_of(i, 8, ['Nordwind GmbH', 'Smith, Jones & Co.', 'Café "Zur Post"', 'Acme Ltd'])
        || ' ' || pick(i, 9, 5000) as company,
    one_of(i, 10, ['Berlin', 'Kraków', 'Łódź', 'San José', 'Lyon', 'Porto', 'Oslo', 'Graz']) as city,
    one_of(i, 12, ['new', 'active', 'dormant', 'closed']) as status,
    cast((1 + pick(i, 13, 10000000)) / 100 as decimal(12, 2)) as balance,
    date '2015-01-01' + cast(pick(i, 14, 3650) as integer) as since,
    timestamp '2025-01-01' + to_seconds(pick(i, 15, 31536000)) as updated_at
from range($rows + $rows // 50) as numbers(i)
"""
"""Every account there may be: the last 2 % are those that are added."""

OUR_VALUES = {
    "name": "Renamed Account",
    "email": "office@example.org",
    "phone": "020 7946 0000",
    "company": "Merged Holding",
    "city": "Springfield",
    "status": "paused",
    "balance": "0.00",
    "since": "2026-01-31",
}
"""What we set a field to. No account has that value before."""

OUR_TIME = "2026-03-01 12:00:00"
"""When we updated; the source's updates lie before and after it."""

_THEIRS = {
    "name": "name || ' Ltd'",
    "email": "'new.' || email",
    "phone": "'(202) 555-' || digits(account_id, 20, 4) || ' ext 1'",
    "company": "company || ' Group'",
    "city": "'Greater ' || city",
    "status": "'lapsed'",
    "balance": "balance + 1.25",
    "since": "since + 1",
}
"""What the source sets a field to."""

_FIELDS = ", ".join(map(repr, OUR_VALUES))

_RULES = f"""
create macro rank(id) as (id * 617) % 1000;
create macro their_field(id) as [{_FIELDS}][1 + (id // 1000 + rank(id)) % 8];
create macro our_field(id) as [{_FIELDS}][1 + (id // 1000 + rank(id)
    + case when rank(id) between 10 and 12 then 0 else 3 end) % 8];
create macro is_first(id) as id < getvariable('rows');
create macro added() as getvariable('rows') // 100;
create macro they_update(id) as is_first(id) and rank(id) < 20;
create macro we_update(id) as is_first(id) and rank(id) between 10 and 29;
create macro they_remove(id) as is_first(id) and rank(id) between 29 and 38;
create macro we_remove(id) as is_first(id) and (rank(id) = 0 or rank(id) between 38 and 46);
create macro they_add(id) as not is_first(id) and id < getvariable('rows') + added();
create macro we_add(id) as not is_first(id)
    and id - getvariable('rows') - added() * 9 // 10 between 0 and added() - 1;
create macro is_added_otherwise(id) as they_add(id) and we_add(id) and id % 10 < 9;
"""


@dataclass(frozen=True)
class Accounts:
    """The files of one size. CSV with a header; all but the key files have every column."""

    rows: int
    """Accounts in the first version."""
    first: Path
    theirs: Path
    """What the source sends next."""
    again: Path
    """The rows of `theirs` in another order."""
    ours: Path
    """What stands here by then, if every change of ours was made to the first version."""
    added: Path
    """Those of `ours` that the first version does not have."""
    removed: Path
    """Keys of the first version that are not in `ours`."""
    edited: dict[str, Path]
    """By field: keys of the accounts whose field we set as in `OUR_VALUES`."""


def write_accounts(directory: Path, rows: int) -> Accounts:
    """Write the set for `rows` accounts into `directory`, which must exist."""
    accounts = Accounts(
        rows=rows,
        edited={field: directory / f"edited-{field}.csv" for field in OUR_VALUES},
        **{
            name: directory / f"{name}.csv"
            for name in ("first", "theirs", "again", "ours", "added", "removed")
        },
    )
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        connection.execute(_RULES)
        connection.execute(f"set variable rows = {rows}")
        connection.execute(_FIRST, {"rows": rows})
        connection.execute(f"create view theirs as {_theirs()}")
        connection.execute(f"create view ours as {_ours()}")
        for path, query in _queries(accounts).items():
            connection.execute(f"copy ({query}) to $path (format csv, header)", {"path": str(path)})
    return accounts


def _queries(accounts: Accounts) -> dict[Path, str]:
    by_key = f"order by {KEY}"
    return {
        accounts.first: f"select * from first where is_first({KEY}) {by_key}",
        accounts.theirs: f"select * from theirs {by_key}",
        accounts.again: f"select * from theirs order by pick({KEY}, 30, 1000000), {KEY}",
        accounts.ours: f"select * from ours {by_key}",
        accounts.added: f"select * from ours where not is_first({KEY}) {by_key}",
        accounts.removed: f"select {KEY} from first where we_remove({KEY}) {by_key}",
    } | {
        path: f"select {KEY} from first"
        f" where we_update({KEY}) and our_field({KEY}) = '{field}' {by_key}"
        for field, path in accounts.edited.items()
    }


def _theirs() -> str:
    def value(field: str) -> str:
        changed = f"case rank({KEY}) when 12 then {_our_value(field)} else {_THEIRS[field]} end"
        return f"case when their_field({KEY}) = '{field}' then {changed} else {field} end"

    later = f"timestamp '2026-02-01' + to_hours(pick({KEY}, 21, 1400))"
    return (
        f"select * from first where they_add({KEY})"
        f" or is_first({KEY}) and not they_update({KEY}) and not they_remove({KEY})"
        f" union all {_updated(value, later)} where they_update({KEY})"
    )


def _ours() -> str:
    def value(field: str) -> str:
        return f"case when our_field({KEY}) = '{field}' then {_our_value(field)} else {field} end"

    now = f"timestamp '{OUR_TIME}'"
    return (
        f"select * from first where we_add({KEY}) and not is_added_otherwise({KEY})"
        f" or is_first({KEY}) and not we_update({KEY}) and not we_remove({KEY})"
        f" union all select * replace ({_our_value('city')} as city) from first"
        f" where is_added_otherwise({KEY})"
        f" union all {_updated(value, now)} where we_update({KEY})"
    )


def _our_value(field: str) -> str:
    return f"cast('{OUR_VALUES[field]}' as {TYPES[field]})"


def _updated(value: Callable[[str], str], updated_at: str) -> str:
    values = ", ".join(f"{value(field)} as {field}" for field in OUR_VALUES)
    return f"select * replace ({values}, {updated_at} as updated_at) from first"
