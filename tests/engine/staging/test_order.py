"""Rows are known by their place in the file, so that place must survive the reading (ERR-01)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dataport.engine.staging.mapping import Mapped
from dataport.engine.staging.memory import digest_columns
from dataport.engine.staging.phones import PhoneResolver, register
from dataport.engine.staging.plan import make_plan
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.readers.spool import Spool
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.row_sql import check_sql

WORDS = [f"word {at}" for at in range(20)]


@pytest.mark.parametrize("chunk", [1_000, 3_000])
def test_rows_of_a_file_in_several_parts_know_their_lines(read, leads, chunk):
    """DuckDB reads the parts side by side."""
    lines = [f"{at},Lead {at},new" for at in range(2_000)]
    staged = read("\n".join(["lead_id,name,status", *lines]), leads, chunk=chunk)
    expected = [(str(at), at + 1, at + 2) for at in range(2_000)]
    assert staged.rows("lead_id, _record, _line") == expected


def test_checking_rows_never_joins(leads, phone_numbers, make):
    """A join would lose their order, and DuckDB makes one of any longer list of words."""
    many = make(
        {"name": "id", "constraints": {"enum": WORDS}},
        {"name": "flag", "type": "boolean"},
        {"name": "tags", "type": "list", "constraints": {"enum": WORDS}},
        {"name": "n", "type": "integer", "constraints": {"enum": list("123456789")}},
        missingValues=WORDS,
    )
    for dataset in (leads, phone_numbers, many):
        assert "JOIN" not in explained(dataset)


def explained(dataset):
    """How DuckDB would check rows with all columns of `dataset`."""
    columns = dataset.field_names
    mapped = Mapped({name: at for at, name in enumerate(columns)}, ())
    reading = Reading("csv", "utf-8", ",", True, columns, mapped, Spool(), "")
    plan = make_plan(StageRequest(Path("file.csv"), Path(), dataset), reading)
    texts = ", ".join(f"'' AS c{at}" for at in range(len(columns)))
    with duckdb.connect() as connection:
        for field in plan.fields:
            if field.resolver:
                register(connection, field.resolver, PhoneResolver(field.field, "US"))
        connection.execute(f"CREATE TEMP TABLE raw AS SELECT {texts} FROM range(9)")
        check = check_sql(plan, states_keys=False, extra=digest_columns(plan))
        return connection.execute(f"EXPLAIN {check}").fetchall()[0][1]
