"""The steps that decide every incoming row, each by key and so bucket by bucket if need be.

Only rows whose source says something new are compared with the store. Each side of such a row
travels with it: `_t`, `_b` and `_o` are structs of the file's, the base's and the store's values,
so that no step looks a row up twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dataport.core.words import Mode
from dataport.engine.catalog.model import Field
from dataport.engine.merging.fields import FILE, KEEP, POLICY, code_column, merged_values, outcome
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import MET, RESOLVED, THEIRS
from dataport.engine.merging.queue import OPEN_CELLS
from dataport.engine.merging.relations import BASE, NO_OURS, OURS, RANKED
from dataport.engine.sql import (
    bases_table,
    differs,
    from_json,
    ident,
    rows_table,
    struct,
    versions_table,
)
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection
from dataport.engine.united import is_absent


def decide(cursor: Connection, merge: MergeInput, open_fields: tuple[Field, ...]) -> bool:
    """Make `plan_delta`, `plan_matched`, `plan_inserts` and `plan_judged`.

    `open_fields` are those with an open conflict of this source, whose own base stands for
    the cell. Returns whether there was anything to compare the rows with.
    """
    if all(_is_empty(cursor, merge, table) for table in (bases_table, rows_table, versions_table)):
        _take_all(cursor, merge)
        return False
    run = merge.runner.run
    run(cursor, _compare(merge, "plan_delta", _news(merge)))
    candidates = "plan_delta"
    if merge.is_two_way:
        candidates = "plan_candidates"
        run(cursor, _compare(merge, candidates, "true"))
    lookup = f"SELECT 1 FROM {candidates} WHERE NOT _is_row LIMIT 1"
    ours = OURS if cursor.execute(lookup).fetchone() else NO_OURS
    run(cursor, _match(merge, candidates, ours, open_fields), _insert(merge))
    run(cursor, *_pick_theirs(cursor, merge, candidates), _judge(merge))
    return True


def _pick_theirs(cursor: Connection, merge: MergeInput, candidates: str) -> Iterator[Step]:
    """The candidates' own rows: carried along where a base exists, else read from the file."""
    columns = _theirs_columns(merge)
    carried = ", ".join(f"_t.{name} AS {name}" for name in columns)
    read = ", ".join(f"t.{name}" for name in columns)
    known = f"SELECT _key, _record, {carried} FROM {candidates} WHERE has_base"
    for view, new in (
        (THEIRS, f"SELECT _record FROM {candidates} WHERE NOT has_base"),
        (MET, "SELECT _record FROM plan_matched WHERE NOT has_base AND has_ours"),
    ):
        found = cursor.execute(f"{new} LIMIT 1").fetchone()
        others = (
            f" UNION ALL SELECT t._key, t._record, {read} FROM {RESOLVED} t"
            f" SEMI JOIN ({new}) c ON c._record = t._record"
        )
        sql = f"{known}{others if found else ''}"
        inputs = (candidates, "plan_matched", RESOLVED)
        yield Step("pick the file's rows", Scope.KEY, sql, inputs, view, Kept.VIEW)


def _theirs_columns(merge: MergeInput) -> list[str]:
    """What later steps need of an incoming row besides its key and record."""
    absent = ["_absent"] if merge.partial else []
    return ["_line", *absent, *(ident(field.name) for field in merge.fields)]


def _take_all(cursor: Connection, merge: MergeInput) -> None:
    """A first import has nothing to be compared with: every row is new."""
    base = f"CAST(NULL AS {_struct_type(merge.remembered)}) AS _b"
    ours = f"CAST(NULL AS {_struct_type(merge.fields)}) AS _o"
    first = f"SELECT _key, _record, false AS has_base, false AS _is_row, {base} FROM {RESOLVED}"
    steps = [
        Step("take every row", Scope.ROW, sql, (given,), view, Kept.VIEW)
        for view, given, sql in (
            ("plan_delta", RESOLVED, first),
            ("plan_candidates", "plan_delta", "SELECT * FROM plan_delta"),
            ("plan_matched", "plan_delta", f"SELECT *, false AS has_ours, {ours} FROM plan_delta"),
            (THEIRS, RESOLVED, f"SELECT * FROM {RESOLVED}"),
            (MET, RESOLVED, f"SELECT * FROM {RESOLVED} WHERE false"),
            ("plan_inserts", RESOLVED, f"SELECT _key, _record FROM {RESOLVED}"),
        )
    ]
    merge.runner.run(cursor, *steps, _judge(merge))


def _insert(merge: MergeInput) -> Step:
    new = "NOT has_ours" if merge.mode is Mode.REPLACE else "NOT has_ours AND NOT has_base"
    return Step(
        name="insert",
        scope=Scope.ROW,
        sql=f"SELECT _key, _record FROM plan_matched WHERE {new}",
        inputs=("plan_matched",),
        output="plan_inserts",
    )


def _compare(merge: MergeInput, output: str, condition: str) -> Step:
    """Incoming rows beside what their source sent last."""
    theirs = ", ".join(f"{name} := t.{name}" for name in _theirs_columns(merge))
    return Step(
        name="compare",
        scope=Scope.KEY,
        sql=(
            "SELECT t._key, t._record, coalesce(b._here, false) AS has_base,"
            " coalesce(b._is_row, false) AS _is_row,"
            f" CASE WHEN b._here THEN {struct(merge.remembered, 'b')} END AS _b,"
            f" CASE WHEN b._here THEN struct_pack({theirs}) END AS _t"
            f" FROM {RESOLVED} t LEFT JOIN {BASE} b ON b._key = t._key WHERE {condition}"
        ),
        inputs=(RESOLVED, BASE),
        output=output,
    )


