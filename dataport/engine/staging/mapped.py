"""The columns of one file as fields: by their names, or as a mapping says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataport.core.errors import InputError
from dataport.engine.catalog.mappings import FILE, Choice, FieldMapping, MappingFile, Skip
from dataport.engine.catalog.model import Dataset
from dataport.engine.sql import literal
from dataport.engine.staging.above import ColumnAbove
from dataport.engine.staging.detect import detect
from dataport.engine.staging.mapping import (
    NAMED,
    Drawn,
    Mapped,
    Skipped,
    check_complete,
    find_field,
    fold,
    map_columns,
)
from dataport.engine.staging.reject_layout import own_columns, reject_layout
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.transforms import Transform, skip_condition


def columns_as_fields(columns: Sequence[str], request: StageRequest) -> Mapped:
    """The fields of `columns`. Raises InputError when one is named twice or missing."""
    mapping = request.mapping
    if mapping is None:
        detected = detect(request.candidates, [columns])
        if detected is None:
            return map_columns(columns, request.dataset, request.columns, request.constants)
        mapping = detected.mapping
    virtual = [each.name for each in mapping.above if fold(each.name) not in map(fold, columns)]
    columns = [*columns, *virtual]
    places = _places(columns)
    drawn: dict[str, Drawn] = {}
    for rule in mapping.fields:
        found = _drawn(rule, request, mapping, places)
        if found is not None:
            drawn[rule.field] = found
    if mapping.others == "match":
        drawn |= _by_name(columns, request.dataset, mapping, places)
    optional = frozenset(rule.field for rule in mapping.fields if rule.optional)
    stated = frozenset({*drawn, *request.constants})
    check_complete(own_columns(columns), request.dataset, stated, optional)
    used = {at for each in drawn.values() for at in each.positions}
    skips = tuple(
        _skipped(rule, f"c{at}", columns[at], places)
        for rule in mapping.skip
        for at in _found(rule.column, places)
    )
    silent = {fold(label) for label in mapping.labels}
    return Mapped(
        positions={
            name: drawn[name].positions[0]
            for name in request.dataset.field_names
            if name in drawn and drawn[name].positions
        },
        ignored=tuple(
            columns[at]
            for label, found in places.items()
            for at in found
            if at not in used and label not in silent and label != FILE
        ),
        drawn=drawn,
        skips=skips,
        by=mapping.name,
        spans=mapping.spans,
        above=_above(mapping, virtual, places),
    )


def _places(columns: Sequence[str]) -> dict[str, list[int]]:
    """Positions of the source's own columns, by folded label; FILE is a label like no other."""
    layout = reject_layout(columns)
    own = range(layout.start, layout.stop) if layout else range(len(columns))
    places: dict[str, list[int]] = {}
    for at in own:
        label = columns[at] if columns[at] == FILE else fold(columns[at])
        places.setdefault(label, []).append(at)
    return places


def _found(label: str, places: Mapping[str, list[int]]) -> list[int]:
    found = places.get(fold(label), [])
    if len(found) > 1:
        raise InputError(
            "duplicate-label",
            f"The file has {len(found)} columns {label!r}.",
            "The mapping reads this column, and it is open which of them counts.",
            "Remove or rename one of them.",
        )
    return found


def _skipped(rule: Skip, cell: str, column: str, places: Mapping[str, list[int]]) -> Skipped:
    if rule.without is None:
        return Skipped(skip_condition(rule, cell), column)
    named = [f"c{at}" for at in _found(rule.without, places)]
    unknown = f"{cell} <> '' AND {cell} NOT IN (SELECT name FROM {NAMED})"
    return Skipped(unknown, column, names=named[0] if named else "NULL::VARCHAR")


def _drawn(
    rule: FieldMapping,
    request: StageRequest,
    mapping: MappingFile,
    places: Mapping[str, list[int]],
) -> Drawn | None:
    """The field of a rule; None where the file has none of its columns."""
    if rule.field in request.constants:
        return None
    if rule.constant is not None:
        return Drawn(literal(rule.constant), ())
    cells = _Cells(request, mapping, places)
    own, others = cells.of(rule.own_columns), cells.of(rule.otherwise)
    if not own and not others:
        return None if rule.default is None else Drawn(literal(rule.default), ())
    if rule.choose is not None:
        own = [cells.chosen(rule.choose, cell) for cell in own]
    transform = Transform(
        rule, request.dataset.field(rule.field), mapping.missing, request.timezone
    )
    sql = transform.sql(own or others, others if own else ())
    for cell in cells.of(rule.needs):
        sql = f"CASE WHEN {cell} <> '' THEN {sql} END"
    return Drawn(
        sql=sql,
        positions=tuple(dict.fromkeys(cells.used)),
        unknown=transform.unknown(own or others),
        known=tuple(rule.values),
        is_optional=rule.optional,
        is_always=rule.default is not None or FILE in rule.labels,
    )


class _Cells:
    """The cells of a mapping's columns, as far as the file has them."""

    def __init__(
        self, request: StageRequest, mapping: MappingFile, places: Mapping[str, list[int]]
    ) -> None:
        self._request = request
        self._mapping = mapping
        self._places = places
        self.used: list[int] = []
        """Positions of those that were asked for."""

    def of(self, labels: Sequence[str]) -> list[str]:
        """SQL of each cell; none for a column that is not there."""
        return [cell for label in labels if (cell := self._cell(label)) is not None]

    def chosen(self, choice: Choice, usual: str) -> str:
        """The cell that counts, by the value of another one."""
        by, branches = self._cell(choice.column), ""
        for value, label in choice.take.items():
            other = self._cell(label)
            if other is not None:
                branches += f" WHEN {literal(value.strip().lower())} THEN {other}"
        if by is None or not branches:
            return usual
        return f"(CASE lower(trim({by})){branches} ELSE {usual} END)"

    def _cell(self, label: str) -> str | None:
        if label == FILE:
            pattern, told = self._mapping.file or "^(.+?)(?:\\.[^.]*)?$", self._places.get(FILE)
            name = f"c{told[0]}" if told else literal(self._request.file_name)
            return f"nullif(regexp_extract({name}, {literal(pattern)}, 1), '')"
        found = _found(label, self._places)
        self.used += found
        return f"c{found[0]}" if found else None


def _above(
    mapping: MappingFile, virtual: Sequence[str], places: Mapping[str, list[int]]
) -> tuple[ColumnAbove, ...]:
    """The columns that are made of rows above, in the order in which they are added."""

    def cell(label: str | None) -> str | None:
        found = _found(label, places) if label is not None else []
        return f"c{found[0]}" if found else None

    return tuple(
        ColumnAbove(each, cell(each.column), cell(each.where), cell(each.level))
        for each in mapping.above
        if each.name in virtual
    )


def _by_name(
    columns: Sequence[str],
    dataset: Dataset,
    mapping: MappingFile,
    places: Mapping[str, list[int]],
) -> dict[str, Drawn]:
    """Fields of which the mapping says nothing, by the names of columns that it does not use."""
    ruled = {rule.field for rule in mapping.fields}
    silent = {fold(label) for label in mapping.labels}
    drawn: dict[str, Drawn] = {}
    for label, found in places.items():
        name = None if label in {*silent, FILE} else find_field(columns[found[0]], dataset)
        if name is not None and name not in ruled and name not in drawn:
            drawn[name] = Drawn(f"c{found[0]}", (found[0],))
    return drawn
