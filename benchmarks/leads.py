"""Makes large files of leads: the same bytes for the same number of rows, on every machine.

`python -m benchmarks.leads DIRECTORY [ROWS]` writes all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import duckdb

ROWS = 1_000_000

Endings = Literal["lf", "crlf", "mixed"]

_CHUNK = 1 << 12

# `pick(i, salt, n)` is a number below n that looks random and follows from i alone; the arithmetic
# (Knuth's multiplicative hash) is DuckDB-version-proof, which its own hash() is not.
MACROS = """
create macro pick(i, salt, n) as
    (((i + salt * 7919) * 2654435761) % 4294967296 // 97) % n;
create macro digits(i, salt, width) as
    lpad((pick(i, salt, 10 ** width)::bigint)::varchar, width, '0');
create macro one_of(i, salt, words) as words[1 + pick(i, salt, len(words))];
create macro area(i) as one_of(i, 11, ['201', '202', '212', '305', '312', '415', '503', '617']);
"""

_LEADS = """
select
    i as number,
    -- Every 50th row repeats the id of the row before it: 2 % duplicate ids.
    'L-' || case when i % 50 = 49 then i - 1 else i end as lead_id,
    one_of(i, 1, ['Ann', 'Zoë', 'José', 'Åsa', 'Nguyễn', 'Łukasz', 'Mary Jane', 'Владимир', '美咲',
        'Fatima', 'O''Neil', 'Søren', 'Chloé', 'Tom']) as first_name,
    one_of(i, 2, ['Smith', 'Åström', 'García', 'Müller-Lüdenscheidt', 'O''Brien', 'Nowak', 'Петрова',
        '佐藤', 'de la Cruz', 'Ibrahim', 'Jones', 'Þórsdóttir', 'Li']) || ' ' || pick(i, 3, 10000)
        as last_name,
    case when i % 100 = 7 then one_of(i, 4, ['user ' || i, 'user' || i || '@', '@example.org',
            'user' || i || '@@example.org', 'user' || i || '.example.org'])
        else 'User' || i || '@' || one_of(i, 5, ['example.org', 'Example.com', 'mail.example.net'])
        end as email,
    case pick(i, 6, 25)
        when 0 then '+44 20 7946 0' || digits(i, 7, 3)
        when 1 then '+49 30 23125 ' || digits(i, 7, 3)
        else case i % 6
            when 0 then '(' || area(i) || ') 555-' || digits(i, 7, 4)
            when 1 then area(i) || '-555-' || digits(i, 7, 4)
            when 2 then area(i) || '.555.' || digits(i, 7, 4)
            when 3 then area(i) || '555' || digits(i, 7, 4)
            when 4 then '1' || area(i) || '555' || digits(i, 7, 4)
            else '+1 ' || area(i) || ' 555 ' || digits(i, 7, 4) end
        end as phone,
    one_of(i, 8, ['Nordwind GmbH', 'Smith, Jones & Co.', 'Café "Zur Post"', 'Acme Ltd', '株式会社さくら'])
        || ' ' || pick(i, 9, 5000) as company,
    one_of(i, 10, ['new', 'contacted', 'Qualified', 'proposal', 'won', 'lost']) as status,
    strftime(timestamp '2024-01-01' + to_minutes(i::bigint), '%Y-%m-%d %H:%M:%S') as created_at,
    case when i % 20 = 3 then 'Met at the fair.' || chr(10) || 'Said "call back", then left, ' || i
        else 'Asked for a quote, number ' || i || ', by the end of the month.' end as notes
from range($first, $first + $rows) as numbers(i)
"""

# Every 50th row, offset so that no changed row shares its id with another.
_CHANGED = """
select * replace (
    case when number % 50 = 20 then 'won' else status end as status,
    case when number % 100 = 20 then '(202) 555-' || digits(number, 13, 4) else phone end as phone,
    case when number % 50 = 20 then 'Signed, row ' || number || '.' else notes end as notes
)
from ({leads})
"""


# Some other fiftieth with each number of an update.
_UPDATE = """
select * replace (
    one_of(number, 20 + {update}, ['contacted', 'Qualified', 'won', 'lost']) as status,
    'Called, round {update}, row ' || number || '.' as notes
)
from ({leads}) where pick(number, 100 + {update}, 50) = 0
"""


def write_leads(path: Path, rows: int = ROWS, first: int = 0) -> Path:
    """A CSV of nine columns (some 165 bytes a row, LF): mixed phone formats, 1 % bad e-mails, 2 %
    duplicate ids, 5 % notes that span two lines. Returns `path`.

    `first` is the number of the first lead: files with other numbers share no lead.
    """
    return _copy(_LEADS, path, rows, first)


def write_changed_leads(path: Path, rows: int = ROWS) -> Path:
    """The same leads with status and notes, and often the phone, changed in 2 % of them."""
    return _copy(_CHANGED.format(leads=_LEADS), path, rows)


def write_update(path: Path, update: int, rows: int = ROWS) -> Path:
    """Only those 2 % of the leads whose status and notes the update of that number changes."""
    return _copy(_UPDATE.format(leads=_LEADS, update=update), path, rows)


def write_addresses(path: Path, rows: int = ROWS, endings: Endings = "lf") -> Path:
    """`rows` records of three columns whose third is a quoted address of two lines.

    The second line of each looks like a record of its own, which fools readers that start in
    the middle of a file. Returns `path`.
    """
    lead = "['A-' || i || ',Name ' || i || ',\"12 Main St', 'Springfield, IL, 62701\"']"
    _copy_lines(f"select unnest({lead}) as line from range($rows) as numbers(i)", path, rows)
    return _with_endings(path, endings)


def write_unterminated(
    path: Path, rows: int = ROWS, endings: Endings = "lf"
) -> tuple[Path, tuple[int, int, int]]:
    """`rows` records of three columns, three of which open a quote and never close it.

    Returns `path` and the physical lines, counted from 1 with the header, of the three.
    """
    broken = (rows // 2, rows * 7 // 10, rows)
    lead = f"""'U-' || i || case when i in {broken} then ',"open quote,x' else ',Name ' || i || ',note' end"""
    _copy_lines(f"select {lead} as line from range(1, $rows + 1) as numbers(i)", path, rows)
    first, second, third = (record + 1 for record in broken)
    return _with_endings(path, endings), (first, second, third)


def _copy(query: str, path: Path, rows: int, first: int = 0) -> Path:
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        connection.execute(
            f"copy (select * exclude (number) from ({query})) to $path (format csv, header)",
            {"path": str(path), "rows": rows, "first": first},
        )
    return path


def _copy_lines(query: str, path: Path, rows: int) -> None:
    """One text column, written as it is: quotes and delimiter are characters no line holds."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (select 'lead_id,name,notes' as line union all ({query})) to $path
            (format csv, header false, delimiter e'\\x01', quote e'\\x02', escape e'\\x02')""",
            {"path": str(path), "rows": rows},
        )


def _with_endings(path: Path, endings: Endings) -> Path:
    """Rewrite the LF of `path` as CRLF: all of them, or in every other 4 KiB."""
    if endings == "lf":
        return path
    converted = path.with_name(f"{path.name}.tmp")
    with path.open("rb") as source, converted.open("wb") as target:
        chunk_number = 0
        while chunk := source.read(_CHUNK):
            is_converted = endings == "crlf" or chunk_number % 2 == 0
            target.write(chunk.replace(b"\n", b"\r\n") if is_converted else chunk)
            chunk_number += 1
    return converted.replace(path)


def main(directory: Path, rows: int = ROWS) -> None:
    """Write every kind of file into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    print(write_leads(directory / "leads.csv", rows))
    print(write_changed_leads(directory / "leads-changed.csv", rows))
    kinds: tuple[Endings, ...] = ("lf", "crlf", "mixed")
    for endings in kinds:
        print(write_addresses(directory / f"addresses-{endings}.csv", rows, endings))
        print(*write_unterminated(directory / f"unterminated-{endings}.csv", rows, endings))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
