"""How many rows a plan would add since others refer to them (design section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dataport.engine.catalog.model import OnMissing
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import written_rows
from dataport.engine.merging.references import Missing, References, stub_rows
from dataport.engine.sql import rows_table
from dataport.engine.store import Connection, count_rows


def count_stubs(cursor: Connection, merge: MergeInput, references: References) -> References:
    """The references with how many stubs `write_stubs` will add for each, once it is applied.

    `merge` was planned on `cursor`, which still has its plan.
    """
    missing: list[Missing] = []
    before: dict[str, list[str]] = {}
    for each in references.missing:
        if each.key.on_missing is OnMissing.STUB:
            name = each.target.name
            stubs = _stubs(merge, each)
            earlier = before.setdefault(name, [])
            missing.append(replace(each, added=_number(cursor, stubs, earlier)))
            earlier.append(stubs)
        else:
            missing.append(each)
    return replace(references, missing=tuple(missing))


def _stubs(merge: MergeInput, missing: Missing) -> str:
    """The keys that rows which the plan writes refer to, and that are not there then."""
    name, fields = missing.target.name, missing.key.fields
    written = f"({written_rows(fields)}) o"
    own = " ANTI JOIN plan_inserts i ON i._key = s._key" if name == merge.dataset.name else ""
    return (
        f"SELECT s._key FROM ({stub_rows(missing, written)}) s"
        f" ANTI JOIN {rows_table(name)} r ON r._key = s._key{own}"
    )


def _number(cursor: Connection, stubs: str, earlier: Sequence[str]) -> int:
    """How many of `stubs` are not among those that other foreign keys add."""
    known = "".join(f" EXCEPT {each}" for each in earlier)
    return count_rows(cursor, f"({stubs}{known})")
