"""The columns of one file as fields: by their names, or as a mapping says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataport.core.errors import InputError
from dataport.engine.catalog.mappings import FieldMapping, MappingFile
from dataport.engine.catalog.model import Dataset
from dataport.engine.sql import literal
from dataport.engine.staging.detect import detect
from dataport.engine.staging.mapping import (
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
        Skipped(skip_condition(rule, f"c{at}"), columns[at])
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
            if at not in used and label not in silent
        ),
        drawn=drawn,
        skips=skips,
        by=mapping.name,
    )


def _places(columns: Sequence[str]) -> dict[str, list[int]]:
    """Positions of the source's own columns, by folded label."""
    layout = reject_layout(columns)
    own = range(layout.start, layout.stop) if layout else range(len(columns))
    places: dict[str, list[int]] = {}
    for at in own:
        places.setdefault(fold(columns[at]), []).append(at)
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
    if rule.file is not None:
        return Drawn(_of_name(rule.file, request.file_name), (), is_optional=rule.optional)
    found = tuple(at for label in rule.labels for at in _found(label, places))
    if not found:
        return None if rule.default is None else Drawn(literal(rule.default), ())
    transform = Transform(rule, request.dataset.field(rule.field), mapping.missing)
    cells = [f"c{at}" for at in found]
    return Drawn(
        sql=transform.sql(cells),
        positions=found,
        unknown=transform.unknown(cells),
        known=tuple(rule.values),
        is_optional=rule.optional,
    )


def _of_name(pattern: str, name: str) -> str:
    return f"nullif(regexp_extract({literal(name)}, {literal(pattern)}, 1), '')"


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
        name = None if label in silent else find_field(columns[found[0]], dataset)
        if name is not None and name not in ruled and name not in drawn:
            drawn[name] = Drawn(f"c{found[0]}", (found[0],))
    return drawn
