"""Rows of lists in the items of other lists: what leaves out an item leaves out what lies in it.

A mapping of such rows names the mapping of the items around them, its `parent`. The parent's rules
about rows that are left out then count for its rows too, of the values in the item around.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dataport.core.errors import ConfigError
from dataport.core.text import nearest_hint
from dataport.engine.catalog.documents import VALUE, ListPath
from dataport.engine.catalog.mappings import MappingFile


def with_parent_rules(mapping: MappingFile, known: Mapping[str, MappingFile]) -> MappingFile:
    """`mapping` with the rules of its parent about rows that are left out, and of that one's parent.

    Raises ValueError where it names a parent that is none, or whose rules can't be followed.
    """
    if mapping.parent is None:
        return mapping
    if mapping.parent not in known:
        raise ValueError(f"'parent' is {mapping.parent!r}, which is no mapping")
    parent = known[mapping.parent]
    up = "^." * _levels(mapping, parent)
    parent = with_parent_rules(parent, known)
    columns, rules = dict(mapping.columns), []
    for rule in parent.skip:
        paths = parent.layout.fields.get(rule.column, (rule.column,))
        if rule.without is not None or not all(map(VALUE.fullmatch, paths)):
            raise ValueError(
                f"the parent {parent.name!r} leaves rows out by {rule.column!r}, which rows of lists"
                " in its items can't follow"
            )
        name = f"{parent.name} {rule.column}"
        columns[name] = tuple(up + path for path in paths)
        rules.append(rule.model_copy(update={"column": name}))
    return mapping.model_copy(update={"columns": columns, "skip": (*mapping.skip, *rules)})


def check_parent(mapping: MappingFile, known: Mapping[str, MappingFile], path: Path) -> None:
    """Raise ConfigError where the parent that a mapping names can't be one."""
    try:
        with_parent_rules(mapping, known)
    except ValueError as error:
        raise ConfigError(
            "wrong-value", f"{path}: {error}.", hint=nearest_hint(str(mapping.parent), known)
        ) from error


def _levels(mapping: MappingFile, parent: MappingFile) -> int:
    """How many lists lie between the rows of a mapping and those of its parent."""
    levels = {_up(path, parent) for path in mapping.paths}
    if len(levels) != 1 or 0 in levels:
        raise ValueError(
            f"'paths' have to lie in items of the parent {parent.name!r}, all of them equally deep"
        )
    return levels.pop()


def _up(path: str, parent: MappingFile) -> int:
    """The same of one path; 0 where it does not lie in the parent's items."""
    depth = len(ListPath.parse(path).nested)
    if not parent.paths:
        return depth
    around = [outer for outer in parent.paths if path.startswith(f"{outer}[].")]
    return depth - len(ListPath.parse(max(around, key=len)).nested) if around else 0