def _news(merge: MergeInput) -> str:
    """True where the source says something new; the rest needs no look at the store."""
    changed = [f"b.{ident(f.name)} IS DISTINCT FROM t.{ident(f.name)}" for f in merge.fields]
    for index, field in enumerate(merge.fields):
        if field.name in merge.partial:
            changed[index] = f"({changed[index]} AND NOT {is_absent(field.name)})"
    return f"b._here IS NULL OR {' OR '.join(changed) or 'false'}"


def _match(merge: MergeInput, candidates: str, ours: str, open_fields: tuple[Field, ...]) -> Step:
    """Candidates beside the store's row, seen from the base that holds for each cell.

    A row that equals its base is not looked up; `ours` has no rows where all of them do.
    """
    base, cells, has_base = "d._b", "", "d.has_base"
    inputs = [candidates, ours]
    if open_fields:
        overlaid = struct(merge.remembered, "d._b", {f.name: _cell(f) for f in open_fields})
        base = f"CASE WHEN d.has_base OR c._key IS NOT NULL THEN {overlaid} END"
        cells = f" LEFT JOIN {OPEN_CELLS} c ON c._key = d._key"
        inputs.append(OPEN_CELLS)
        # A row that was refused was never here: it is no row that somebody deleted.
        has_base = "d.has_base AND NOT coalesce(c._is_refused, false)"
    return Step(
        name="match",
        scope=Scope.KEY,
        sql=(
            f"SELECT d._key, d._record, {has_base} AS has_base, {base} AS _b,"
            " d._is_row OR coalesce(o._here, false) AS has_ours,"
            f" CASE WHEN d._is_row THEN {struct(merge.fields, 'd._b')}"
            f" WHEN o._here THEN {struct(merge.fields, 'o')} END AS _o"
            f" FROM {candidates} d LEFT JOIN {ours} o ON o._key = d._key{cells}"
        ),
        inputs=tuple(inputs),
        output="plan_matched",
    )


def _cell(field: Field) -> str:
    """The base that an open conflict began with, else the row's."""
    name = ident(field.name)
    return (
        f"CASE WHEN c.{ident('_has_' + field.name)} THEN {from_json(field, f'c.{name}')}"
        f" ELSE d._b.{name} END"
    )


def _judge(merge: MergeInput) -> Step:
    """Outcome and merged value of every stated field of rows that the store has.

    The store's struct is kept: DuckDB would split one that is read and then dropped into its
    fields, and hold a vector of each for every place that names one.
    """
    sides = ", ".join(f"{name} := t.{name}" for name in _theirs_columns(merge))
    rows = (
        "SELECT m._key, m._record, m.has_base, m._b, m._o, t._line,"
        f" struct_pack({sides}) AS t"
        f" FROM plan_matched m JOIN {MET} t ON t._record = m._record WHERE m.has_ours"
    )
    codes = [f"{outcome(unit, merge)} AS _unit_{n}" for n, unit in enumerate(merge.units)]
    coded = f"SELECT {', '.join(['*', *codes])} FROM ({rows}) j"
    judged = f"SELECT {', '.join(_judgements(merge))} FROM ({coded}) j"
    return Step(
        name="judge",
        scope=Scope.KEY,
        sql=f"SELECT *, {_is_changed(merge)} AS is_changed FROM ({judged}) j",
        inputs=("plan_matched", MET, *([RANKED] if merge.uses_ranks else [])),
        output="plan_judged",
    )


def _judgements(merge: MergeInput) -> list[str]:
    """Columns of a judged row: its code and its value per field; keys are as they were."""
    codes = {f.name: f"'{KEEP}'" for f in merge.fields}
    values = {f.name: f"_o.{ident(f.name)}" for f in merge.fields}
    for number, unit in enumerate(merge.units):
        code = f"_unit_{number}"
        codes |= {field.name: code for field in unit.fields}
        values |= merged_values(unit, merge, code)
    return [
        "j._key, j._record, j._line, j.has_base, j._o",
        *(f"{codes[f.name]} AS {code_column(f)}" for f in merge.fields),
        *(f"{values[f.name]} AS {ident(f.name)}" for f in merge.fields),
    ]


def _is_changed(merge: MergeInput) -> str:
    """True where a file's value was taken, or a policy's that is not the store's already."""
    terms = []
    for unit in merge.units:
        code = f"j.{code_column(unit.fields[0])}"
        terms.append(f"{code} = '{FILE}'")
        if merge.chain(unit):
            names = [field.name for field in unit.fields]
            terms.append(f"({code} = '{POLICY}' AND {differs(names, 'j', 'j._o')})")
    return f"({' OR '.join(terms)})" if terms else "false"


def _struct_type(fields: Iterable[Field]) -> str:
    members = ", ".join(f"{ident(field.name)} {field.sql_type}" for field in fields)
    return f"STRUCT({members})"


def _is_empty(cursor: Connection, merge: MergeInput, table: Callable[[str], str]) -> bool:
    found = cursor.execute(f"SELECT 1 FROM {table(merge.dataset.name)} LIMIT 1").fetchone()
    return found is None
